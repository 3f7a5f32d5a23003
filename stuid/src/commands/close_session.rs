//! `close_session`: the image's word for `kill_session`.

use serde_json::{Map, Value};
use stui_protocol::image::CloseSessionResult;
use stui_protocol::{Command, Failure, image::CloseSession};

use super::{Asked, session_key};

pub(super) async fn serve(asked: Asked, given: &Map<String, Value>) {
    let outcome = close(&asked, given).await;
    asked.responder.result(outcome);
}

async fn close(asked: &Asked, given: &Map<String, Value>) -> Result<CloseSessionResult, Failure> {
    let wanted = session_key(given)?;
    let wanted = wanted.ok_or_else(|| Failure::missing(CloseSession::NAME, "session"))?;
    let sessions = &asked.services.sessions;
    let session = sessions.find_to_kill(asked.client.peer, wanted)?;
    let closed = sessions.kill(&session).await?;
    Ok(CloseSessionResult {
        session_id: closed.session_id,
        closed: true,
    })
}
