//! The evaluations of a session: those that wait or run, and the newest that have ended.

use std::collections::VecDeque;
use std::sync::Arc;

use stui_protocol::daemon::PastEvaluation;

use super::{Evaluation, Session};

/// Evaluations that are remembered, about 5 kB each. A client that waits for one has it whatever
/// happens here.
const MOST: usize = 128;
/// Bytes of code and outcomes that are remembered.
const MOST_BYTES: usize = 1024 * 1024;

/// In the order in which they were accepted.
#[derive(Debug, Default)]
pub(crate) struct History {
    evaluations: VecDeque<Arc<Evaluation>>,
}

impl History {
    pub(crate) fn add(&mut self, evaluation: Arc<Evaluation>) {
        self.evaluations.push_back(evaluation);
    }

    /// Forgets the oldest while there are too many. Those that have not ended are not counted
    /// and stay: the queue bounds them.
    pub(crate) fn trim(&mut self) {
        let ended = |each: &&Arc<Evaluation>| each.is_ended();
        let mut count = self.evaluations.iter().filter(ended).count();
        let mut bytes: usize = self.evaluations.iter().map(|each| each.bytes()).sum();
        while (count > MOST || bytes > MOST_BYTES) && count > 1 {
            let Some(oldest) = self.evaluations.iter().position(|each| each.is_ended()) else {
                return;
            };
            if let Some(forgotten) = self.evaluations.remove(oldest) {
                bytes -= forgotten.bytes();
                count -= 1;
            }
        }
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Evaluation>> {
        self.evaluations.iter()
    }
}

impl Session {
    /// Bytes of what it remembers, and of the code that waits, about.
    #[must_use]
    pub fn weight(&self) -> (usize, usize) {
        let facts = self.facts();
        let remembered = facts.history.iter().map(|each| each.bytes()).sum();
        let waiting = facts.queue.waiting.iter();
        (
            remembered,
            waiting.map(|job| job.evaluation.code.len()).sum(),
        )
    }

    /// Past evaluations, oldest first: the newest `limit` of those whose code has the text.
    #[must_use]
    pub fn history(&self, grep: Option<&str>, limit: usize) -> Vec<PastEvaluation> {
        let begun: Vec<_> = self.facts().history.iter().cloned().collect();
        let matches = |each: &&Arc<Evaluation>| grep.is_none_or(|text| each.code.contains(text));
        let mut newest: Vec<_> = begun
            .iter()
            .rev()
            .filter(matches)
            .filter_map(|each| each.as_past())
            .take(limit)
            .collect();
        newest.reverse();
        newest
    }
}

impl Evaluation {
    /// None for one that has not begun.
    fn as_past(&self) -> Option<PastEvaluation> {
        let started = self.started()?;
        let outcome = self.ended().map(|(outcome, _)| outcome);
        let (result, failure) = match outcome.as_deref() {
            Some(Ok(value)) => (value["result"].as_str().map(str::to_owned), None),
            Some(Err(failure)) => (None, Some(failure.clone())),
            None => (None, None),
        };
        Some(PastEvaluation {
            evaluation_id: self.id.clone(),
            position: started.position,
            code: self.code.clone(),
            started_at: started.at,
            result,
            failure,
        })
    }
}
