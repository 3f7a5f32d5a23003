//! `list_sessions`: the sessions that the client may see.

use stui_protocol::daemon::ListSessionsResult;

use super::Asked;

pub(super) fn serve(asked: Asked) {
    let seen = asked.services.sessions.visible_to(asked.client.peer);
    let sessions = seen.iter().map(|session| session.describe()).collect();
    asked.responder.result(Ok(ListSessionsResult { sessions }));
}
