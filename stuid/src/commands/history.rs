//! `history`: past evaluations of a session.

use stui_protocol::daemon::{History, HistoryResult};

use super::Asked;

/// Evaluations that are answered unless the request says otherwise.
const DEFAULT_LIMIT: usize = 100;

pub(super) async fn serve(asked: Asked, command: History) {
    let limit = command.limit.unwrap_or(DEFAULT_LIMIT);
    let outcome = asked.find(&command.session).map(|session| HistoryResult {
        evaluations: session.history(command.grep.as_deref(), limit),
    });
    asked.responder.result(outcome);
}
