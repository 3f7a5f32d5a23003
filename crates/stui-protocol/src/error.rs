//! What can go wrong, in the words of the wire: an [`ErrorType`] for programs, a sentence for
//! people, and details for whoever has to do something next.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::image::{Frame, SyntaxErrorDetails};

/// Why a request failed. The names on the wire are those of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorType {
    /// The message is no request: not JSON, not an object, a key of the wrong kind.
    InvalidRequest,
    /// No command of that name is known here.
    UnknownCommand,
    /// Another major version of the protocol.
    UnsupportedVersion,
    /// Larger than [`crate::limits::MAX_MESSAGE_BYTES`].
    MessageTooLarge,
    /// A parameter that the command needs is absent.
    MissingParameter,
    /// A parameter has the wrong kind or an impossible value.
    InvalidParameter,
    /// The peer may not do that.
    PermissionDenied,
    /// No session of that id or name.
    SessionNotFound,
    /// The session was closed because nobody used it in time.
    SessionExpired,
    /// An evaluation is under way in the session.
    SessionBusy,
    /// The client has as many sessions as it may.
    SessionLimitExceeded,
    /// The code is not Smalltalk; details are [`SyntaxErrorDetails`].
    SyntaxError,
    /// The code failed; details are [`EvaluationErrorDetails`].
    EvaluationError,
    /// The evaluation was interrupted by somebody.
    Interrupted,
    /// The deadline passed.
    Timeout,
    /// No evaluation of that id is known (any more).
    EvaluationNotFound,
    /// No object of that id, or no such part of it.
    ObjectNotFound,
    /// No class of that name.
    ClassNotFound,
    /// The class has no such method.
    MethodNotFound,
    /// No saved context of that id.
    ContextNotFound,
    /// No debug session of that id.
    DebugSessionNotFound,
    /// The command is known, but cannot be done here or now.
    UnsupportedOperation,
    /// A defect of the side that answers.
    InternalError,
    /// The image is known to be down: nothing was sent, it is safe to try again.
    ImageUnavailable,
    /// The image went away after the request was sent: it may or may not have run.
    OutcomeUnknown,
    /// A queue has its full length.
    QueueFull,
    /// The daemon has more to do than it can.
    Overloaded,
    /// The daemon is shutting down.
    ShuttingDown,
}

impl ErrorType {
    /// Every error type, in the order of the protocol page.
    pub const ALL: [Self; 28] = [
        Self::InvalidRequest,
        Self::UnknownCommand,
        Self::UnsupportedVersion,
        Self::MessageTooLarge,
        Self::MissingParameter,
        Self::InvalidParameter,
        Self::PermissionDenied,
        Self::SessionNotFound,
        Self::SessionExpired,
        Self::SessionBusy,
        Self::SessionLimitExceeded,
        Self::SyntaxError,
        Self::EvaluationError,
        Self::Interrupted,
        Self::Timeout,
        Self::EvaluationNotFound,
        Self::ObjectNotFound,
        Self::ClassNotFound,
        Self::MethodNotFound,
        Self::ContextNotFound,
        Self::DebugSessionNotFound,
        Self::UnsupportedOperation,
        Self::InternalError,
        Self::ImageUnavailable,
        Self::OutcomeUnknown,
        Self::QueueFull,
        Self::Overloaded,
        Self::ShuttingDown,
    ];
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variants are named as on the wire.
        fmt::Debug::fmt(self, f)
    }
}

/// A failed request, as its reply tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// One readable sentence.
    pub error: String,
    /// The same for programs.
    pub error_type: ErrorType,
    /// What a person needs next; which keys depends on the type.
    #[serde(default)]
    pub details: Map<String, Value>,
}

impl Failure {
    /// A failure without details.
    #[must_use]
    pub fn new(error_type: ErrorType, error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            error_type,
            details: Map::new(),
        }
    }

    /// The same failure with one more detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// The same failure with all keys of a details type.
    #[must_use]
    pub fn with_details(mut self, details: &impl Serialize) -> Self {
        if let Ok(Value::Object(keys)) = serde_json::to_value(details) {
            self.details.extend(keys);
        }
        self
    }

    /// `MissingParameter` for the parameter of that name.
    #[must_use]
    pub fn missing(command: &str, parameter: &str) -> Self {
        Self::new(
            ErrorType::MissingParameter,
            format!("{command} needs the parameter {parameter}"),
        )
        .with("parameter", parameter)
    }

    /// `InvalidParameter` for the parameter of that name; `why` ends the sentence.
    #[must_use]
    pub fn invalid(parameter: &str, why: impl fmt::Display) -> Self {
        Self::new(
            ErrorType::InvalidParameter,
            format!("the parameter {parameter} is wrong: {why}"),
        )
        .with("parameter", parameter)
    }

    /// The details as their type, when they are of that type.
    #[must_use]
    pub fn details_as<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        serde_json::from_value(Value::Object(self.details.clone())).ok()
    }

    /// Details of a `SyntaxError`.
    #[must_use]
    pub fn syntax_error(&self) -> Option<SyntaxErrorDetails> {
        (self.error_type == ErrorType::SyntaxError)
            .then(|| self.details_as())
            .flatten()
    }
}

/// Details of `EvaluationError`, `Interrupted` and `Timeout`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationErrorDetails {
    /// The evaluation that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
    /// Class of the exception.
    #[serde(default)]
    pub class: String,
    /// Print string of the object that signalled.
    #[serde(default)]
    pub receiver: String,
    /// Frames, innermost first.
    #[serde(default)]
    pub stack: Vec<Frame>,
    /// Set when the failed process was kept for the debugger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_session_id: Option<String>,
    /// What the code wrote to the Transcript before it failed.
    #[serde(default)]
    pub output: String,
    /// Whether `output` was cut.
    #[serde(default)]
    pub truncated: bool,
    /// Milliseconds from start to failure.
    #[serde(default)]
    pub execution_time: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_types_are_written_by_their_names() {
        for error_type in ErrorType::ALL {
            let text = serde_json::to_value(error_type).unwrap();
            assert_eq!(text, Value::String(error_type.to_string()));
        }
    }

    #[test]
    fn details_come_back_as_the_type_they_were_given_as() {
        let details = EvaluationErrorDetails {
            class: "ZeroDivide".into(),
            ..Default::default()
        };
        let failure = Failure::new(ErrorType::EvaluationError, "ZeroDivide").with_details(&details);
        assert_eq!(failure.details_as(), Some(details));
    }
}
