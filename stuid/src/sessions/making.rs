//! Sessions come and go: in the table, in the image, and for those who listen.

use std::sync::Arc;
use std::time::Duration;

use dashmap::mapref::entry::Entry;
use stui_protocol::daemon::ClientSession;
use stui_protocol::image::CloseSession;
use stui_protocol::{ErrorType, EventName, Failure};
use tokio::time::Instant;

use super::{Sessions, name};
use crate::identity::Peer;
use crate::session::{Opened, Session};
use crate::store::PlaceRecord;

/// How long the end of the evaluation that was terminated with its session is waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Sessions {
    /// Makes an entry for a new session and starts its task. The image does not have it yet:
    /// [`Session::open`] sees to that.
    ///
    /// # Errors
    /// `InvalidParameter` for a name that is none, or taken; `SessionLimitExceeded`.
    pub fn add(
        &self,
        owner: u32,
        name: Option<&str>,
        timeout: Option<u64>,
    ) -> Result<Arc<Session>, Failure> {
        if let Some(name) = name {
            name::check(name)?;
        }
        if self.count_of(owner) >= self.most_per_user() {
            return Err(self.too_many());
        }
        let limits = self.limits(timeout);
        let make = |name: &str| Session::new(self.next_key(), owner, name, &limits);
        let session = match name {
            Some(name) => self.insert(owner, name, make).ok_or_else(|| taken(name))?,
            None => self.insert_numbered(owner, make)?,
        };
        self.employ(&session);
        Ok(session)
    }

    /// The session of that name of the peer itself, or of that id; made when there is none.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn find_or_add(&self, peer: Peer, name: &str) -> Result<Arc<Session>, Failure> {
        let own = |session: &Arc<Session>| session.owner == peer.uid || session.name() != name;
        if let Some(session) = self.find(peer, name).ok().filter(own) {
            return Ok(session);
        }
        match self.add(peer.uid, Some(name), None) {
            // Somebody was faster.
            Err(failure) => self.find(peer, name).map_err(|_| failure),
            added => added,
        }
    }

    /// Opens a session that was just added; takes it out again when that fails.
    ///
    /// # Errors
    /// The image's or the link's.
    pub async fn open_new(&self, session: &Arc<Session>) -> Result<Opened, Failure> {
        let opened = self.open(session).await;
        match &opened {
            Ok(opened) if opened.created => self.announce(EventName::SessionCreated, session),
            Ok(_) => {}
            Err(_) if session.session_id().is_none() => {
                self.remove(session);
            }
            Err(_) => {}
        }
        opened
    }

    /// Making a session is work for the image; one that it has costs nothing.
    async fn open(&self, session: &Session) -> Result<Opened, Failure> {
        let _pass = match session.is_there() {
            true => None,
            false => {
                let deadline = Instant::now() + self.table.config.request_timeout();
                Some(self.table.gate.enter(deadline, |_| {}).await?)
            }
        };
        session.open().await
    }

    /// Ends a session, in the image first.
    ///
    /// # Errors
    /// When the image cannot be told; the session stays then.
    pub async fn kill(&self, session: &Arc<Session>) -> Result<ClientSession, Failure> {
        if let Ok(session_id) = session.usable_id() {
            let deadline = Instant::now() + self.table.config.request_timeout();
            let closed = self
                .table
                .image
                .of(session.owner)
                .ask(&CloseSession { session_id }, deadline)
                .await;
            if let Err(failure) = closed
                && failure.error_type != ErrorType::SessionNotFound
            {
                return Err(failure);
            }
        }
        session.wind_up(LAST_WORDS).await;
        let last = session.describe();
        if self.remove(session) {
            self.announce(EventName::SessionClosed, session);
        }
        Ok(last)
    }

    pub(super) fn insert(
        &self,
        owner: u32,
        name: &str,
        make: impl FnOnce(&str) -> Session,
    ) -> Option<Arc<Session>> {
        match self.table.by_name.entry((owner, name.to_owned())) {
            Entry::Occupied(_) => None,
            Entry::Vacant(vacant) => Some(Arc::clone(&vacant.insert(Arc::new(make(name))))),
        }
    }

    fn insert_numbered(
        &self,
        owner: u32,
        make: impl Fn(&str) -> Session,
    ) -> Result<Arc<Session>, Failure> {
        // One more name than there may be sessions: one of them is free.
        (1..=self.most_per_user() + 1)
            .find_map(|number| self.insert(owner, &number.to_string(), &make))
            .ok_or_else(|| self.too_many())
    }

    pub(super) fn adopt(&self, owner: u32, name: &str, place: PlaceRecord) -> Option<Arc<Session>> {
        let limits = self.limits(None);
        let key = self.next_key();
        let session = self.insert(owner, name, |name| {
            Session::found(key, owner, name, place, &limits)
        })?;
        self.employ(&session);
        Some(session)
    }

    /// Sessions that one user may have now.
    fn most_per_user(&self) -> usize {
        self.table.config.now().config.limits.sessions_per_owner
    }

    fn too_many(&self) -> Failure {
        let limit = self.most_per_user();
        Failure::new(
            ErrorType::SessionLimitExceeded,
            format!(
                "a user may have {limit} sessions: kill some of them, or raise \
                 limits.sessions_per_owner"
            ),
        )
        .with("limit", limit)
        .with("key", "limits.sessions_per_owner")
    }

    fn count_of(&self, owner: u32) -> usize {
        let entries = self.table.by_name.iter();
        entries.filter(|entry| entry.key().0 == owner).count()
    }
}

pub(super) fn taken(name: &str) -> Failure {
    Failure::invalid("name", format!("there is a session {name} already"))
}
