//! One session: its name and owner, its queue, its log, who is attached.
//!
//! Facts are behind a lock that is never held across a wait; whatever takes time is done by the
//! session's own task (`desk`), one thing after the other. Every evaluation is recorded in an
//! [`Evaluation`] and ends exactly once, in `Session::finish`.

mod attaching;
mod desk;
mod evaluation;
mod following;
mod history;
mod holdings;
mod home;
mod outcome;
mod output;
mod queue;
mod queueing;
mod resting;
mod resuming;
mod seats;
mod sharing;
mod waiting;
mod witness;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stui_protocol::daemon::{
    AttachedClient, ClientSession, RenamedData, RunningEvaluation, SessionState,
};
use stui_protocol::time::{self, Timestamp};
use stui_protocol::{ErrorType, Event, EventName, Failure};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use desk::Desk;
pub(crate) use evaluation::Book;
pub use evaluation::{Evaluation, Stage};
pub(crate) use following::Following;
pub(crate) use history::History;
pub(crate) use holdings::{Holder, Holdings, ids};
use home::Home;
pub use home::Opened;
pub(crate) use queue::{Job, Queue, Work};
pub(crate) use queueing::never_began;
use resting::Use;
pub(crate) use resuming::timeout_of;
pub(crate) use seats::Seats;
pub use sharing::{Access, Right};
pub(crate) use waiting::Wait;
pub(crate) use witness::Newest;

use crate::identity::Peer;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::store::{Mark, PlaceRecord, Recovered, SavedRecord, SessionRecord, Store};

/// Characters of code in `list_sessions`.
const SHOWN_CODE_CHARS: usize = 200;

/// A session that has an owner and a name.
#[derive(Debug)]
pub struct Session {
    /// The daemon's own number for it; stays when the image loses it and makes it anew.
    pub key: u64,
    /// User id of its owner.
    pub owner: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// What happened in it.
    pub log: Arc<Log>,
    metrics: Arc<Metrics>,
    store: Store,
    seats: Seats,
    newest: Newest,
    facts: Mutex<Facts>,
    /// There is something to do for the task.
    work: Notify,
    /// Something new waits.
    grown: Notify,
    /// The session is gone.
    pub(crate) closed: CancellationToken,
}

#[derive(Debug)]
struct Facts {
    name: String,
    home: Home,
    /// Seconds after which the image may end it; none is never.
    timeout: Option<u64>,
    last_active: Timestamp,
    attached: Vec<AttachedClient>,
    right: Right,
    openers: Vec<oneshot::Sender<Result<Opened, Failure>>>,
    /// Whoever opens it wants what was saved of it.
    recreates: bool,
    /// Nothing is accepted any more.
    closing: bool,
    queue: Queue,
    history: History,
    /// The newest saved context that is known.
    saved: Option<SavedRecord>,
    used: Use,
}

impl Session {
    /// A session that the image does not have yet.
    pub(crate) fn new(key: u64, owner: u32, name: &str, limits: &Limits) -> Self {
        Self::with_log(limits.store.new_log(key), owner, name, limits)
    }

    fn with_log(log: Arc<Log>, owner: u32, name: &str, limits: &Limits) -> Self {
        Self {
            key: log.session,
            owner,
            created_at: time::now(),
            log,
            metrics: Arc::clone(&limits.metrics),
            store: limits.store.clone(),
            seats: limits.seats.clone(),
            newest: limits.newest.clone(),
            facts: Mutex::new(Facts {
                name: name.to_owned(),
                home: Home::New,
                timeout: limits.timeout,
                last_active: time::now(),
                attached: Vec::new(),
                right: Right::private(owner),
                openers: Vec::new(),
                recreates: false,
                closing: false,
                queue: Queue::default(),
                history: History::default(),
                saved: None,
                used: Use::default(),
            }),
            work: Notify::new(),
            grown: Notify::new(),
            closed: CancellationToken::new(),
        }
    }

    /// The same, for one that the image has.
    pub(crate) fn found(
        key: u64,
        owner: u32,
        name: &str,
        place: PlaceRecord,
        limits: &Limits,
    ) -> Self {
        let created_at = place.summary.created_at;
        let session = Self {
            created_at,
            ..Self::new(key, owner, name, limits)
        };
        {
            let mut facts = session.facts();
            facts.home = Home::There(place);
            session.keep(&facts);
        }
        session
    }

    /// The same, as an earlier daemon left it.
    pub(crate) fn recovered(found: &Recovered, limits: &Limits) -> Self {
        let record = &found.record;
        let session = Self {
            created_at: record.created_at,
            ..Self::with_log(Arc::clone(&found.log), record.owner, &record.name, limits)
        };
        {
            let mut facts = session.facts();
            facts.home = Home::of_record(&record.home);
            facts.timeout = record.timeout;
            facts.saved.clone_from(&record.saved);
            facts.right.restore(record.share.as_deref());
        }
        session
    }

    /// Has the store keep what it is now. Called with the facts that changed, so that the last
    /// change is the last that is kept.
    fn keep(&self, facts: &Facts) {
        let Some(home) = facts.home.to_record() else {
            // The image does not have it yet: until then there is nothing to be found again.
            return;
        };
        self.store.put_session(SessionRecord {
            key: self.key,
            name: facts.name.clone(),
            owner: self.owner,
            created_at: self.created_at,
            timeout: facts.timeout,
            home,
            saved: facts.saved.clone(),
            share: facts.right.record(),
        });
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.facts().name.clone()
    }

    /// The session as clients see it.
    #[must_use]
    pub fn describe(&self) -> ClientSession {
        // Looked at before the facts: an evaluation's lock is never taken inside this one.
        let shown = self
            .foremost()
            .and_then(|evaluation| running_of(&evaluation));
        let facts = self.facts();
        ClientSession {
            name: facts.name.clone(),
            session_id: facts.home.id().unwrap_or_default().to_owned(),
            owner: self.owner,
            state: state_of(&facts.home, shown.is_some()),
            created_at: self.created_at,
            last_active: facts.last_active,
            attached: facts.attached.clone(),
            running: shown,
            queued: facts.queue.waiting.len() as u64,
            waiting: facts.queue.show_waiting(),
            position: self.log.end().position,
            lost: facts.home.lost(facts.saved.as_ref()),
            shared: facts.right.sharing().cloned(),
        }
    }

    /// Whether something runs in it, or it is lost.
    #[must_use]
    pub fn state(&self) -> SessionState {
        let is_busy = self.foremost().is_some_and(|each| !each.is_ended());
        state_of(&self.facts().home, is_busy)
    }

    /// What runs in it.
    #[must_use]
    pub fn run(&self) -> Option<RunningEvaluation> {
        self.running()
            .and_then(|evaluation| running_of(&evaluation))
    }

    /// The same as that client sees it: who may only list it does not see what it does.
    #[must_use]
    pub fn describe_to(&self, peer: Peer) -> ClientSession {
        let mut shown = self.describe();
        if self.access(peer) == Access::Nothing {
            shown.waiting.clear();
            if let Some(running) = &mut shown.running {
                running.code.clear();
            }
        }
        shown
    }

    /// Adds an event to the log and answers its position.
    pub fn tell(&self, event: Event) -> u64 {
        self.tell_marked(event, Mark::None)
    }

    /// Adds an event that means something for an evaluation.
    fn tell_marked(&self, mut event: Event, mark: Mark) -> u64 {
        {
            let mut facts = self.facts();
            facts.last_active = time::now();
            event.session_id = facts.home.id().map(str::to_owned);
            event.instance = facts.home.instance().map(str::to_owned);
        }
        self.log.append_marked(event, mark)
    }

    /// Gives it another name. The registry sees to it that names are unique.
    pub(crate) fn rename(&self, name: &str) {
        {
            let mut facts = self.facts();
            name.clone_into(&mut facts.name);
            self.keep(&facts);
        }
        let name = name.to_owned();
        self.tell(Event::new(EventName::SessionRenamed, &RenamedData { name }));
    }

    /// Accepts nothing any more, and lets the running evaluation tell its end.
    pub(crate) async fn wind_up(&self, patience: Duration) {
        self.facts().closing = true;
        self.settle_queue(&gone());
        if let Some(running) = self.running() {
            // One that does not end in time is ended by `close`.
            let _ = timeout(patience, running.end()).await;
        }
    }

    /// Ends it; its log is closed.
    pub(crate) fn close(&self) {
        self.facts().closing = true;
        self.closed.cancel();
        self.settle_queue(&gone());
        if let Some(running) = self.running() {
            self.finish(&running, Err(closed_while_running()));
        }
        self.tell(Event::new(EventName::SessionClosed, &serde_json::json!({})));
        self.log.close();
        self.facts().openers.clear();
        self.work.notify_one();
    }
}

/// What a session is made with.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Where it is kept.
    pub(crate) store: Store,
    pub(crate) seats: Seats,
    /// Of all sessions.
    pub(crate) newest: Newest,
    /// Seconds after which the image may end it; none is never.
    pub(crate) timeout: Option<u64>,
    pub(crate) metrics: Arc<Metrics>,
}

fn running_of(evaluation: &Evaluation) -> Option<RunningEvaluation> {
    let running_for = evaluation
        .started()
        .map_or(Duration::ZERO, |started| started.instant.elapsed());
    (!evaluation.is_ended()).then(|| RunningEvaluation {
        evaluation_id: evaluation.id.clone(),
        code: shown_code(evaluation),
        running_ms: running_for.as_millis().try_into().unwrap_or(u64::MAX),
    })
}

fn state_of(home: &Home, is_busy: bool) -> SessionState {
    match (home, is_busy) {
        (Home::Lost(..), _) => SessionState::Lost,
        (_, true) => SessionState::Busy,
        (_, false) => SessionState::Idle,
    }
}

fn shown_code(evaluation: &Evaluation) -> String {
    evaluation.code.chars().take(SHOWN_CODE_CHARS).collect()
}

fn closed_while_running() -> Failure {
    Failure::new(
        ErrorType::Interrupted,
        "the session was closed while the evaluation ran",
    )
}

fn gone() -> Failure {
    Failure::new(ErrorType::SessionNotFound, "the session was closed")
}
