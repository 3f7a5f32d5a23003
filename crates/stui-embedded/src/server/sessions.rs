//! The table of sessions: who has which, when they expire, which have.
//!
//! Pure: it knows ids of workspaces, but neither the VM nor the clock.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use stui_protocol::image::{SessionInfo, SessionSummary};
use stui_protocol::{ErrorType, Failure, Timestamp};

use super::config::Bounds;
use super::history::History;
use crate::vm::WorkspaceId;

/// Ids of expired sessions that are remembered, to tell expiry from a wrong id.
const MAX_TOMBSTONES: usize = 1000;

/// Longest timeout: a hundred years, so that times can be added.
const MAX_TIMEOUT_S: u64 = 100 * 365 * 24 * 3600;

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) client_id: String,
    pub(super) name: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) last_modified: Timestamp,
    /// Seconds; 0 is never.
    pub(super) timeout: u64,
    pub(super) last_used: Instant,
    /// What clients keep in it.
    pub(super) state: Map<String, Value>,
    /// The last look of an inspector.
    pub(super) inspected: Map<String, Value>,
    pub(super) workspace: WorkspaceId,
    pub(super) history: History,
    /// Evaluations so far.
    pub(super) evaluations: u64,
    /// The evaluation under way.
    pub(super) running: Option<String>,
    /// Creation order.
    number: u64,
}

impl Session {
    /// A session as of now.
    pub(super) fn new(
        id: String,
        client_id: String,
        name: Option<String>,
        timeout: u64,
        workspace: WorkspaceId,
        now: Instant,
    ) -> Self {
        let created_at = stui_protocol::time::now();
        Self {
            id,
            client_id,
            name,
            created_at,
            last_modified: created_at,
            timeout: timeout.min(MAX_TIMEOUT_S),
            last_used: now,
            state: Map::new(),
            inspected: Map::new(),
            workspace,
            history: History::default(),
            evaluations: 0,
            running: None,
            number: 0,
        }
    }

    /// Notes a change of what the session holds.
    pub(super) fn modified(&mut self) {
        self.last_modified = stui_protocol::time::now();
    }

    /// In the words of the protocol.
    pub(super) fn summary(&self) -> SessionSummary {
        SessionSummary {
            session_id: self.id.clone(),
            client_id: self.client_id.clone(),
            name: self.name.clone(),
            created_at: self.created_at,
            timeout: self.timeout,
            is_active: true,
        }
    }

    /// The same with facts that change; `variables` is how many it has.
    pub(super) fn info(&self, variables: usize, now: Instant) -> SessionInfo {
        SessionInfo {
            session: self.summary(),
            last_modified: self.last_modified,
            time_until_expiry: self
                .expires_at(now)
                .map(|at| at.saturating_duration_since(now).as_secs_f64()),
            is_expired: false,
            busy: self.running.is_some(),
            evaluation_id: self.running.clone(),
            evaluations: self.evaluations,
            variables: variables as u64,
        }
    }

    /// When it expires if nobody uses it; a busy one is in use.
    fn expires_at(&self, now: Instant) -> Option<Instant> {
        let used = if self.running.is_some() {
            now
        } else {
            self.last_used
        };
        (self.timeout > 0)
            .then(|| used.checked_add(Duration::from_secs(self.timeout)))
            .flatten()
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires_at(now).is_some_and(|at| at <= now)
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    live: HashMap<String, Session>,
    expired: VecDeque<String>,
    created: u64,
}

impl Sessions {
    /// Whether a client may have one more session.
    ///
    /// # Errors
    /// `SessionLimitExceeded` with the limit.
    pub(super) fn check_room(&self, client_id: &str, bounds: &Bounds) -> Result<(), Failure> {
        let full = |limit: usize, whose: &str| {
            Failure::new(
                ErrorType::SessionLimitExceeded,
                format!("{whose} has {limit} sessions already: close one that is not needed"),
            )
            .with("limit", limit)
        };
        let own = self.of_client(client_id).len();
        if own >= bounds.sessions_per_client {
            return Err(full(bounds.sessions_per_client, "this client"));
        }
        if self.live.len() >= bounds.sessions {
            return Err(full(bounds.sessions, "the image"));
        }
        Ok(())
    }

    /// Adds a session.
    pub(super) fn add(&mut self, mut session: Session) {
        self.created += 1;
        session.number = self.created;
        self.live.insert(session.id.clone(), session);
    }

    /// The session of this id, which is not thereby used.
    ///
    /// # Errors
    /// `SessionExpired`, `SessionNotFound`.
    pub(super) fn look(&mut self, id: &str, now: Instant) -> Result<&mut Session, Failure> {
        let expired = match self.live.get(id) {
            Some(session) => session.is_expired(now),
            None if self.expired.iter().any(|gone| gone == id) => true,
            None => {
                return Err(Failure::new(
                    ErrorType::SessionNotFound,
                    format!("there is no session {id:.64}: create one, or list those there are"),
                )
                .with("session_id", id));
            }
        };
        match self.live.get_mut(id) {
            Some(session) if !expired => Ok(session),
            _ => Err(Failure::new(
                ErrorType::SessionExpired,
                format!("the session {id:.64} was not used for too long and is closed"),
            )
            .with("session_id", id)),
        }
    }

    /// The session of this id, whose time starts anew.
    ///
    /// # Errors
    /// As `look`.
    pub(super) fn using(&mut self, id: &str, now: Instant) -> Result<&mut Session, Failure> {
        let session = self.look(id, now)?;
        session.last_used = now;
        Ok(session)
    }

    /// The session of this id for the image's own work: it may be gone.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Session> {
        self.live.get_mut(id)
    }

    /// Takes a session out.
    pub(super) fn remove(&mut self, id: &str) -> Option<Session> {
        self.live.remove(id)
    }

    /// Takes out the sessions that nobody used in time.
    pub(super) fn remove_expired(&mut self, now: Instant) -> Vec<Session> {
        let gone: Vec<String> = self
            .live
            .values()
            .filter(|session| session.is_expired(now))
            .map(|session| session.id.clone())
            .collect();
        self.expired.extend(gone.iter().cloned());
        while self.expired.len() > MAX_TOMBSTONES {
            self.expired.pop_front();
        }
        gone.iter().filter_map(|id| self.live.remove(id)).collect()
    }

    /// All sessions, oldest first.
    pub(super) fn all(&self) -> Vec<&Session> {
        let mut all: Vec<&Session> = self.live.values().collect();
        all.sort_by_key(|session| session.number);
        all
    }

    /// The sessions of one client, oldest first.
    pub(super) fn of_client(&self, client_id: &str) -> Vec<&Session> {
        let mut own = self.all();
        own.retain(|session| session.client_id == client_id);
        own
    }

    /// How many clients have sessions.
    pub(super) fn clients(&self) -> usize {
        let clients: std::collections::HashSet<&str> = self
            .live
            .values()
            .map(|session| session.client_id.as_str())
            .collect();
        clients.len()
    }

    /// How many sessions live.
    pub(super) fn len(&self) -> usize {
        self.live.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: &str, client: &str, timeout: u64, now: Instant) -> Session {
        Session::new(id.into(), client.into(), None, timeout, WorkspaceId(0), now)
    }

    fn error_type(found: Result<&mut Session, Failure>) -> Option<ErrorType> {
        found.err().map(|failure| failure.error_type)
    }

    #[test]
    fn a_session_expires_when_it_is_not_used_and_is_remembered_as_expired() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut sessions = Sessions::default();
        sessions.add(session("a", "c", 10, start));
        assert!(sessions.using("a", start + 9 * second).is_ok());
        assert!(sessions.look("a", start + 18 * second).is_ok());
        let late = start + 19 * second;
        let expired = Some(ErrorType::SessionExpired);
        assert_eq!(error_type(sessions.look("a", late)), expired);
        assert_eq!(error_type(sessions.using("a", late)), expired);
        assert_eq!(sessions.remove_expired(late).len(), 1);
        assert_eq!(error_type(sessions.look("a", late)), expired);
        assert_eq!(
            error_type(sessions.look("b", late)),
            Some(ErrorType::SessionNotFound)
        );
    }

    #[test]
    fn a_busy_session_and_one_without_timeout_never_expire() {
        let start = Instant::now();
        let late = start + Duration::from_secs(1_000_000);
        let mut sessions = Sessions::default();
        sessions.add(session("never", "c", 0, start));
        let mut busy = session("busy", "c", 10, start);
        busy.running = Some("e".into());
        sessions.add(busy);
        assert!(sessions.remove_expired(late).is_empty());
        assert!(sessions.look("busy", late).is_ok());
        sessions.add(session("odd", "c", u64::MAX, start));
        assert!(sessions.look("odd", late).is_ok());
    }

    #[test]
    fn a_client_and_the_image_have_room_for_so_many() {
        let now = Instant::now();
        let bounds = Bounds {
            sessions_per_client: 2,
            sessions: 3,
            ..Bounds::default()
        };
        let mut sessions = Sessions::default();
        sessions.add(session("1", "c", 0, now));
        assert!(sessions.check_room("c", &bounds).is_ok());
        sessions.add(session("2", "c", 0, now));
        let full = sessions.check_room("c", &bounds).unwrap_err();
        assert_eq!(full.error_type, ErrorType::SessionLimitExceeded);
        assert_eq!(full.details["limit"], 2);
        assert!(sessions.check_room("d", &bounds).is_ok());
        sessions.add(session("3", "d", 0, now));
        assert!(sessions.check_room("d", &bounds).is_err());
        sessions.remove("1");
        assert!(sessions.check_room("c", &bounds).is_ok());
    }

    #[test]
    fn sessions_are_listed_oldest_first() {
        let now = Instant::now();
        let mut sessions = Sessions::default();
        for id in ["z", "a", "m"] {
            sessions.add(session(id, "c", 0, now));
        }
        let ids: Vec<&str> = sessions.all().iter().map(|s| s.id.as_str()).collect();
        assert_eq!(ids, ["z", "a", "m"]);
        assert_eq!((sessions.clients(), sessions.len()), (1, 3));
    }
}
