//! The three shapes of message: request, reply, event.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::command::Command;
use crate::error::{ErrorType, Failure};
use crate::limits::MAX_ID_CHARS;
use crate::time::{self, Timestamp};
use crate::version::Version;

/// Something to be done once. The `id` makes it idempotent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// Chosen by the sender; 1 to [`MAX_ID_CHARS`] characters.
    pub id: String,
    /// Name of the command.
    pub command: String,
    /// Parameters by name.
    pub parameters: Map<String, Value>,
    /// What the sender speaks.
    pub version: Version,
}

impl Request {
    /// A request for a command, in the current version.
    #[must_use]
    pub fn new<C: Command>(id: impl Into<String>, command: &C) -> Self {
        let parameters = match serde_json::to_value(command) {
            Ok(Value::Object(parameters)) => parameters,
            // Parameter types are structs with string keys: they always become objects.
            _ => Map::new(),
        };
        Self {
            id: id.into(),
            command: C::NAME.to_owned(),
            parameters,
            version: Version::CURRENT,
        }
    }

    /// Whether an id may be used: not empty and not too long.
    #[must_use]
    pub fn is_valid_id(id: &str) -> bool {
        !id.is_empty() && (id.len() <= MAX_ID_CHARS || id.chars().count() <= MAX_ID_CHARS)
    }
}

/// How a request ended: a result, or a failure.
pub type Outcome<T = Value> = Result<T, Failure>;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The id of the request; none when the request had no readable one.
    pub id: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// The life of the image that answers; empty when the daemon answers without one.
    pub instance: String,
    /// When it was answered.
    pub timestamp: Timestamp,
}

impl Reply {
    /// A reply made now.
    #[must_use]
    pub fn new(id: Option<String>, outcome: Outcome, instance: impl Into<String>) -> Self {
        Self {
            id,
            outcome,
            instance: instance.into(),
            timestamp: time::now(),
        }
    }
}

/// A reply as its JSON keys.
#[derive(Serialize, Deserialize)]
struct ReplyKeys<'a> {
    #[serde(default)]
    id: Option<Cow<'a, str>>,
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Cow<'a, Value>>,
    // The keys of a [`Failure`], each for itself: flattening it would have every reply read twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_type: Option<ErrorType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Cow<'a, Map<String, Value>>>,
    #[serde(default)]
    instance: Cow<'a, str>,
    #[serde(default = "time::now")]
    timestamp: Timestamp,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Error,
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (result, failure) = match &self.outcome {
            Ok(result) => (Some(result), None),
            Err(failure) => (None, Some(failure)),
        };
        ReplyKeys {
            id: self.id.as_deref().map(Cow::Borrowed),
            status: match failure {
                None => Status::Success,
                Some(_) => Status::Error,
            },
            result: result.map(Cow::Borrowed),
            error: failure.map(|failure| Cow::Borrowed(failure.error.as_str())),
            error_type: failure.map(|failure| failure.error_type),
            details: failure.map(|failure| Cow::Borrowed(&failure.details)),
            instance: Cow::Borrowed(&self.instance),
            timestamp: self.timestamp,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = ReplyKeys::deserialize(deserializer)?;
        let outcome = match (keys.status, keys.error, keys.error_type) {
            (Status::Success, ..) => Ok(keys.result.map(Cow::into_owned).unwrap_or_default()),
            (Status::Error, Some(error), Some(error_type)) => Err(Failure {
                error: error.into_owned(),
                error_type,
                details: keys.details.map(Cow::into_owned).unwrap_or_default(),
            }),
            (Status::Error, ..) => {
                return Err(serde::de::Error::custom(
                    "an error reply needs error and error_type",
                ));
            }
        };
        Ok(Self {
            id: keys.id.map(Cow::into_owned),
            outcome,
            instance: keys.instance.into_owned(),
            timestamp: keys.timestamp,
        })
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing.
    pub event: EventName,
    /// The life of the image it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Counts the image's events from 1 for each instance; a hole is a lost event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Position in the session's log; set by the daemon on the client link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The session's id in the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The evaluation that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
    /// Depends on the event.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// When it happened.
    #[serde(default = "time::now")]
    pub timestamp: Timestamp,
}

impl Event {
    /// An event of now with the keys of `data` (a struct or a JSON object).
    #[must_use]
    pub fn new(event: EventName, data: &impl Serialize) -> Self {
        let data = match serde_json::to_value(data) {
            Ok(Value::Object(keys)) => keys,
            _ => Map::new(),
        };
        Self {
            event,
            instance: None,
            seq: None,
            position: None,
            session_id: None,
            evaluation_id: None,
            data,
            timestamp: time::now(),
        }
    }

    /// The data as its type, when it is of that type.
    #[must_use]
    pub fn data_as<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        serde_json::from_value(Value::Object(self.data.clone())).ok()
    }
}

/// The kinds of event. An unknown one is kept by its name, so that old readers pass it on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventName {
    /// Text that an evaluation wrote: [`crate::image::OutputData`].
    Output,
    /// An evaluation began.
    EvaluationStarted,
    /// An evaluation ended: [`crate::image::EvaluationFinishedData`].
    EvaluationFinished,
    /// A session was made.
    SessionCreated,
    /// A session was closed.
    SessionClosed,
    /// Text of no session: [`crate::image::OutputData`].
    Transcript,
    /// The image begins to save itself and will not answer for a while.
    ImageSaving,
    /// The image has saved itself.
    ImageSaved,
    /// The image is alive.
    Heartbeat,
    /// First line on the client link: [`crate::daemon::HelloData`].
    Hello,
    /// Part of a log is gone: [`crate::daemon::GapData`].
    Gap,
    /// A waiting evaluation's place in the queue: [`crate::daemon::QueuePositionData`].
    QueuePosition,
    /// Somebody attached to the session: [`crate::daemon::AttachedClient`].
    Attached,
    /// Somebody left the session: [`crate::daemon::AttachedClient`].
    Detached,
    /// The session has a new name: [`crate::daemon::RenamedData`].
    SessionRenamed,
    /// The session is shared with others than before: [`crate::daemon::Sharing`].
    SessionShared,
    /// The image's state changed: [`crate::daemon::ImageStatus`].
    ImageState,
    /// A client has fallen behind with reading, or has caught up: [`crate::daemon::LaggingData`].
    Lagging,
    /// An operator holds new work back: [`crate::daemon::Paused`].
    Paused,
    /// New work goes on.
    Resumed,
    /// The daemon disconnects this client: [`crate::daemon::GoodbyeData`].
    Goodbye,
    /// How the daemon's store is has changed: [`crate::daemon::StoreStatus`].
    StoreState,
    /// The daemon goes away.
    ShuttingDown,
    /// An event that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl EventName {
    /// The name on the wire; also the topic on the event link.
    #[must_use]
    pub fn topic(&self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            // Every variant is written as a string.
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failure_lies_flat_in_its_reply() {
        let failure = Failure::new(ErrorType::SessionNotFound, "no such session").with("id", "x");
        let reply = Reply::new(Some("7".into()), Err(failure), "i");
        let text = serde_json::to_value(&reply).unwrap();
        assert_eq!(text["status"], "error");
        assert_eq!(text["error_type"], "SessionNotFound");
        assert_eq!(text["details"], json!({"id": "x"}));
        assert_eq!(text.get("result"), None);
        assert_eq!(serde_json::from_value::<Reply>(text).unwrap(), reply);
    }

    #[test]
    fn an_error_reply_without_a_type_is_refused() {
        let text = json!({"id": "7", "status": "error", "error": "?"});
        assert!(serde_json::from_value::<Reply>(text).is_err());
    }

    #[test]
    fn an_event_of_the_future_keeps_its_name() {
        let text = json!({"event": "weather", "data": {"rain": true}});
        let event: Event = serde_json::from_value(text).unwrap();
        assert_eq!(event.event, EventName::Other("weather".into()));
        assert_eq!(event.event.topic(), "weather");
        assert_eq!(EventName::EvaluationFinished.topic(), "evaluation_finished");
    }

    #[test]
    fn ids_are_counted_in_characters() {
        assert!(Request::is_valid_id(&"é".repeat(MAX_ID_CHARS)));
        assert!(!Request::is_valid_id(&"x".repeat(MAX_ID_CHARS + 1)));
        assert!(!Request::is_valid_id(""));
    }
}
