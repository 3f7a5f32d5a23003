//! The record of one evaluation, from the moment it is accepted: what was asked, by whom, how far
//! it is, how it ended. Clients wait on it, the event link and polls tell it what they hear, and
//! it ends exactly once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use dashmap::DashMap;
use stui_protocol::Failure;
use stui_protocol::daemon::ShownEvaluation;
use stui_protocol::image::{EvaluationStartedData, Requester};
use stui_protocol::message::Outcome;
use stui_protocol::time::{self, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::output::{Output, ToldOutput};
use super::{Holder, Holdings, Session};
use crate::store::{BegunRecord, EndedEvaluation};

/// What is written down of evaluations, and of the ids that they end with. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    /// Evaluations that somebody still knows, by id.
    pub(crate) known: Arc<DashMap<String, Weak<Evaluation>>>,
    /// Whose the image's ids are.
    pub(crate) holdings: Arc<Holdings>,
}

/// One evaluation.
#[derive(Debug)]
pub struct Evaluation {
    /// Its id; also the id of the request that starts it in the image.
    pub id: String,
    /// The code, or what else is run.
    pub code: String,
    /// Who asked.
    pub by: Requester,
    /// Whose it is.
    pub owner: u32,
    /// When it was accepted.
    pub accepted_at: Instant,
    /// Where it runs; dead when it has bindings of its own.
    session: Weak<Session>,
    book: Book,
    /// Bytes of its outcome, about.
    outcome_bytes: AtomicUsize,
    /// The event link has told the end: what it tells later is new.
    pub(super) end_was_told: Arc<AtomicBool>,
    progress: Mutex<Progress>,
    stage: watch::Sender<Stage>,
    /// When one without a session went to the image.
    pub(crate) left_queue_at: OnceLock<Instant>,
    /// Something was heard about it, or may have been missed.
    pub(crate) nudge: Notify,
}

/// How far an evaluation is.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// It waits in the session.
    Queued,
    /// It is on its way to the image.
    Starting,
    /// The image runs it.
    Running,
    /// It has ended. The position is that of its last line in the session's log.
    Ended(Arc<Outcome>, u64),
}

/// What changes while it runs, apart from its stage.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Told by the event link; whoever follows the evaluation takes it.
    pub(crate) announced: Option<Outcome>,
    pub(crate) output: Output,
    pub(crate) started: Option<Started>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    pub(crate) at: Timestamp,
    pub(crate) instant: Instant,
    /// Position of `evaluation_started` in the log.
    pub(crate) position: u64,
}

impl Evaluation {
    /// A record of something that is about to be accepted, in the book at once.
    pub(crate) fn new(
        id: String,
        code: String,
        by: Requester,
        session: Option<&Arc<Session>>,
        book: &Book,
    ) -> Arc<Self> {
        let evaluation = Arc::new(Self {
            id,
            code,
            by,
            owner: session.map_or(by.uid, |session| session.owner),
            accepted_at: Instant::now(),
            session: session.map(Arc::downgrade).unwrap_or_default(),
            book: book.clone(),
            outcome_bytes: AtomicUsize::new(0),
            end_was_told: Arc::default(),
            progress: Mutex::new(Progress::default()),
            stage: watch::Sender::new(Stage::Queued),
            left_queue_at: OnceLock::new(),
            nudge: Notify::new(),
        });
        book.known
            .insert(evaluation.id.clone(), Arc::downgrade(&evaluation));
        evaluation
    }

    /// The record of one that has ended, as the log has it; in no book.
    pub(crate) fn of_log(
        ended: &EndedEvaluation,
        started: Option<EvaluationStartedData>,
        outcome: Outcome,
        session: &Arc<Session>,
    ) -> Arc<Self> {
        let nobody = Requester {
            client: 0,
            pid: 0,
            uid: session.owner,
        };
        let by = started.as_ref().and_then(|started| started.by);
        Arc::new(Self {
            id: ended.id.clone(),
            code: started.map(|started| started.code).unwrap_or_default(),
            by: by.unwrap_or(nobody),
            owner: session.owner,
            accepted_at: Instant::now(),
            session: Arc::downgrade(session),
            book: Book::default(),
            outcome_bytes: AtomicUsize::new(0),
            end_was_told: Arc::default(),
            progress: Mutex::new(Progress::default()),
            stage: watch::Sender::new(Stage::Ended(Arc::new(outcome), ended.ended)),
            left_queue_at: OnceLock::new(),
            nudge: Notify::new(),
        })
    }

    /// Where it runs; none when it has bindings of its own, or when the session is gone.
    #[must_use]
    pub fn session(&self) -> Option<Arc<Session>> {
        self.session.upgrade()
    }

    /// How far it is, with changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// How it ended and where in the log; none while it has not.
    #[must_use]
    pub fn ended(&self) -> Option<(Arc<Outcome>, u64)> {
        match &*self.stage.borrow() {
            Stage::Ended(outcome, position) => Some((Arc::clone(outcome), *position)),
            _ => None,
        }
    }

    /// Waits for its end.
    pub async fn end(&self) -> (Arc<Outcome>, u64) {
        let mut stage = self.stage.subscribe();
        loop {
            if let Stage::Ended(outcome, position) = &*stage.borrow_and_update() {
                return (Arc::clone(outcome), *position);
            }
            // The sender is in `self`.
            let _ = stage.changed().await;
        }
    }

    /// Waits until the image runs it or it has ended.
    pub async fn begun(&self) {
        let mut stage = self.stage.subscribe();
        let begun = |stage: &Stage| matches!(stage, Stage::Running | Stage::Ended(..));
        let _ = stage.wait_for(begun).await;
    }

    /// Whether it is at the image, or on its way there.
    pub(crate) fn is_running(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Starting | Stage::Running)
    }

    /// As operators see it; none when it has ended.
    pub(crate) fn show(&self) -> Option<ShownEvaluation> {
        if self.is_ended() {
            return None;
        }
        let age = self.accepted_at.elapsed().as_millis();
        Some(ShownEvaluation {
            evaluation_id: self.id.clone(),
            running: self.is_running(),
            session: self.session().map(|session| session.name()),
            uid: self.owner,
            client: self.by.client,
            age_ms: age.try_into().unwrap_or(u64::MAX),
        })
    }

    pub(crate) fn is_ended(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Ended(..))
    }

    /// Goes to a stage, unless it has ended.
    pub(crate) fn set_stage(&self, next: Stage) {
        self.stage.send_if_modified(|stage| {
            let changes = !matches!(stage, Stage::Ended(..));
            if changes {
                *stage = next;
            }
            changes
        });
    }

    /// Goes from waiting to the image. False when somebody has taken it back.
    pub(crate) fn leaves_queue(&self) -> bool {
        let leaves = self.change_queued(Stage::Starting);
        if leaves {
            self.left_queue_at.get_or_init(Instant::now);
        }
        leaves
    }

    /// Ends one without a session that still waits. False when it does not wait (any more).
    pub(crate) fn take_back(&self, why: Failure) -> bool {
        self.change_queued(Stage::Ended(Arc::new(Err(why)), 0))
    }

    fn change_queued(&self, next: Stage) -> bool {
        self.stage.send_if_modified(|stage| {
            let changes = *stage == Stage::Queued;
            if changes {
                *stage = next;
            }
            changes
        })
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn started(&self) -> Option<Started> {
        self.progress().started
    }

    /// The event link told the end.
    pub(crate) fn announce(&self, outcome: Outcome) {
        self.end_was_told.store(true, Ordering::Relaxed);
        if !self.is_ended() {
            self.progress().announced = Some(outcome);
            self.nudge.notify_one();
        }
    }

    /// Remembers whose the ids are that it ends with, before anybody sees them.
    pub(crate) fn note_ids(&self, outcome: &Outcome) {
        let holder = match self.session() {
            Some(session) => Holder::Session(session.key),
            None => Holder::User(self.owner),
        };
        self.book.holdings.note(outcome, holder);
    }

    pub(crate) fn take_announced(&self) -> Option<Outcome> {
        self.progress().announced.take()
    }

    pub(crate) fn has_announced(&self) -> bool {
        self.progress().announced.is_some()
    }

    /// Events may have been lost: somebody should ask.
    pub(crate) fn ask_again(&self) {
        self.nudge.notify_one();
    }

    pub(crate) fn begins(&self, position: u64) {
        self.progress().started = Some(Started {
            at: time::now(),
            instant: Instant::now(),
            position,
        });
        self.set_stage(Stage::Starting);
    }

    /// Goes on with one that began under an earlier daemon. `told` is what of its output is in the
    /// log, when the log still has all of that.
    pub(crate) fn resumes(&self, begun: BegunRecord, told: Option<ToldOutput>) {
        let mut progress = self.progress();
        progress.started = Some(Started {
            at: begun.at,
            instant: begun.instant(),
            position: begun.position,
        });
        progress.output.goes_on(told);
        drop(progress);
        self.set_stage(Stage::Starting);
        self.ask_again();
    }

    /// Bytes that keeping it costs, about.
    pub(crate) fn bytes(&self) -> usize {
        let outcome = self.outcome_bytes.load(Ordering::Relaxed);
        self.code.len() + outcome + size_of::<Self>()
    }

    pub(crate) fn set_outcome_bytes(&self, bytes: usize) {
        self.outcome_bytes.store(bytes, Ordering::Relaxed);
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        // Another one may have got the id meanwhile.
        let is_dead = |_: &String, known: &Weak<Self>| known.strong_count() == 0;
        self.book.known.remove_if(&self.id, is_dead);
    }
}
