//! Evaluations that wait in a session: whose time is over, and who is to be told his place.

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::{ErrorType, Failure};
use tokio::time::Instant;

use super::queue::Job;
use super::seats::Seat;
use super::{Evaluation, Session};
use crate::image::LinkError;
use crate::notes::Notes;

/// Whoever waits longer is told his place, and again when it changes.
const UNTOLD: Duration = Duration::from_secs(1);

/// What a job has while it waits.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    /// Its place among all that wait.
    pub(super) seat: Option<Seat>,
    /// The place in the queue that was told last.
    told: Option<u64>,
}

impl Wait {
    /// A wait that has just begun.
    pub(super) fn at(seat: Option<Seat>) -> Self {
        Self { seat, told: None }
    }
}

impl Job {
    /// When its time is over: it counts from when it was accepted. What has begun under an earlier
    /// daemon is stopped otherwise.
    fn ends_by(&self) -> Option<Instant> {
        self.start.as_ref()?;
        self.evaluation.accepted_at.checked_add(self.timeout?)
    }

    fn tells_at(&self) -> Instant {
        self.evaluation.accepted_at + UNTOLD
    }
}

impl Session {
    /// Who waits, where that is to be told, and how many are before them: those who have waited
    /// long enough and do not know it yet, or all.
    pub(crate) fn places(&self, all: bool) -> Vec<(Arc<Evaluation>, Notes, u64)> {
        let now = Instant::now();
        let mut facts = self.facts();
        let ahead = facts.queue.ahead();
        let mut told = Vec::new();
        for (job, before) in facts.queue.waiting.iter_mut().zip(ahead as u64..) {
            let news = job.wait.told != Some(before) && job.tells_at() <= now;
            if let Some(notes) = job.notes.clone().filter(|_| news || all) {
                job.wait.told = Some(before);
                told.push((Arc::clone(&job.evaluation), notes, before));
            }
        }
        told
    }

    /// How many are before an evaluation; 0 when it does not wait any more.
    pub(crate) fn before(&self, evaluation: &Evaluation) -> u64 {
        let facts = self.facts();
        let mut waiting = facts.queue.waiting.iter();
        let index = waiting.position(|job| job.evaluation.id == evaluation.id);
        index.map_or(0, |index| (index + facts.queue.ahead()) as u64)
    }

    /// Ends those whose time is over before they began.
    pub(crate) fn end_overdue(&self) {
        let now = Instant::now();
        for job in self.take_waiting(|job| job.ends_by().is_some_and(|by| by <= now)) {
            let failure = never_began_in(job.timeout.unwrap_or_default());
            self.finish(&job.evaluation, Err(failure));
        }
    }

    /// The image could not be asked what keeps them waiting. Had they been sent to it, they would
    /// have been told so at once when it is down, and else after the time of an exchange with it.
    pub(crate) fn refuse_waiting(&self, error: LinkError, limit: Duration) {
        let limit = match error {
            // Everybody is told.
            LinkError::Stopped => return,
            LinkError::Down { .. } => Duration::ZERO,
            _ => limit,
        };
        let failure: Failure = match error.nothing_was_sent() {
            true => error.into(),
            // The question was; they were not.
            false => LinkError::NotSentInTime.into(),
        };
        self.refuse(&failure, |job| {
            job.start.is_some() && job.evaluation.accepted_at.elapsed() >= limit
        });
    }

    /// Ends those that this daemon has accepted. What an earlier one has waits on.
    pub(crate) fn refuse_newcomers(&self, failure: &Failure) {
        self.refuse(failure, |job| job.notes.is_some());
    }

    fn refuse(&self, failure: &Failure, is_meant: impl Fn(&Job) -> bool) {
        for job in self.take_waiting(is_meant) {
            self.finish(&job.evaluation, Err(failure.clone()));
        }
    }

    /// Takes out those of whom that is true.
    fn take_waiting(&self, is_meant: impl Fn(&Job) -> bool) -> Vec<Job> {
        let mut facts = self.facts();
        let waiting = std::mem::take(&mut facts.queue.waiting);
        let (taken, left): (Vec<Job>, Vec<Job>) = waiting.into_iter().partition(is_meant);
        facts.queue.waiting = left.into();
        taken
    }

    /// When the next of them is to be told something.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let facts = self.facts();
        let due = |job: &Job| {
            let tells_at = job.wait.told.is_none().then(|| job.tells_at());
            job.ends_by().into_iter().chain(tells_at).min()
        };
        facts.queue.waiting.iter().filter_map(due).min()
    }
}

fn never_began_in(limit: Duration) -> Failure {
    Failure::new(
        ErrorType::Timeout,
        format!(
            "the evaluation waited in its session for {} ms, which was all its time: it has not begun",
            limit.as_millis()
        ),
    )
    .with("sent", false)
}
