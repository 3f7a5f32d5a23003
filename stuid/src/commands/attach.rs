//! `attach`: join a session; its log from a position follows, then its events as they happen.

use stui_protocol::Failure;
use stui_protocol::daemon::{Attach, AttachMode, AttachResult, AttachedClient};

use super::Asked;
use crate::connection::{Attachment, Switch};
use crate::origin::Origin;
use crate::session::Access;

pub(super) async fn serve(asked: Asked, attach: Attach) {
    let outcome = join(&asked, attach).await;
    match outcome {
        Ok((result, attachment)) => asked
            .responder
            .result_and(Ok(result), Switch::Attach(attachment)),
        Err(failure) => asked.responder.answer(Err(failure)),
    }
}

async fn join(asked: &Asked, attach: Attach) -> Result<(AttachResult, Attachment), Failure> {
    let sessions = &asked.services.sessions;
    let peer = asked.client.peer;
    let session = match attach.create {
        true => sessions.find_or_add(peer, &attach.session)?,
        false => sessions.find(peer, &attach.session)?,
    };
    session.allow(peer, needed(attach.mode))?;
    if attach.recreate {
        session.allow(peer, Access::Drive)?;
    }
    let begins = attach.create && session.access(peer) >= Access::Drive;
    let mut opened = None;
    if let Some(loss) = session.loss() {
        opened = match (attach.recreate, begins, attach.mode) {
            (true, _, _) => Some(session.recreate().await?),
            (false, true, _) => Some(sessions.open_new(&session).await?),
            (false, false, AttachMode::Drive) => return Err(loss),
            // Its log can be looked at.
            (false, false, AttachMode::Watch) => None,
        };
    } else if begins || session.is_new() {
        opened = Some(sessions.open_new(&session).await?);
    }
    let created = opened.as_ref().is_some_and(|opened| opened.created);
    let origin = Origin::of(peer.pid);
    let said = attach.terminal.map(|name| shorten(&name));
    session.attach(
        &AttachedClient {
            client: asked.client.number,
            pid: peer.pid,
            uid: peer.uid,
            mode: attach.mode,
            terminal: origin.terminal.or(said),
            command: origin.command,
            reason: None,
            lagging: false,
        },
        attach.steal,
    )?;
    asked.client.join(&session);
    let position = session.log.end().position;
    let result = AttachResult {
        session: session.describe(),
        position,
        created,
        recreated: opened.and_then(|opened| opened.recreated),
    };
    let after = attach.since.unwrap_or(position).min(position);
    Ok((result, Attachment::new(session, after)))
}

fn needed(mode: AttachMode) -> Access {
    match mode {
        AttachMode::Drive => Access::Drive,
        AttachMode::Watch => Access::Watch,
    }
}

fn shorten(terminal: &str) -> String {
    let shown = terminal.chars().filter(|c| !c.is_control());
    shown.take(MOST_TERMINAL_CHARS).collect()
}

/// Characters of a terminal's name that are kept.
const MOST_TERMINAL_CHARS: usize = 64;
