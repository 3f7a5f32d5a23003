//! Between messages and ZeroMQ frames: `[8-byte correlation id][empty][body]`.
//!
//! A REP socket gives back every frame before the empty one untouched, so the id needs nothing
//! from the image. The `id` inside the JSON body is something else: it makes the request
//! idempotent.

use stui_protocol::codec::image;
use stui_protocol::{Reply, Request};
use tmq::Multipart;

use super::inflight::Correlation;
use super::message::LinkError;

/// Cuts the frames of a reply into its number and its body; none when they are no reply.
pub(crate) fn open(mut frames: Multipart) -> Option<(Correlation, Vec<u8>)> {
    if frames.len() != 3 || !frames[1].is_empty() {
        return None;
    }
    let correlation = frames[0][..]
        .try_into()
        .ok()
        .map(Correlation::from_be_bytes)?;
    let body = frames.pop_back()?;
    Some((correlation, body.to_vec()))
}

/// The first frame of a request.
pub(crate) fn address(correlation: Correlation) -> [u8; 8] {
    correlation.to_be_bytes()
}

/// Writes the body of a request.
pub(crate) fn seal(request: &Request) -> Result<Vec<u8>, LinkError> {
    image::encode_request(request).map_err(|failure| LinkError::TooLarge(Box::new(failure)))
}

/// Reads the body of the reply to `request`.
pub(crate) fn read(request: &Request, body: &[u8]) -> Result<Reply, LinkError> {
    let reply =
        image::decode_reply(body).map_err(|wrong| LinkError::Nonsense(wrong.to_string()))?;
    // An image that could not read the request at all answers it with a null id.
    match &reply.id {
        Some(id) if *id != request.id => Err(LinkError::Nonsense(
            "it belongs to another request".to_owned(),
        )),
        _ => Ok(reply),
    }
}

#[cfg(test)]
mod tests {
    use stui_protocol::image::Ping;

    use super::*;

    fn frames(frames: &[&[u8]]) -> Multipart {
        frames
            .iter()
            .map(|frame| zmq::Message::from(*frame))
            .collect()
    }

    #[test]
    fn only_three_frames_with_a_number_in_front_are_a_reply() {
        let address = address(7);
        assert_eq!(
            open(frames(&[&address, b"", b"{}"])),
            Some((7, b"{}".to_vec()))
        );
        assert_eq!(open(frames(&[&address, b"x", b"{}"])), None);
        assert_eq!(open(frames(&[b"short", b"", b"{}"])), None);
        assert_eq!(open(frames(&[&address, b"", b"{}", b"more"])), None);
        assert_eq!(open(frames(&[b"{}"])), None);
    }

    #[test]
    fn a_reply_to_another_request_is_not_taken_for_ones_own() {
        let request = Request::new("mine", &Ping::default());
        let reply = |id: &str| format!(r#"{{"id":{id},"status":"success","result":{{}}}}"#);
        assert!(read(&request, reply("\"mine\"").as_bytes()).is_ok());
        assert!(read(&request, reply("null").as_bytes()).is_ok());
        assert!(read(&request, reply("\"yours\"").as_bytes()).is_err());
        assert!(read(&request, b"{").is_err());
    }
}
