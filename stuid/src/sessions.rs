//! All sessions: by name within their owner, and by id. Who may see which is decided here.
//!
//! What a session does is in [`crate::session`]; how they come and go is in `making`, which one is meant
//! in `finding`, which evaluations are known in `evaluations`, how the table is kept true when the image
//! changes in `keeper`.

mod evaluations;
mod finding;
mod hearing;
mod keeper;
mod making;
mod name;
mod recovering;
mod renaming;
mod tending;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use stui_protocol::daemon::QueueStatus;
use stui_protocol::{Event, EventName};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use evaluations::{IdHolder, may_know, not_found};
pub use name::check as check_name;

use crate::announcements::Announcements;
use crate::config::InForce;
use crate::gate::Gate;
use crate::image::Image;
use crate::limits::RequestBytes;
use crate::metrics::Metrics;
use crate::session::{Book, Desk, Evaluation, Limits, Newest, Seats, Session};
use crate::store::Store;

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

    fn announce(&self, what: EventName, session: &Arc<Session>) {
        let mut event = Event::new(what, &session.describe());
        event.session_id = session.session_id();
        let announcements = &self.table.announcements;
        announcements.announce_to(session.right(), &event);
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
