//! Image commands that the daemon carries as they are, with `session` turned into the session's
//! id in the image. The image checks the other parameters; it knows them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use stui_protocol::image::{ContextResult, ListClientSessions, SaveContext};
use stui_protocol::message::Outcome;
use stui_protocol::{Command, ErrorType, Failure, Request, Version};
use tokio::time::Instant;

use super::{Asked, guarding};
use crate::identity::uid_of;
use crate::image::new_id;
use crate::session::{Access, Holder, Session};
use crate::store::SavedRecord;

/// What is carried although an operator holds new work back: whether the image is there can
/// always be asked. `interrupt` and `close_session`, the other commands of control, are the
/// daemon's own.
const CONTROL: [&str; 1] = ["ping"];

pub(super) async fn serve(asked: Asked, command: String, given: Map<String, Value>) {
    let outcome = carry(&asked, command, given).await;
    asked.responder.answer(outcome);
}

async fn carry(asked: &Asked, command: String, mut given: Map<String, Value>) -> Outcome {
    let named = asked.session(&given)?;
    let session = guarding::session_of_ids(asked, &given, named)?;
    given.remove("session");
    if let Some(session) = &session {
        session.allow(asked.client.peer, Access::Drive)?;
        given.insert("session_id".into(), session.usable_id()?.into());
    }
    if command == ListClientSessions::NAME {
        own_sessions_only(asked, &mut given)?;
    }
    let request = Request {
        id: new_id(),
        command,
        parameters: given,
        version: Version::CURRENT,
    };
    let mut deadline = Instant::now() + asked.services.request_timeout();
    let mut _pass = None;
    if !CONTROL.contains(&request.command.as_str()) {
        let notice = asked.notice();
        let entered = asked
            .services
            .gate
            .enter(deadline, |paused| notice.tell(paused));
        let (pass, later) = entered.await?;
        (_pass, deadline) = (Some(pass), later);
    }
    let Request {
        command: name,
        parameters,
        ..
    } = &request;
    guarding::check_context(asked, name, parameters, session.as_ref(), deadline).await?;
    let reply = asked.image().call(&request, deadline).await?;
    match &reply.outcome {
        Ok(result) if request.command == SaveContext::NAME => {
            notice_saved(session.as_ref(), result);
        }
        // A failure repeats ids as they were asked for.
        Ok(_) => {
            let holder = match &session {
                Some(session) => Holder::Session(session.key),
                None => Holder::User(asked.client.peer.uid),
            };
            let holdings = asked.services.sessions.holdings();
            holdings.note(&reply.outcome, holder);
        }
        Err(failure) => notice_loss(session.as_ref(), failure),
    }
    reply
        .outcome
        .map_err(|failure| guarding::as_unknown(&request.parameters, failure))
}

/// A session that is lost later can be made anew with it.
fn notice_saved(session: Option<&Arc<Session>>, result: &Value) {
    let saved = ContextResult::deserialize(result);
    if let (Some(session), Ok(saved)) = (session, saved) {
        session.saved(SavedRecord {
            context_id: saved.context_id,
            saved_at: saved.saved_at,
        });
    }
}

/// The daemon's users are the image's clients.
fn own_sessions_only(asked: &Asked, given: &mut Map<String, Value>) -> Result<(), Failure> {
    let peer = asked.client.peer;
    match given.get("client_id") {
        None | Some(Value::Null) => {
            given.insert("client_id".into(), peer.client_id().into());
            Ok(())
        }
        Some(Value::String(id)) if uid_of(id) == Some(peer.uid) => Ok(()),
        Some(_) => Err(Failure::new(
            ErrorType::PermissionDenied,
            "client_id must be your own, such as uid:1000; leave it out",
        )),
    }
}

fn notice_loss(session: Option<&Arc<Session>>, failure: &Failure) {
    let gone = [ErrorType::SessionNotFound, ErrorType::SessionExpired];
    if let Some(session) = session
        && gone.contains(&failure.error_type)
    {
        session.lose("the image does not know it any more");
    }
}
