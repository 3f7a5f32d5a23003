//! What the daemon keeps on disk, so that it can be killed at any instant: sessions, their logs,
//! evaluations under way and where those that ended stand in the logs.
//!
//! A change is appended to the `journal` before anybody is told of it, and stays in memory until
//! the `checkpoint` thread has brought it into the `tables`, where it is read from later. When the
//! disk takes nothing more, changes stay in memory until it does, and everybody is told (`health`).
//! Without a directory everything is in memory. Why it is so: docs/decisions/2026-11-20-store.md.

mod checkpoint;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod health;
mod journal;
mod memory;
mod pending;
mod place;
mod record;
mod recovery;
mod shared;
mod tables;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use stui_protocol::daemon::{StoreState, StoreStatus};
use tokio::sync::watch;
use tokio::task::block_in_place;

pub(crate) use record::{
    BegunRecord, EndedEvaluation, HomeRecord, LinePlace, Mark, OpenEvaluation, PlaceRecord,
    SavedRecord, SessionRecord, StartRecord, WitnessRecord,
};
pub(crate) use tables::Extent;

use crate::error::Error;
use crate::log::{Log, LogLine};
use crate::metrics::Metrics;
use checkpoint::Order;
use health::Health;
use journal::Journal;
use memory::Passed;
use pending::Pending;
use place::Place;
use record::Change;
use tables::{Tables, Trouble};

pub(crate) use tables::LogBatch as Collected;

/// A journal that is larger is brought into the tables at once.
const LARGE_JOURNAL_BYTES: u64 = 8 * 1024 * 1024;

/// How long a daemon that is just ending is waited for.
const PREDECESSOR: Duration = Duration::from_secs(5);

/// How long the last commit may take before the daemon ends without it. The journal has it then.
const LAST_COMMIT: Duration = Duration::from_secs(5);

/// Orders that may wait for the thread, which is told each thing once: one that does not fit says
/// what another says already.
const MOST_ORDERS: usize = 8;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Bytes of each log.
    pub log_bytes: usize,
    /// Days of each log; 0 is for ever.
    pub log_days: u32,
}

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared>);

/// A session as an earlier daemon left it.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) record: SessionRecord,
    pub(crate) log: Arc<Log>,
    /// In the order in which they were accepted.
    pub(crate) open: Vec<OpenEvaluation>,
}

#[derive(Debug)]
struct Shared {
    place: Option<Place>,
    retention: Retention,
    /// Taken before `pending` by nobody who holds that; a log's own lock is taken before both.
    ledger: Mutex<Ledger>,
    pending: Mutex<Pending>,
    tables: Mutex<Option<tables::Shared>>,
    logs: Mutex<HashMap<u64, Weak<Log>>>,
    /// Logs with lines that the tables do not have.
    dirty: Mutex<Vec<Arc<Log>>>,
    /// The thread knows that something has changed.
    scheduled: AtomicBool,
    /// It knows that it is much.
    hurried: AtomicBool,
    /// By what was written and read.
    passed: Passed,
    next_key: AtomicU64,
    next_order: AtomicU64,
    health: Health,
    orders: SyncSender<Order>,
}

/// The journal, when there is one and it can be written.
#[derive(Debug)]
enum Ledger {
    Nowhere,
    Open(Journal),
    Broken {
        /// The number of the next file.
        next: u64,
    },
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// A store that keeps everything in memory.
    #[must_use]
    pub fn in_memory(retention: Retention, metrics: Arc<Metrics>) -> Self {
        let (orders, _) = sync_channel(MOST_ORDERS);
        let health = Health::new(StoreState::Memory, None, metrics);
        Self(Arc::new(Shared::new(
            None,
            retention,
            Pending::default(),
            health,
            orders,
        )))
    }

    /// Opens the store in a state directory, or makes it. Blocks, for some milliseconds or, when
    /// another daemon is just ending, some seconds.
    ///
    /// A damaged store is set aside and told; a disk that cannot be written is told, and the
    /// daemon goes on in memory.
    ///
    /// # Errors
    /// `StateInUse` when another daemon has it, `State` when a later version has written it.
    pub(crate) fn open(
        state_dir: &Path,
        retention: Retention,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, Vec<Recovered>), Error> {
        let place = match Place::take(state_dir, PREDECESSOR) {
            Ok(place) => place,
            Err(error @ Error::StateInUse { .. }) => return Err(error),
            Err(error) => {
                return Ok((
                    Self::unwritable(state_dir, retention, metrics, &error),
                    vec![],
                ));
            }
        };
        let health = Health::new(StoreState::Ok, Some(&place.dir), metrics);
        let (tables, contents) = open_tables(&place, &health)?;
        let extents = contents.logs.clone();
        let (orders, told) = sync_channel(MOST_ORDERS);
        let shared = Shared::new(
            Some(place),
            retention,
            Pending::of(contents),
            health,
            orders,
        );
        let store = Self(Arc::new(shared));
        *lock(&store.0.tables) = tables.map(Arc::new);
        let logs = store.recover_logs(&extents);
        store.begin_journal();
        let recovered = store.recovered(logs);
        let weak = Arc::downgrade(&store.0);
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || checkpoint::run(&weak, &told))
            .map_err(Error::io("starting the store's thread"))?;
        store.0.wake(Order::Soon);
        Ok((store, recovered))
    }

    /// The directory cannot even be opened: memory it is, until the next start.
    fn unwritable(
        state_dir: &Path,
        retention: Retention,
        metrics: Arc<Metrics>,
        why: &Error,
    ) -> Self {
        let (orders, _) = sync_channel(MOST_ORDERS);
        let health = Health::new(StoreState::Ok, Some(state_dir), metrics);
        health.degrade(&format!(
            "{why}; start the daemon again when that is mended"
        ));
        let shared = Shared::new(None, retention, Pending::default(), health, orders);
        Self(Arc::new(shared))
    }

    /// How the store is.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        self.0.health.watch().borrow().clone()
    }

    /// How the store is, with changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<StoreStatus> {
        self.0.health.watch()
    }

    /// A number for a session that was never used.
    pub(crate) fn next_key(&self) -> u64 {
        self.0.next_key.fetch_add(1, Ordering::Relaxed)
    }

    /// A number for an evaluation that is larger than those of all before.
    pub(crate) fn next_order(&self) -> u64 {
        self.0.next_order.fetch_add(1, Ordering::Relaxed)
    }

    /// The empty log of a new session.
    pub(crate) fn new_log(&self, session: u64) -> Arc<Log> {
        let log = Log::new(session, self.0.retention.log_bytes, self.clone());
        let log = Arc::new(log);
        lock(&self.0.logs).insert(session, Arc::downgrade(&log));
        log
    }

    /// Keeps what a session is now.
    pub(crate) fn put_session(&self, record: SessionRecord) {
        let mut pending = lock(&self.0.pending);
        self.0.journal(&Change::Session(record.clone()), b"");
        pending.put(record);
    }

    /// Forgets a session and all that belongs to it.
    pub(crate) fn forget(&self, session: u64) {
        lock(&self.0.logs).remove(&session);
        let mut pending = lock(&self.0.pending);
        self.0.journal(&Change::Forgotten(session), b"");
        pending.forget(session);
    }

    /// Why the last session of that name was ended, when it was and that is kept.
    pub(crate) fn tombstone(&self, owner: u32, name: &str) -> Option<SessionRecord> {
        lock(&self.0.pending).tombstone(owner, name).cloned()
    }

    /// Forgets the oldest of a user's sessions that were ended.
    pub(crate) fn trim_tombstones(&self, owner: u32, most: usize) {
        let surplus = lock(&self.0.pending).surplus_tombstones(owner, most);
        for session in surplus {
            self.forget(session);
        }
    }

    /// Keeps an evaluation that was accepted.
    pub(crate) fn accept(&self, evaluation: OpenEvaluation) {
        let mut pending = lock(&self.0.pending);
        self.0.journal(&Change::Accepted(evaluation.clone()), b"");
        pending.accept(evaluation);
    }

    /// Keeps a line of a log, which holds its lock meanwhile.
    pub(crate) fn append(&self, place: LinePlace, mark: Mark, line: &[u8]) {
        let change = Change::Line { place, mark };
        self.0.journal(&change, line);
        self.0.has_passed(line.len());
        if let Change::Line { mark, .. } = &change
            && *mark != Mark::None
        {
            lock(&self.0.pending).mark(place, mark);
        }
    }

    /// A log has lines that the tables do not have.
    pub(crate) fn is_dirty(&self, log: Arc<Log>) {
        let is_kept = || lock(&self.0.logs).contains_key(&log.session);
        if self.0.place.is_some() && is_kept() {
            lock(&self.0.dirty).push(log);
        }
    }

    /// Lines of a log that are in the tables. Reads from disk. None when they cannot be read now.
    pub(crate) fn lines(
        &self,
        session: u64,
        after: u64,
        up_to: u64,
        limit_bytes: usize,
    ) -> Option<Vec<(u64, LogLine)>> {
        let tables = lock(&self.0.tables).clone()?;
        // Everybody else goes on meanwhile.
        match block_in_place(|| tables.lines(session, after, up_to, limit_bytes)) {
            // They are gone for good: what can still be read comes after them.
            Err(Trouble::Damaged(why)) => {
                tracing::error!(session, after, why, "lines of a log are damaged");
                Some(Vec::new())
            }
            read => {
                let lines = self.0.read(read)?;
                let bytes = lines.iter().map(|(_, line)| line.len()).sum();
                self.0.has_passed(bytes);
                Some(lines)
            }
        }
    }

    /// An evaluation that has ended, when its end is still in the log. Reads from disk, perhaps: one
    /// row, of a table whose upper pages are in memory. It is asked for each evaluation that begins,
    /// and to give the runtime to another thread meanwhile would cost many times as much.
    pub(crate) fn ended(&self, id: &str) -> Option<EndedEvaluation> {
        if let Some(found) = lock(&self.0.pending).ended.get(id) {
            return Some(found.clone());
        }
        let tables = lock(&self.0.tables).clone()?;
        self.0.read(tables.ended(id)).flatten()
    }

    /// The newest evaluations of a session that ended before a position, newest first. Reads from
    /// disk, perhaps.
    pub(crate) fn history(&self, session: u64, before: u64, limit: usize) -> Vec<EndedEvaluation> {
        let mut found = lock(&self.0.pending).history(session);
        found.retain(|each| each.ended < before);
        found.truncate(limit);
        let before = found.last().map_or(before, |oldest| oldest.ended);
        let tables = lock(&self.0.tables).clone();
        if let Some(tables) = tables
            && found.len() < limit
        {
            let rest = block_in_place(|| tables.history(session, before, limit - found.len()));
            found.extend(self.0.read(rest).unwrap_or_default());
        }
        found
    }

    /// Writes everything. Blocks for as long as that takes, some seconds at most.
    pub fn close(&self) {
        let (done, is_done) = sync_channel(1);
        if self.0.orders.send(Order::Stop(done)).is_ok() {
            let _ = is_done.recv_timeout(LAST_COMMIT);
        }
    }
}

/// Opens the tables. Damaged ones are set aside; when the disk does not let them be opened, there
/// are none for now.
fn open_tables(
    place: &Place,
    health: &Health,
) -> Result<(Option<Tables>, tables::Contents), Error> {
    let open = || {
        let tables = Tables::open(&place.tables())?;
        let contents = tables.contents()?;
        Ok((tables, contents))
    };
    let mut opened = open();
    if let Err(Trouble::Damaged(why)) = &opened {
        match place.set_aside() {
            Ok(aside) => {
                health.set_aside(&aside, why);
                opened = open();
            }
            Err(error) => tracing::error!(%error, "setting the damaged store aside"),
        }
    }
    match opened {
        Ok((tables, contents)) => Ok((Some(tables), contents)),
        Err(newer @ Trouble::Newer(_)) => Err(Error::State {
            path: place.tables(),
            why: newer.to_string(),
        }),
        Err(trouble) => {
            health.degrade(&trouble.to_string());
            Ok((None, tables::Contents::default()))
        }
    }
}
