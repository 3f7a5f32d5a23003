//! One encoder and one decoder for each link. Bytes are hostile until they have passed here.
//!
//! Nothing here does I/O: a caller hands in what it has read and takes out what to write. Sizes
//! are bounded by [`crate::limits::MAX_MESSAGE_BYTES`] and depth by
//! [`crate::limits::MAX_DEPTH`], so no input makes a decoder allocate more than a small multiple
//! of its own size or recurse without end.

pub mod client;
pub mod event;
pub mod frames;
pub mod image;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ErrorType, Failure};
use crate::limits::MAX_MESSAGE_BYTES;

/// The bytes are no message of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than a message may have.
    #[error("a message of {0} bytes is larger than {MAX_MESSAGE_BYTES}")]
    TooLarge(usize),
    /// Not JSON, or JSON of another shape.
    #[error("not a message: {0}")]
    Malformed(String),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge(size) => too_large(size),
            DecodeError::Malformed(why) => Self::new(
                ErrorType::InvalidRequest,
                format!("this is no request: {why}"),
            ),
        }
    }
}

/// `MessageTooLarge` for a message of that many bytes.
#[must_use]
pub fn too_large(size: usize) -> Failure {
    Failure::new(
        ErrorType::MessageTooLarge,
        format!("a message may have {MAX_MESSAGE_BYTES} bytes, this one has {size}: send less"),
    )
    .with("size", size)
    .with("limit", MAX_MESSAGE_BYTES)
}

/// Reads one JSON document that fills `bytes`.
fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(DecodeError::TooLarge(bytes.len()));
    }
    serde_json::from_slice(bytes).map_err(|wrong| DecodeError::Malformed(wrong.to_string()))
}

/// Writes a message. Messages are structs with string keys, and writing to memory does not fail,
/// so an empty document is never seen in practice.
fn to_bytes(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}
