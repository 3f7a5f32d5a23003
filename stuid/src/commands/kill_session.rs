//! `kill_session`: end a session; an evaluation under way is terminated.

use stui_protocol::Failure;
use stui_protocol::daemon::{KillSession, SessionResult};

use super::Asked;

pub(super) async fn serve(asked: Asked, command: KillSession) {
    let outcome = kill(&asked, &command).await;
    asked.responder.result(outcome);
}

async fn kill(asked: &Asked, command: &KillSession) -> Result<SessionResult, Failure> {
    let sessions = &asked.services.sessions;
    let session = sessions.find_to_kill(asked.client.peer, &command.session)?;
    let session = sessions.kill(&session).await?;
    Ok(SessionResult { session })
}
