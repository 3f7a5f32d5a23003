//! The commands that the daemon answers itself, on the client link.
//!
//! Image commands travel on the client link, too, with `session` (a name or an id) where the image
//! link has `session_id`; see [`ClientCommand`].

mod admin;
mod control;
mod session;
mod sharing;

pub use admin::*;
pub use control::*;
pub use session::*;
pub use sharing::*;

use serde_json::{Map, Value};

use crate::command::{command_enum, unknown_command};
use crate::error::Failure;
use crate::image::ImageCommand;

command_enum! {
    /// A command to the daemon.
    DaemonCommand {
        Attach, Detach, NewSession, ListSessions, RenameSession, KillSession, ShareSession,
        Submit, Await, History, Log, Status, Subscribe, Admin,
    }
}

/// A command on the client link: the daemon's own, or one that it carries to the image.
///
/// `list_sessions` is the daemon's here: it knows more about sessions than the image does.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientCommand {
    /// Answered by the daemon.
    Daemon(DaemonCommand),
    /// Carried to the image.
    Image(ImageCommand),
}

impl ClientCommand {
    /// Reads a command of the client link. `session` must have been turned into `session_id` for
    /// image commands already.
    ///
    /// # Errors
    /// `UnknownCommand`, `MissingParameter`, `InvalidParameter`.
    pub fn parse(name: &str, parameters: Map<String, Value>) -> Result<Self, Failure> {
        if DaemonCommand::NAMES.contains(&name) {
            if let Some(command) = DaemonCommand::parse(name, parameters) {
                return command.map(Self::Daemon);
            }
        } else if let Some(command) = ImageCommand::parse(name, parameters) {
            return command.map(Self::Image);
        }
        Err(unknown_command(
            name,
            DaemonCommand::NAMES.iter().chain(ImageCommand::NAMES),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    #[test]
    fn a_misspelt_command_is_told_the_nearest() {
        let failure = ClientCommand::parse("evalute", Map::new()).unwrap_err();
        assert_eq!(failure.details["nearest"], "evaluate");
        let failure = ClientCommand::parse("frobnicate", Map::new()).unwrap_err();
        assert_eq!(failure.error_type, ErrorType::UnknownCommand);
        assert!(failure.details.is_empty());
    }

    #[test]
    fn a_required_parameter_that_is_absent_or_null_is_named() {
        for parameters in [serde_json::json!({}), serde_json::json!({"code": null})] {
            let Value::Object(parameters) = parameters else {
                unreachable!()
            };
            let failure = ClientCommand::parse("evaluate", parameters).unwrap_err();
            assert_eq!(failure.error_type, ErrorType::MissingParameter);
            assert_eq!(failure.details["parameter"], "code");
        }
    }

    #[test]
    fn a_parameter_of_the_wrong_kind_is_named() {
        let Value::Object(parameters) = serde_json::json!({"code": "1", "wait_ms": "soon"}) else {
            unreachable!()
        };
        let failure = ClientCommand::parse("evaluate", parameters).unwrap_err();
        assert_eq!(failure.error_type, ErrorType::InvalidParameter);
        assert_eq!(failure.details["parameter"], "wait_ms");
    }
}
