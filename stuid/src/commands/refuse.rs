//! Commands of the protocol that this daemon does not do.

use stui_protocol::{ErrorType, Failure};

use super::Asked;

pub(super) fn serve(asked: Asked, command: &str) {
    let advice = match command {
        "share_session" => "a session can be used by its owner only",
        _ => "use signals: SIGTERM ends the daemon",
    };
    asked.responder.answer(Err(Failure::new(
        ErrorType::UnsupportedOperation,
        format!("this daemon does not do {command}: {advice}"),
    )));
}
