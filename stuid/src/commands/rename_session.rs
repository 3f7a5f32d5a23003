//! `rename_session`: give a session another name.

use stui_protocol::Failure;
use stui_protocol::daemon::{RenameSession, SessionResult};

use super::Asked;
use crate::session::Access;

pub(super) async fn serve(asked: Asked, command: RenameSession) {
    let outcome = rename(&asked, &command);
    asked.responder.result(outcome);
}

fn rename(asked: &Asked, command: &RenameSession) -> Result<SessionResult, Failure> {
    let session = asked.find_for(Access::Own, &command.session)?;
    asked.services.sessions.rename(&session, &command.name)?;
    Ok(SessionResult {
        session: session.describe(),
    })
}
