//! `list_sessions`: the sessions that the client may see.

use stui_protocol::daemon::ListSessionsResult;

use super::Asked;

pub(super) fn serve(asked: Asked) {
    let peer = asked.client.peer;
    let seen = asked.services.sessions.listed_to(peer);
    let sessions = seen.iter().map(|each| each.describe_to(peer)).collect();
    asked.responder.result(Ok(ListSessionsResult { sessions }));
}
