//! The table of evaluations: those under way with their deadlines and waiters, and the outcomes
//! of those that have ended.
//!
//! Pure: it says what is due, and whoever owns the VM does it.

mod ended;
mod evaluation;

use std::collections::HashMap;
use std::time::Instant;

use stui_protocol::image::OutputData;
use stui_protocol::{ErrorType, Failure};

use crate::vm::EvaluationTag;

pub(super) use ended::Ended;
pub(super) use evaluation::{Evaluation, StopAsker, Waiter, Work};

use super::escalation::Push;

/// Evaluations under way at a time, all sessions together. Each has a process, frames, output.
pub(super) const MAX_RUNNING: usize = 500;

/// Something that the time has come for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The evaluation has run as long as it may.
    TimeOver(EvaluationTag),
    /// It did not end when it was asked to.
    Push(EvaluationTag, Push),
    /// The request has waited as long as it would for this evaluation.
    WaitOver(Waiter, EvaluationTag),
}

/// All evaluations.
#[derive(Debug, Default)]
pub(super) struct Evaluations {
    running: HashMap<EvaluationTag, Evaluation>,
    /// Tags of the evaluations that clients know, by id.
    tags: HashMap<String, EvaluationTag>,
    ended: Ended,
}

impl Evaluations {
    /// Whether one more may start.
    ///
    /// # Errors
    /// `UnsupportedOperation` with the limit.
    pub(super) fn check_room(&self) -> Result<(), Failure> {
        if self.running.len() < MAX_RUNNING {
            return Ok(());
        }
        Err(Failure::new(
            ErrorType::UnsupportedOperation,
            format!(
                "{MAX_RUNNING} evaluations are under way: wait for one to end, or interrupt one"
            ),
        )
        .with("limit", MAX_RUNNING))
    }

    /// Adds an evaluation that has started.
    pub(super) fn add(&mut self, evaluation: Evaluation) {
        if evaluation.work.is_visible() {
            self.tags.insert(evaluation.id.clone(), evaluation.tag);
        }
        self.running.insert(evaluation.tag, evaluation);
    }

    /// One that is under way.
    pub(super) fn get_mut(&mut self, tag: EvaluationTag) -> Option<&mut Evaluation> {
        self.running.get_mut(&tag)
    }

    /// The tag of one under way that clients know by this id.
    pub(super) fn tag(&self, id: &str) -> Option<EvaluationTag> {
        self.tags.get(id).copied()
    }

    /// Takes one out that has ended.
    pub(super) fn remove(&mut self, tag: EvaluationTag) -> Option<Evaluation> {
        let evaluation = self.running.remove(&tag)?;
        if evaluation.work.is_visible() {
            self.tags.remove(&evaluation.id);
        }
        Some(evaluation)
    }

    /// The outcomes of those that have ended.
    pub(super) fn ended(&mut self) -> &mut Ended {
        &mut self.ended
    }

    /// Whether this id was used for an evaluation, under way or ended.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.tags.contains_key(id) || self.ended.get(id).is_some()
    }

    /// How many that clients know are under way.
    pub(super) fn running(&self) -> usize {
        self.tags.len()
    }

    /// Tags of all under way whose session is this.
    pub(super) fn of_session(&self, session: &str) -> Vec<EvaluationTag> {
        self.running
            .values()
            .filter(|evaluation| evaluation.session.as_deref() == Some(session))
            .map(|evaluation| evaluation.tag)
            .collect()
    }

    /// Tags of all under way.
    pub(super) fn all(&self) -> Vec<EvaluationTag> {
        self.running.keys().copied().collect()
    }

    /// New output of all, for events.
    pub(super) fn take_output(&mut self) -> Vec<(EvaluationTag, OutputData)> {
        self.running
            .values_mut()
            .filter_map(|evaluation| Some((evaluation.tag, evaluation.output.take_new()?)))
            .collect()
    }

    /// What is due at `now`; each thing is told once.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        for evaluation in self.running.values_mut() {
            evaluation.due(now, &mut due);
        }
        due
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.running
            .values()
            .filter_map(Evaluation::next_deadline)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::escalation::{Escalation, SIGNAL_PATIENCE};
    use super::*;
    use crate::vm::{InterruptReason, ProcessId, WorkspaceId};

    const MS: Duration = Duration::from_millis(1);

    fn evaluation(id: &str, tag: u64, now: Instant) -> Evaluation {
        let work = Work::Code {
            code: "3 + 4".into(),
            keep_result: true,
        };
        let mut evaluation = Evaluation::new(id.into(), EvaluationTag(tag), work, now, 100);
        evaluation.process = ProcessId(tag);
        evaluation.workspace = WorkspaceId(1);
        evaluation
    }

    #[test]
    fn an_evaluation_is_due_when_its_time_is_over_and_then_until_it_ends() {
        let start = Instant::now();
        let mut evaluations = Evaluations::default();
        let tag = EvaluationTag(1);
        evaluations.add(evaluation("a", 1, start).timing_out(Some(50)));
        assert_eq!(evaluations.deadline(), Some(start + 50 * MS));
        assert_eq!(evaluations.due(start + 49 * MS), []);
        let over = start + 50 * MS;
        assert_eq!(evaluations.due(over), [Due::TimeOver(tag)]);
        assert_eq!(evaluations.due(over), []);
        let running = evaluations.get_mut(tag).unwrap();
        running.stopping = Some(Escalation::signalled(InterruptReason::Timeout, over));
        assert_eq!(evaluations.deadline(), Some(over + SIGNAL_PATIENCE));
        assert_eq!(
            evaluations.due(over + SIGNAL_PATIENCE),
            [Due::Push(tag, Push::Terminate)]
        );
    }

    #[test]
    fn a_waiter_is_told_once_and_others_go_on_waiting() {
        let start = Instant::now();
        let mut evaluations = Evaluations::default();
        let mut running = evaluation("a", 1, start);
        for (request, after) in [("r1", 10), ("r2", 20)] {
            let waiter = Waiter::new(request, Some(start + after * MS));
            running.waiters.push(waiter);
        }
        evaluations.add(running);
        let tag = EvaluationTag(1);
        let due = evaluations.due(start + 10 * MS);
        let [Due::WaitOver(waiter, over)] = due.as_slice() else {
            panic!("{due:?}");
        };
        assert_eq!((waiter.request.as_str(), *over), ("r1", tag));
        assert_eq!(evaluations.deadline(), Some(start + 20 * MS));
        let ended = evaluations.remove(tag).unwrap();
        assert_eq!(ended.waiters.len(), 1);
        assert_eq!(evaluations.deadline(), None);
    }

    #[test]
    fn only_evaluations_that_clients_started_are_known_and_counted() {
        let start = Instant::now();
        let mut evaluations = Evaluations::default();
        evaluations.add(evaluation("a", 1, start));
        let mut hidden = evaluation("b", 2, start);
        hidden.work = Work::Definition;
        evaluations.add(hidden);
        assert_eq!(evaluations.running(), 1);
        assert!(evaluations.knows("a"));
        assert!(!evaluations.knows("b"));
        evaluations.remove(EvaluationTag(1));
        assert!(!evaluations.knows("a"));
    }

    #[test]
    fn there_is_room_for_so_many() {
        let start = Instant::now();
        let mut evaluations = Evaluations::default();
        for n in 0..MAX_RUNNING as u64 {
            assert!(evaluations.check_room().is_ok());
            evaluations.add(evaluation(&n.to_string(), n, start));
        }
        let full = evaluations.check_room().unwrap_err();
        assert_eq!(full.error_type, ErrorType::UnsupportedOperation);
    }
}
