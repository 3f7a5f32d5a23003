//! The client link: one JSON document per line (NDJSON).

use serde::Deserialize;
use serde_json::Value;

use super::{DecodeError, from_bytes, image, to_bytes, too_large};
use crate::error::Failure;
use crate::limits::MAX_MESSAGE_BYTES;
use crate::message::{Event, Reply, Request};

pub use super::image::{Rejected, decode_request};

/// Cuts a stream of bytes into lines and never holds more than one line of the largest size.
///
/// Blank lines are skipped. A line that is too long is told once, as soon as it is, and the rest
/// of it is dropped: the next line is read as usual.
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
    dropping: bool,
}

/// What [`Lines::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A whole line, without its end.
    Whole(Vec<u8>),
    /// A line that is longer than [`MAX_MESSAGE_BYTES`].
    TooLarge,
}

impl Lines {
    /// Takes bytes from the front of `input` until a line is found or the input is used up.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Line> {
        while !input.is_empty() {
            let (part, ended) = match input.iter().position(|byte| *byte == b'\n') {
                Some(end) => (&input[..end], true),
                None => (*input, false),
            };
            *input = &input[part.len() + usize::from(ended)..];
            if let Some(found) = self.take(part, ended) {
                return Some(found);
            }
        }
        None
    }

    fn take(&mut self, part: &[u8], ended: bool) -> Option<Line> {
        if self.dropping {
            self.dropping = !ended;
            return None;
        }
        // One more byte than a message may have: the CR of a CR LF.
        if self.line.len() + part.len() > MAX_MESSAGE_BYTES + 1 {
            self.line = Vec::new();
            self.dropping = !ended;
            return Some(Line::TooLarge);
        }
        self.line.extend_from_slice(part);
        if !ended {
            return None;
        }
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        (!line.trim_ascii().is_empty()).then_some(Line::Whole(line))
    }

    /// Bytes of an unfinished line.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.line.len()
    }
}

impl Line {
    /// Reads the line as a request.
    ///
    /// # Errors
    /// As [`decode_request`]; `MessageTooLarge` for a line that is.
    pub fn request(&self) -> Result<Request, Rejected> {
        match self {
            Self::Whole(bytes) => decode_request(bytes),
            Self::TooLarge => Err(Rejected {
                id: None,
                failure: too_large(MAX_MESSAGE_BYTES + 1),
            }),
        }
    }

    /// Bytes of it that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::TooLarge => 0,
        }
    }

    /// Reads the line as something that the daemon says.
    ///
    /// # Errors
    /// When it is neither a reply nor an event.
    pub fn message(&self) -> Result<Message, DecodeError> {
        match self {
            Self::Whole(bytes) => decode_message(bytes),
            Self::TooLarge => Err(DecodeError::TooLarge(MAX_MESSAGE_BYTES + 1)),
        }
    }
}

/// What the daemon says: lines of the client link, read by clients.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The answer to a request.
    Reply(Reply),
    /// Something that happened.
    Event(Event),
}

/// Reads a line of the daemon: an event when it has the key `event`, else a reply.
///
/// # Errors
/// When it is neither.
pub fn decode_message(bytes: &[u8]) -> Result<Message, DecodeError> {
    let value: Value = from_bytes(bytes)?;
    let malformed = |wrong: serde_json::Error| DecodeError::Malformed(wrong.to_string());
    if value.get("event").is_some() {
        Event::deserialize(value)
            .map(Message::Event)
            .map_err(malformed)
    } else {
        Reply::deserialize(value)
            .map(Message::Reply)
            .map_err(malformed)
    }
}

/// Writes a request as a line.
///
/// # Errors
/// `MessageTooLarge`; nothing may be sent then.
pub fn encode_request(request: &Request) -> Result<Vec<u8>, Failure> {
    image::encode_request(request).map(ended)
}

/// Writes a reply as a line; one that would be too large becomes a failure that says so.
#[must_use]
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    ended(image::encode_reply(reply))
}

/// Writes an event as a line.
#[must_use]
pub fn encode_event(event: &Event) -> Vec<u8> {
    ended(to_bytes(event))
}

fn ended(mut line: Vec<u8>) -> Vec<u8> {
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    fn lines(chunks: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            let mut input = *chunk;
            while let Some(line) = lines.next(&mut input) {
                found.push(line);
            }
        }
        found
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_found_however_the_bytes_arrive() {
        let text: &[u8] = b"{\"a\":1}\r\n\n  \n{}\nrest";
        let expected = [whole("{\"a\":1}"), whole("{}")];
        assert_eq!(lines(&[text]), expected);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes), expected);
    }

    #[test]
    fn a_line_that_is_too_long_is_told_once_and_the_next_is_read() {
        let mib = vec![b'x'; 1024 * 1024];
        let mut chunks: Vec<&[u8]> = vec![&mib; 25];
        chunks.push(b"tail\n{}\n");
        assert_eq!(lines(&chunks), [Line::TooLarge, whole("{}")]);
    }

    #[test]
    fn a_line_of_the_largest_size_is_whole() {
        let mut text = vec![b'x'; MAX_MESSAGE_BYTES];
        text.push(b'\n');
        assert_eq!(lines(&[&text]).len(), 1);
        assert_ne!(lines(&[&text]), [Line::TooLarge]);
        text.insert(0, b'x');
        let found = lines(&[&text]);
        let rejected = found[0].request().unwrap_err();
        assert_eq!(rejected.failure.error_type, ErrorType::MessageTooLarge);
    }

    #[test]
    fn a_line_of_the_daemon_is_a_reply_or_an_event() {
        let event = decode_message(br#"{"event":"heartbeat"}"#).unwrap();
        assert!(matches!(event, Message::Event(_)));
        let reply = decode_message(br#"{"id":"1","status":"success","result":{}}"#).unwrap();
        assert!(matches!(reply, Message::Reply(_)));
        assert!(decode_message(b"{}").is_err());
    }
}
