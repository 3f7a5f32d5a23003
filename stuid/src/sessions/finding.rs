//! Which session somebody means, and which he may know of.

use std::sync::Arc;

use stui_protocol::{ErrorType, Failure};

use super::Sessions;
use crate::identity::Peer;
use crate::session::{Access, Session};

impl Sessions {
    /// The session of that name, or of that id, that the peer may use.
    ///
    /// # Errors
    /// `SessionNotFound`; also for sessions of others, which are not told apart from none.
    /// `SessionExpired` for one that was closed because nobody used it.
    pub fn find(&self, peer: Peer, name_or_id: &str) -> Result<Arc<Session>, Failure> {
        let own = self.table.by_name.get(&(peer.uid, name_or_id.to_owned()));
        if let Some(session) = own {
            return Ok(Arc::clone(&session));
        }
        pick(self.visible_to(peer), name_or_id).map_err(|failure| {
            let gone = failure.error_type == ErrorType::SessionNotFound;
            let tombstone = gone.then(|| self.tombstone(peer, name_or_id)).flatten();
            tombstone.unwrap_or(failure)
        })
    }

    /// As [`Self::find`] for somebody who wants to end it: also any session, for those who operate
    /// the daemon.
    ///
    /// # Errors
    /// As [`Self::find`]; `PermissionDenied` for a session that is only shared with the peer.
    pub fn find_to_kill(&self, peer: Peer, name_or_id: &str) -> Result<Arc<Session>, Failure> {
        let found = match self.find(peer, name_or_id) {
            Err(failure) if !peer.may_operate() => return Err(failure),
            Err(_) => pick(self.all(), name_or_id)?,
            Ok(found) => found,
        };
        if !peer.may_operate() {
            found.allow(peer, Access::Own)?;
        } else if found.owner != peer.uid {
            let (session, owner) = (found.name(), found.owner);
            let (uid, pid) = (peer.uid, peer.pid);
            tracing::warn!(
                session,
                owner,
                uid,
                pid,
                "an operator ends another user's session"
            );
        }
        Ok(found)
    }

    /// All sessions that the peer may see, its own first, by name.
    #[must_use]
    pub fn visible_to(&self, peer: Peer) -> Vec<Arc<Session>> {
        let mut seen = self.all();
        seen.retain(|session| session.access(peer) > Access::Nothing);
        seen.sort_by_cached_key(|session| (session.owner != peer.uid, session.name()));
        seen
    }

    /// All sessions that the peer may list: those who operate the daemon see that others are
    /// there.
    #[must_use]
    pub fn listed_to(&self, peer: Peer) -> Vec<Arc<Session>> {
        let mut seen = self.visible_to(peer);
        if peer.may_operate() {
            let mut others = self.all();
            others.retain(|session| session.access(peer) == Access::Nothing);
            others.sort_by_cached_key(|session| (session.owner, session.name()));
            if !others.is_empty() {
                let (uid, pid) = (peer.uid, peer.pid);
                tracing::info!(uid, pid, "an operator lists other users' sessions");
            }
            seen.append(&mut others);
        }
        seen
    }
}

/// The one that is meant by an id, by `OWNER:NAME`, or by a name that only one of them has.
fn pick(sessions: Vec<Arc<Session>>, wanted: &str) -> Result<Arc<Session>, Failure> {
    let of_owner = wanted.split_once(':');
    let of_owner = of_owner.and_then(|(owner, name)| Some((owner.parse::<u32>().ok()?, name)));
    let mut named = Vec::new();
    for session in sessions {
        let name = session.name();
        if session.session_id().as_deref() == Some(wanted)
            || of_owner == Some((session.owner, name.as_str()))
        {
            return Ok(session);
        }
        if name == wanted {
            named.push(session);
        }
    }
    match named.len() {
        0 => Err(no_session(wanted)),
        1 => Ok(named.swap_remove(0)),
        _ => Err(ambiguous(&named, wanted)),
    }
}

fn ambiguous(named: &[Arc<Session>], name: &str) -> Failure {
    let of = |session: &Arc<Session>| format!("{}:{name}", session.owner);
    let choices: Vec<_> = named.iter().map(of).collect();
    Failure::invalid(
        "session",
        format!(
            "several users have a session {name}: say whose you mean, {}",
            choices.join(" or ")
        ),
    )
}

pub(super) fn no_session(name_or_id: &str) -> Failure {
    let shown: String = name_or_id.chars().take(64).collect();
    Failure::new(
        ErrorType::SessionNotFound,
        format!("there is no session {shown:?}: list_sessions shows those that are there"),
    )
    .with("session", shown)
}
