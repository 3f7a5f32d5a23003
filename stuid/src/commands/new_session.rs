//! `new_session`: make a session, with a name or a made-up one.

use stui_protocol::Failure;
use stui_protocol::daemon::{NewSession, SessionResult};

use super::Asked;

pub(super) async fn serve(asked: Asked, command: NewSession) {
    let outcome = make(&asked, command).await;
    asked.responder.result(outcome);
}

async fn make(asked: &Asked, command: NewSession) -> Result<SessionResult, Failure> {
    let sessions = &asked.services.sessions;
    let session = sessions.add(asked.client.peer.uid, command.name.as_deref(), None)?;
    sessions.open_new(&session).await?;
    Ok(SessionResult {
        session: session.describe(),
    })
}
