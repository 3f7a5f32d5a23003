//! `close_session`: the image's word for `kill_session`.

use serde_json::{Map, Value};
use stui_protocol::image::CloseSessionResult;
use stui_protocol::{Command, Failure, image::CloseSession};

use super::Asked;

pub(super) async fn serve(asked: Asked, given: &Map<String, Value>) {
    let outcome = close(&asked, given).await;
    asked.responder.result(outcome);
}

async fn close(asked: &Asked, given: &Map<String, Value>) -> Result<CloseSessionResult, Failure> {
    let session = asked.session(given)?;
    let session = session.ok_or_else(|| Failure::missing(CloseSession::NAME, "session"))?;
    let closed = asked.services.sessions.kill(&session).await?;
    Ok(CloseSessionResult {
        session_id: closed.session_id,
        closed: true,
    })
}
