//! `share_session`: let others use a session, or its owner alone again.

use stui_protocol::Failure;
use stui_protocol::daemon::{Audience, SessionResult, ShareSession, Sharing};

use super::Asked;
use crate::session::Access;

pub(super) async fn serve(asked: Asked, command: ShareSession) {
    let outcome = share(&asked, &command);
    asked.responder.result(outcome);
}

fn share(asked: &Asked, command: &ShareSession) -> Result<SessionResult, Failure> {
    let session = asked.find_for(Access::Own, &command.session)?;
    let peer = asked.client.peer;
    let with = match command.with.as_str() {
        "group" => Audience::Group(peer.gid),
        other => other.parse().map_err(|why| Failure::invalid("with", why))?,
    };
    tracing::info!(%with, mode = ?command.mode, owner = session.owner, "a session is shared");
    session.share(&Sharing {
        with,
        mode: command.mode,
    });
    Ok(SessionResult {
        session: session.describe(),
    })
}
