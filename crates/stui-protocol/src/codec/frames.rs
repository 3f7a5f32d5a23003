//! The frames of one message on a ROUTER that serves as a REP to each of its peers: the image link
//! of the embedded image and the daemon's front end.
//!
//! The socket is a ROUTER, so the first frame names the peer. Then, as a REP socket would take
//! them: any frames of the sender's own, an empty one, the body. All before the body goes back
//! untouched in front of the reply.

use crate::error::{ErrorType, Failure};

/// Most frames of one message. A peer has an envelope frame or two; more is a mistake.
pub const MAX_FRAMES: usize = 16;

/// A message cut into what goes back and what is read.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Frames to send before the reply's body.
    pub envelope: Vec<Vec<u8>>,
    /// The one body frame, or why there is none.
    pub body: Result<Vec<u8>, WrongShape>,
}

/// Why a message has no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongShape {
    /// No empty frame after the peer's name.
    NoDelimiter,
    /// Nothing after the empty frame.
    NoBody,
    /// More than one frame after the empty one.
    ManyBodies,
    /// More than [`MAX_FRAMES`].
    ManyFrames,
}

/// Cuts the frames of a message. `whole` is false when frames beyond [`MAX_FRAMES`] were dropped.
pub fn cut(mut frames: Vec<Vec<u8>>, whole: bool) -> Message {
    let delimiter = frames.iter().skip(1).position(Vec::is_empty);
    let Some(delimiter) = delimiter else {
        frames.truncate(1);
        return Message {
            envelope: frames,
            body: Err(if whole {
                WrongShape::NoDelimiter
            } else {
                WrongShape::ManyFrames
            }),
        };
    };
    let mut rest = frames.split_off(delimiter + 2);
    let body = match (rest.len(), whole) {
        (_, false) => Err(WrongShape::ManyFrames),
        (0, true) => Err(WrongShape::NoBody),
        (1, true) => Ok(rest.remove(0)),
        (_, true) => Err(WrongShape::ManyBodies),
    };
    Message {
        envelope: frames,
        body,
    }
}

impl From<WrongShape> for Failure {
    fn from(wrong: WrongShape) -> Self {
        let why = match wrong {
            WrongShape::NoDelimiter => "it has no empty frame before its body",
            WrongShape::NoBody => "it has no body after the empty frame",
            WrongShape::ManyBodies => "it has more than one frame after the empty one",
            WrongShape::ManyFrames => "it has too many frames",
        };
        Self::new(
            ErrorType::InvalidRequest,
            format!("this is no request: {why}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn the_envelope_of_a_req_and_of_a_dealer_goes_back_untouched() {
        for envelope in [&["peer", ""][..], &["peer", "id", "more", ""][..]] {
            let mut all = frames(envelope);
            all.push(b"{}".to_vec());
            let message = cut(all, true);
            assert_eq!(message.envelope, frames(envelope));
            assert_eq!(message.body, Ok(b"{}".to_vec()));
        }
    }

    #[test]
    fn an_empty_body_is_a_body() {
        let message = cut(frames(&["peer", "", ""]), true);
        assert_eq!(message.body, Ok(Vec::new()));
    }

    #[test]
    fn other_shapes_say_what_is_wrong_and_keep_the_way_back() {
        let message = cut(frames(&["peer", "{}"]), true);
        assert_eq!(message.envelope, frames(&["peer"]));
        assert_eq!(message.body, Err(WrongShape::NoDelimiter));
        let message = cut(frames(&["peer", ""]), true);
        assert_eq!(message.envelope, frames(&["peer", ""]));
        assert_eq!(message.body, Err(WrongShape::NoBody));
        let message = cut(frames(&["peer", "", "{}", "{}"]), true);
        assert_eq!(message.envelope, frames(&["peer", ""]));
        assert_eq!(message.body, Err(WrongShape::ManyBodies));
        let message = cut(frames(&["peer", "", "{}"]), false);
        assert_eq!(message.body, Err(WrongShape::ManyFrames));
    }
}
