//! Whether a client may use the ids that it names: those of kept objects, of debug sessions and of
//! saved contexts belong to a session, and so to its user. The image knows no users; it is asked
//! only when that is clear.

use std::sync::Arc;

use serde_json::{Map, Value};
use stui_protocol::image::{GetContextSummary, LoadContext};
use stui_protocol::{Command, ErrorType, Failure};
use tokio::time::Instant;

use super::Asked;
use crate::session::{Access, Holder, Session, ids};

/// The session whose ids the parameters name; `named` is the one that they name by itself. None
/// when they name none, or those of code that ran without a session.
///
/// # Errors
/// `ObjectNotFound` or `DebugSessionNotFound` for an id that is somebody else's, or that nobody
/// knows and whose session is not named; `PermissionDenied` for one of a session that the client
/// may only look at.
pub(super) fn session_of_ids(
    asked: &Asked,
    given: &Map<String, Value>,
    named: Option<Arc<Session>>,
) -> Result<Option<Arc<Session>>, Failure> {
    let mut found = named;
    for (unknown, id) in ids(given) {
        let holder = asked.services.sessions.holdings().holder(id);
        found = match (holder, found) {
            (Some(Holder::Session(key)), Some(named)) if named.key == key => Some(named),
            (Some(Holder::Session(key)), None) => Some(session_of(asked, key, unknown, id)?),
            (Some(Holder::User(uid)), None) if uid == asked.client.peer.uid => None,
            // The image looks whether it is of that session.
            (None, Some(named)) => Some(named),
            (Some(_), _) | (None, None) => return Err(nobodys(unknown, id)),
        };
    }
    Ok(found)
}

fn session_of(
    asked: &Asked,
    key: u64,
    unknown: ErrorType,
    id: &str,
) -> Result<Arc<Session>, Failure> {
    let mut seen = asked
        .services
        .sessions
        .visible_to(asked.client.peer)
        .into_iter();
    seen.find(|session| session.key == key)
        .ok_or_else(|| nobodys(unknown, id))
}

/// What the image says of an id that it does not know, in the words of the daemon: nobody shall
/// learn from them whether the id is somebody else's.
pub(super) fn as_unknown(given: &Map<String, Value>, failure: Failure) -> Failure {
    let mut asked = ids(given);
    match asked.find(|(unknown, _)| *unknown == failure.error_type) {
        Some((unknown, id)) => nobodys(unknown, id),
        None => failure,
    }
}

/// The same for what is not there and for what is not the client's.
fn nobodys(unknown: ErrorType, id: &str) -> Failure {
    let (what, key) = match unknown {
        ErrorType::ObjectNotFound => ("object", "object_id"),
        ErrorType::ContextNotFound => ("saved context", "context_id"),
        _ => ("debug session", "debug_session_id"),
    };
    let shown: String = id.chars().take(64).collect();
    Failure::new(
        unknown,
        format!("no {what} of that id is known (any more); naming its session may help"),
    )
    .with(key, shown)
}

/// Lets the client load a context that was saved in this session, or in another one that it may
/// use. Asks the image which those are.
///
/// # Errors
/// `ContextNotFound`, also for contexts of sessions that are not the client's.
pub(super) async fn check_context(
    asked: &Asked,
    command: &str,
    given: &Map<String, Value>,
    session: Option<&Arc<Session>>,
    deadline: Instant,
) -> Result<(), Failure> {
    let id = given.get("context_id").and_then(Value::as_str);
    let (LoadContext::NAME, Some(id), Some(session)) = (command, id, session) else {
        return Ok(());
    };
    let peer = asked.client.peer;
    let mut others = asked.services.sessions.visible_to(peer);
    others.retain(|each| each.key != session.key && each.access(peer) >= Access::Drive);
    let mut usable = std::iter::once(Arc::clone(session)).chain(others);
    let known = |each: &Arc<Session>| {
        each.saved_context()
            .is_some_and(|saved| saved.context_id == id)
    };
    if usable.clone().any(|each| known(&each)) {
        return Ok(());
    }
    for each in usable.by_ref() {
        // One that is lost lists nothing.
        let Ok(session_id) = each.usable_id() else {
            continue;
        };
        let ask = GetContextSummary { session_id };
        let summary = asked.image().ask(&ask, deadline).await;
        let saved = summary.map(|summary| summary.saved_contexts);
        let saved = saved.or_else(|failure| match failure.error_type {
            ErrorType::SessionNotFound | ErrorType::SessionExpired => Ok(Vec::new()),
            _ => Err(failure),
        })?;
        if saved.iter().any(|context| context.context_id == id) {
            return Ok(());
        }
    }
    Err(nobodys(ErrorType::ContextNotFound, id))
}
