//! Commands of the protocol that this daemon does not do.

use stui_protocol::{ErrorType, Failure};

use super::Asked;

/// `share_session`.
pub(super) fn serve(asked: Asked) {
    asked.responder.answer(Err(Failure::new(
        ErrorType::UnsupportedOperation,
        "this daemon does not do share_session: a session can be used by its owner only",
    )));
}
