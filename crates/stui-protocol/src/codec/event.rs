//! The event link: a topic frame and a JSON frame.

use super::{DecodeError, from_bytes, to_bytes};
use crate::message::Event;

/// The two frames of an event: topic and body.
#[must_use]
pub fn encode_event(event: &Event) -> (Vec<u8>, Vec<u8>) {
    (event.event.topic().into_bytes(), to_bytes(event))
}

/// Reads the two frames of an event. The topic must be the event's name.
///
/// # Errors
/// When the body is no event, or one of another name than the topic.
pub fn decode_event(topic: &[u8], body: &[u8]) -> Result<Event, DecodeError> {
    let event: Event = from_bytes(body)?;
    if event.event.topic().as_bytes() == topic {
        Ok(event)
    } else {
        Err(DecodeError::Malformed(
            "its topic is not its event's name".to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::OutputData;
    use crate::message::EventName;

    #[test]
    fn an_event_comes_back_from_its_frames() {
        let event = Event::new(EventName::Output, &OutputData::new("héllo\n"));
        let (topic, body) = encode_event(&event);
        assert_eq!(topic, b"output");
        assert_eq!(decode_event(&topic, &body), Ok(event));
        assert!(decode_event(b"other", &body).is_err());
        assert!(decode_event(&topic, b"{}").is_err());
    }
}
