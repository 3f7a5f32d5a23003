//! The image link: one JSON document per ZeroMQ message body.

use serde_json::{Map, Value};

use super::{DecodeError, from_bytes, to_bytes, too_large};
use crate::error::{ErrorType, Failure};
use crate::limits::{MAX_ID_CHARS, MAX_MESSAGE_BYTES};
use crate::message::{Reply, Request};
use crate::version::Version;

/// A request that cannot be served, with the id to answer it under when one was readable.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// The request's id.
    pub id: Option<String>,
    /// Why.
    pub failure: Failure,
}

impl Rejected {
    /// The reply that tells it.
    #[must_use]
    pub fn into_reply(self, instance: impl Into<String>) -> Reply {
        Reply::new(self.id, Err(self.failure), instance)
    }
}

/// Reads a request and checks its id and version.
///
/// # Errors
/// [`Rejected`] with `MessageTooLarge`, `InvalidRequest` or `UnsupportedVersion`.
pub fn decode_request(bytes: &[u8]) -> Result<Request, Rejected> {
    let reject = |id, failure| Rejected { id, failure };
    let mut keys = match from_bytes::<Value>(bytes) {
        Ok(Value::Object(keys)) => keys,
        Ok(_) => return Err(reject(None, invalid("it is no JSON object"))),
        Err(error) => return Err(reject(None, error.into())),
    };
    let id = take_id(&mut keys).map_err(|failure| reject(None, failure))?;
    read_keys(&mut keys)
        .map(|(command, parameters, version)| Request {
            id: id.clone(),
            command,
            parameters,
            version,
        })
        .map_err(|failure| reject(Some(id), failure))
}

fn invalid(why: &str) -> Failure {
    Failure::new(
        ErrorType::InvalidRequest,
        format!("this is no request: {why}"),
    )
}

fn take_id(keys: &mut Map<String, Value>) -> Result<String, Failure> {
    match keys.remove("id") {
        Some(Value::String(id)) if Request::is_valid_id(&id) => Ok(id),
        Some(Value::String(_)) => Err(invalid(&format!(
            "its id must have 1 to {MAX_ID_CHARS} characters"
        ))),
        Some(_) => Err(invalid("its id must be a string")),
        None => Err(invalid("it has no id")),
    }
}

fn read_keys(
    keys: &mut Map<String, Value>,
) -> Result<(String, Map<String, Value>, Version), Failure> {
    let version = match keys.remove("version") {
        None | Some(Value::Null) => Version::V1_0,
        Some(Value::String(text)) => text
            .parse()
            .map_err(|wrong| invalid(&format!("its version is wrong: {wrong}")))?,
        Some(_) => return Err(invalid("its version must be a string such as \"1.1\"")),
    };
    version.check()?;
    let Some(Value::String(command)) = keys.remove("command") else {
        return Err(invalid("its command must be a string"));
    };
    let parameters = match keys.remove("parameters") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(parameters)) => parameters,
        Some(_) => return Err(invalid("its parameters must be an object")),
    };
    Ok((command, parameters, version))
}

/// Writes a request.
///
/// # Errors
/// `MessageTooLarge`; nothing may be sent then.
pub fn encode_request(request: &Request) -> Result<Vec<u8>, Failure> {
    let bytes = to_bytes(request);
    if bytes.len() > MAX_MESSAGE_BYTES {
        Err(too_large(bytes.len()))
    } else {
        Ok(bytes)
    }
}

/// Reads a reply.
///
/// # Errors
/// When the bytes are none; the peer violates the protocol then.
pub fn decode_reply(bytes: &[u8]) -> Result<Reply, DecodeError> {
    from_bytes(bytes)
}

/// Writes a reply. One that would be too large becomes a `MessageTooLarge` failure: a request is
/// always answered.
#[must_use]
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    let bytes = to_bytes(reply);
    if bytes.len() <= MAX_MESSAGE_BYTES {
        return bytes;
    }
    let failure = too_large(bytes.len());
    to_bytes(&Reply {
        outcome: Err(failure),
        ..reply.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rejected(bytes: &[u8]) -> Rejected {
        decode_request(bytes).unwrap_err()
    }

    #[test]
    fn a_body_that_is_no_object_is_answered_without_an_id() {
        let deep = "[".repeat(10_000);
        for body in [
            "",
            "null",
            "[]",
            "\"x\"",
            "{",
            "{\"id\":\"1\"}x",
            "\u{feff}{}",
            &deep,
        ] {
            let rejected = rejected(body.as_bytes());
            assert_eq!(rejected.id, None, "{body:.20}");
            assert_eq!(
                rejected.failure.error_type,
                ErrorType::InvalidRequest,
                "{body:.20}"
            );
        }
        assert_eq!(
            rejected(b"\xff\xfe").failure.error_type,
            ErrorType::InvalidRequest
        );
    }

    #[test]
    fn a_body_over_the_limit_is_too_large_whatever_it_holds() {
        let rejected = rejected(&vec![b' '; MAX_MESSAGE_BYTES + 1]);
        assert_eq!(rejected.failure.error_type, ErrorType::MessageTooLarge);
        assert_eq!(rejected.failure.details["limit"], MAX_MESSAGE_BYTES);
    }

    #[test]
    fn what_can_be_read_of_a_wrong_request_names_it() {
        for (wrong, error_type) in [
            (json!({"id": "7"}), ErrorType::InvalidRequest),
            (json!({"id": "7", "command": 3}), ErrorType::InvalidRequest),
            (
                json!({"id": "7", "command": "ping", "parameters": []}),
                ErrorType::InvalidRequest,
            ),
            (
                json!({"id": "7", "command": "ping", "version": 1.1}),
                ErrorType::InvalidRequest,
            ),
            (
                json!({"id": "7", "command": "ping", "version": "2.0"}),
                ErrorType::UnsupportedVersion,
            ),
        ] {
            let rejected = rejected(wrong.to_string().as_bytes());
            assert_eq!(rejected.id.as_deref(), Some("7"), "{wrong}");
            assert_eq!(rejected.failure.error_type, error_type, "{wrong}");
        }
    }

    #[test]
    fn a_request_without_version_is_a_1_0_request() {
        let request = decode_request(br#"{"id": "7", "command": "ping", "later": 1}"#).unwrap();
        assert_eq!(request.version, Version::V1_0);
        assert!(request.parameters.is_empty());
    }

    #[test]
    fn a_reply_that_would_be_too_large_says_so_instead() {
        let result = json!({"text": "x".repeat(MAX_MESSAGE_BYTES)});
        let bytes = encode_reply(&Reply::new(Some("7".into()), Ok(result), "i"));
        let reply = decode_reply(&bytes).unwrap();
        assert_eq!(reply.id.as_deref(), Some("7"));
        assert_eq!(
            reply.outcome.unwrap_err().error_type,
            ErrorType::MessageTooLarge
        );
    }
}
