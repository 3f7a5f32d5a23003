//! What waits in a session and what runs, and what its task can be told to do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use stui_protocol::daemon::WaitingEvaluation;
use stui_protocol::{Failure, Request};

use super::evaluation::Evaluation;
use super::shown_code;
use super::waiting::Wait;
use super::witness::Again;
use crate::notes::Notes;
use crate::store::BegunRecord;

/// Waiting evaluations in `list_sessions`.
const SHOWN_WAITING: usize = 8;

/// Called once: with the number of those before it when the evaluation is accepted, before
/// anything of it is in the log; else with why it is not.
pub(crate) type Accepted = Box<dyn FnOnce(Result<u64, Failure>) + Send>;

/// An evaluation that waits.
pub(crate) struct Job {
    pub(crate) evaluation: Arc<Evaluation>,
    /// Starts it in the image; none for one that was found running there.
    pub(crate) start: Option<Request>,
    /// How long the code may run.
    pub(crate) timeout: Option<Duration>,
    /// Where its place in the queue is told.
    pub(crate) notes: Option<Notes>,
    pub(crate) accepted: Option<Accepted>,
    /// Where it began, when it did so under an earlier daemon.
    pub(crate) begun: Option<BegunRecord>,
    /// How that one is sent again, if that may be.
    pub(crate) again: Option<Box<Again>>,
    pub(crate) wait: Wait,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("evaluation", &self.evaluation.id)
            .finish_non_exhaustive()
    }
}

/// What waits and what runs.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) waiting: VecDeque<Job>,
    pub(crate) running: Option<Arc<Evaluation>>,
    pub(crate) stray: Option<Stray>,
}

/// An evaluation whose end the daemon could not wait for: its outcome was told as unknown, and the
/// image may run it still. The next one of the session waits until it does not.
#[derive(Clone, Debug)]
pub(crate) struct Stray {
    pub(crate) evaluation: Arc<Evaluation>,
    /// In which life of the image; it does not outlive it.
    pub(super) life: String,
}

impl Queue {
    /// Evaluations before the first that waits.
    pub(super) fn ahead(&self) -> usize {
        usize::from(self.running.is_some() || self.stray.is_some())
    }

    /// The first of those that wait, as clients see them.
    pub(super) fn show_waiting(&self) -> Vec<WaitingEvaluation> {
        let first = self.waiting.iter().take(SHOWN_WAITING);
        first
            .map(|job| WaitingEvaluation {
                evaluation_id: job.evaluation.id.clone(),
                code: shown_code(&job.evaluation),
                waiting_ms: (job.evaluation.accepted_at.elapsed().as_millis())
                    .try_into()
                    .unwrap_or(u64::MAX),
            })
            .collect()
    }
}

/// What the session's task has to do next.
pub(crate) enum Work {
    Open,
    Evaluate(Box<Job>),
    /// See whether that one has ended in the image.
    Outwait(Arc<Evaluation>),
    /// Wait until it is known whether the image has the session.
    Locate,
    Nothing,
    Closed,
}
