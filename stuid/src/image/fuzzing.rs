//! The decoders of the image link, as the fuzz targets see them.

use stui_protocol::{Reply, Request};

use super::envelope;
pub use super::link::fuzzing::tcp_replies;

/// The number and the body of a reply; none when the frames are none.
#[must_use]
pub fn reply_of_frames(frames: &[&[u8]]) -> Option<(u64, Vec<u8>)> {
    envelope::open(frames.iter().map(|frame| (*frame).into()).collect())
}

/// The reply to a request; none when the bytes are no such reply.
#[must_use]
pub fn read_reply(request: &Request, body: &[u8]) -> Option<Reply> {
    envelope::read(request, body).ok()
}
