//! The evaluations of a session: those that wait or run, and the newest that have ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stui_protocol::daemon::PastEvaluation;
use stui_protocol::image::{EvaluationFinishedData, EvaluationStartedData};
use stui_protocol::message::Outcome;
use stui_protocol::time::Timestamp;
use stui_protocol::{Event, Failure};

use super::{Evaluation, Session};
use crate::store::EndedEvaluation;

/// Ended evaluations that stay in memory. All others are read from the log when somebody asks.
const MOST: usize = 2;
/// Bytes of their code and outcomes. A larger one does not stay: the log has it, and hundreds of
/// sessions that rest must not hold what the last evaluation of each has printed.
const MOST_BYTES: usize = 8 * 1024;
/// Those that do not stay, and whose forked processes may still write.
const MOST_LATE: usize = 8;

/// In the order in which they were accepted.
#[derive(Debug, Default)]
pub(crate) struct History {
    evaluations: VecDeque<Arc<Evaluation>>,
    /// Oldest first.
    late: VecDeque<Late>,
}

/// What is left of an ended evaluation that did not stay.
#[derive(Debug)]
struct Late {
    id: String,
    end_was_told: Arc<AtomicBool>,
}

impl History {
    pub(crate) fn add(&mut self, evaluation: Arc<Evaluation>) {
        self.evaluations.push_back(evaluation);
    }

    /// Forgets the oldest while there are too many. Those that have not ended are not counted
    /// and stay: the queue bounds them.
    pub(crate) fn trim(&mut self) {
        let ended = self.evaluations.iter().filter(|each| each.is_ended());
        let (mut count, mut bytes) = ended.fold((0, 0), |(count, bytes), each| {
            (count + 1, bytes + each.bytes())
        });
        while count > MOST || bytes > MOST_BYTES {
            let oldest = self.evaluations.iter().position(|each| each.is_ended());
            let Some(forgotten) = oldest.and_then(|oldest| self.evaluations.remove(oldest)) else {
                return;
            };
            bytes -= forgotten.bytes();
            count -= 1;
            if self.late.len() == MOST_LATE {
                self.late.pop_front();
            }
            self.late.push_back(Late {
                id: forgotten.id.clone(),
                end_was_told: Arc::clone(&forgotten.end_was_told),
            });
        }
    }

    /// Whether the event link has told the end of an evaluation that did not stay; none for any
    /// other.
    fn late(&self, id: &str) -> Option<&AtomicBool> {
        let late = self.late.iter().find(|late| late.id == id)?;
        Some(&late.end_was_told)
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Evaluation>> {
        self.evaluations.iter()
    }
}

impl Session {
    /// Output of an evaluation that has ended and did not stay: a process that it forked goes on.
    /// What comes before the end is told was in the outcome.
    pub(crate) fn late_output(&self, id: &str, text: &str) {
        let facts = self.facts();
        let end_was_told = facts.history.late(id);
        let is_new = end_was_told.is_some_and(|told| told.load(Ordering::Relaxed));
        drop(facts);
        if is_new {
            self.tell_output(id, text);
        }
    }

    /// The event link tells the end of an evaluation that has ended and did not stay.
    pub(crate) fn late_end(&self, id: &str) {
        if let Some(end_was_told) = self.facts().history.late(id) {
            end_was_told.store(true, Ordering::Relaxed);
        }
    }

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

    /// Past evaluations, oldest first: the newest `limit` of those whose code has the text. Reads
    /// from disk.
    #[must_use]
    pub fn history(&self, grep: Option<&str>, limit: usize) -> Vec<PastEvaluation> {
        let known: Vec<_> = self.facts().history.iter().cloned().collect();
        let matches = |each: &PastEvaluation| grep.is_none_or(|text| each.code.contains(text));
        let mut newest: Vec<PastEvaluation> = known
            .iter()
            .rev()
            .filter(|each| !each.is_ended())
            .filter_map(|each| each.as_past())
            .filter(matches)
            .take(limit)
            .collect();
        let mut before = u64::MAX;
        while newest.len() < limit {
            let ended = self.store.history(self.key, before, PAGE);
            let Some(oldest) = ended.last() else {
                break;
            };
            before = oldest.ended;
            let past = ended.iter().filter_map(|each| self.past(each));
            newest.extend(past.map(|past| past.into_answer()).filter(matches));
        }
        newest.truncate(limit);
        newest.reverse();
        newest
    }

    /// An evaluation that has ended, read from the log; none when its beginning is gone.
    fn past(&self, ended: &EndedEvaluation) -> Option<Past> {
        let begun = self.event(ended.begun?)?;
        Some(Past {
            id: ended.id.clone(),
            position: ended.begun?,
            started_at: begun.timestamp,
            started: begun.data_as()?,
            outcome: self.outcome(ended)?,
        })
    }

    /// How an evaluation has ended, read from the log.
    fn outcome(&self, ended: &EndedEvaluation) -> Option<Outcome> {
        let finished = self.event(ended.ended)?;
        Some(finished.data_as::<EvaluationFinishedData>()?.into())
    }

    /// The record of an evaluation that has ended and is not in memory any more.
    pub(crate) fn read_ended(self: &Arc<Self>, ended: &EndedEvaluation) -> Option<Arc<Evaluation>> {
        let outcome = self.outcome(ended)?;
        let started = ended.begun.and_then(|position| self.event(position));
        let started = started.and_then(|event| event.data_as::<EvaluationStartedData>());
        Some(Evaluation::of_log(ended, started, outcome, self))
    }

    fn event(&self, position: u64) -> Option<Event> {
        let line = self.log.line(position)?;
        serde_json::from_slice(&line).ok()
    }
}

/// Evaluations that are read at once.
const PAGE: usize = 32;

/// An evaluation as the log has it.
struct Past {
    id: String,
    position: u64,
    started_at: Timestamp,
    started: EvaluationStartedData,
    outcome: Outcome,
}

impl Past {
    fn into_answer(self) -> PastEvaluation {
        let (result, failure) = result_and_failure(Some(&self.outcome));
        PastEvaluation {
            evaluation_id: self.id,
            position: self.position,
            code: self.started.code,
            started_at: self.started_at,
            result,
            failure,
        }
    }
}

fn result_and_failure(outcome: Option<&Outcome>) -> (Option<String>, Option<Failure>) {
    match outcome {
        Some(Ok(value)) => (value["result"].as_str().map(str::to_owned), None),
        Some(Err(failure)) => (None, Some(failure.clone())),
        None => (None, None),
    }
}

impl Evaluation {
    /// None for one that has not begun.
    fn as_past(&self) -> Option<PastEvaluation> {
        let started = self.started()?;
        let outcome = self.ended().map(|(outcome, _)| outcome);
        let (result, failure) = result_and_failure(outcome.as_deref());
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
