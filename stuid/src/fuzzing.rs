//! What the fuzz targets read besides what is public: decoders that nobody else needs to see.

pub use crate::image::fuzzing::{read_reply, reply_of_frames, tcp_replies};
pub use crate::store::fuzzing::{Journal, recover, rewrite_journal, rewrite_row};
