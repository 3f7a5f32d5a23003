//! All sessions: by name within their owner, and by id. Who may see which is decided here.
//!
//! What a session does is in [`crate::session`]; which evaluations are known is in `evaluations`, how
//! the table is kept true when the image changes in `keeper`.

mod evaluations;
mod hearing;
mod keeper;
mod name;
mod recovering;
mod renaming;
mod tending;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use stui_protocol::daemon::{ClientSession, QueueStatus};
use stui_protocol::image::CloseSession;
use stui_protocol::{ErrorType, Event, EventName, Failure};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use evaluations::{IdHolder, may_know, not_found};
pub use name::check as check_name;

use crate::announcements::Announcements;
use crate::config::InForce;
use crate::gate::Gate;
use crate::identity::Peer;
use crate::image::Image;
use crate::limits::RequestBytes;
use crate::metrics::Metrics;
use crate::session::{Access, Book, Desk, Evaluation, Limits, Newest, Seats, Session};
use crate::store::{PlaceRecord, Store};

/// How long the end of the evaluation that was terminated with its session is waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    table: Arc<Table>,
}

#[derive(Debug)]
struct Table {
    by_name: DashMap<(u32, String), Arc<Session>>,
    /// Held by whoever gives a session that is there another name, or takes it out.
    renaming: Mutex<()>,
    store: Store,
    /// The sessions that the image had at the start are in.
    complete: watch::Sender<bool>,
    book: Book,
    image: Image,
    announcements: Announcements,
    gate: Gate,
    metrics: Arc<Metrics>,
    /// Evaluations without a session whose id somebody may know.
    loose: Mutex<VecDeque<Arc<Evaluation>>>,
    config: InForce,
    seats: Seats,
    newest: Newest,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What the registry needs from the daemon.
#[derive(Debug)]
pub struct Surroundings {
    /// Where the sessions live.
    pub image: Image,
    /// Where it is told that sessions come and go.
    pub announcements: Announcements,
    /// Where new work waits while an operator wants that.
    pub gate: Gate,
    /// Where evaluations are counted.
    pub metrics: Arc<Metrics>,
    /// Where they are kept.
    pub store: Store,
    /// The configuration.
    pub config: InForce,
    /// The bytes of what waits, beside those of other requests.
    pub request_bytes: RequestBytes,
    /// Where the sessions' tasks run.
    pub tasks: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

impl Sessions {
    /// An empty registry.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        let limits = surroundings.config.limits();
        Self {
            table: Arc::new(Table {
                by_name: DashMap::new(),
                renaming: Mutex::default(),
                store: surroundings.store,
                complete: watch::Sender::new(false),
                book: Book::default(),
                image: surroundings.image,
                announcements: surroundings.announcements,
                gate: surroundings.gate,
                metrics: surroundings.metrics,
                loose: Mutex::default(),
                config: surroundings.config,
                seats: Seats::new(limits, surroundings.request_bytes),
                newest: Newest::default(),
                tasks: surroundings.tasks,
                stop: surroundings.stop,
            }),
        }
    }

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
    pub async fn open_new(
        &self,
        session: &Arc<Session>,
    ) -> Result<crate::session::Opened, Failure> {
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
    async fn open(&self, session: &Session) -> Result<crate::session::Opened, Failure> {
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

    /// All sessions.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Session>> {
        let entries = self.table.by_name.iter();
        entries.map(|entry| Arc::clone(entry.value())).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table.by_name.len()
    }

    /// What waits and runs, over all sessions.
    #[must_use]
    pub fn queue_status(&self, metrics: &Metrics) -> QueueStatus {
        let mut status = QueueStatus {
            requests: metrics.link.queue.get().try_into().unwrap_or(0),
            ..QueueStatus::default()
        };
        let mut oldest: Option<Instant> = None;
        for session in self.all() {
            let (waiting, since) = session.backlog();
            status.evaluations += waiting as u64;
            status.running += u64::from(session.running().is_some());
            oldest = oldest.into_iter().chain(since).min();
        }
        if let Some(oldest) = oldest {
            status.oldest_ms = oldest.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        }
        status
    }

    fn insert(
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

    /// Starts the task of a session.
    fn employ(&self, session: &Arc<Session>) {
        let desk = Desk {
            session: Arc::clone(session),
            image: self.table.image.of(session.owner),
            gate: self.table.gate.clone(),
            config: self.table.config.clone(),
            stop: self.table.stop.clone(),
        };
        self.table.tasks.spawn(desk.run());
    }

    fn adopt(&self, owner: u32, name: &str, place: PlaceRecord) -> Option<Arc<Session>> {
        let limits = self.limits(None);
        let key = self.next_key();
        let session = self.insert(owner, name, |name| {
            Session::found(key, owner, name, place, &limits)
        })?;
        self.employ(&session);
        Some(session)
    }

    fn announce(&self, what: EventName, session: &Arc<Session>) {
        let mut event = Event::new(what, &session.describe());
        event.session_id = session.session_id();
        let announcements = &self.table.announcements;
        announcements.announce_to(session.right(), &event);
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

    fn next_key(&self) -> u64 {
        self.table.store.next_key()
    }

    fn limits(&self, timeout: Option<u64>) -> Limits {
        Limits {
            store: self.table.store.clone(),
            seats: self.table.seats.clone(),
            newest: self.table.newest.clone(),
            timeout,
            metrics: Arc::clone(&self.table.metrics),
        }
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

fn no_session(name_or_id: &str) -> Failure {
    let shown: String = name_or_id.chars().take(64).collect();
    Failure::new(
        ErrorType::SessionNotFound,
        format!("there is no session {shown:?}: list_sessions shows those that are there"),
    )
    .with("session", shown)
}

fn taken(name: &str) -> Failure {
    Failure::invalid("name", format!("there is a session {name} already"))
}
