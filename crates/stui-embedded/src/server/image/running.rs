//! Starting evaluations, waiting for them, stopping them.

use std::time::{Duration, Instant};

use stui_protocol::image::{Evaluate, EvaluationStartedData, Job};
use stui_protocol::{Command, EventName, Version};

use super::super::commands::{Asked, value_of};
use super::super::escalation::Escalation;
use super::super::evaluations::{Evaluation, Waiter, Work};
use super::Image;
use crate::vm::{CompiledCode, EvaluationTag, InterruptReason, OnError, ProcessId, SpawnOptions};

/// Longest wait of a reply for the end of an evaluation. Clients ask again.
pub(in crate::server) const MAX_WAIT: Duration = Duration::from_secs(600);

/// Lines of the stack that are told of an evaluation that was stopped.
const STOPPED_LINES: usize = 50;

/// How an evaluation runs its code.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::server) struct Run {
    /// Print the value, at most this many characters.
    pub(in crate::server) print_limit: Option<usize>,
    /// What happens at an unhandled error.
    pub(in crate::server) on_error: OnError,
}

impl Image {
    /// An evaluation that is not in the table yet.
    pub(in crate::server) fn new_evaluation(&mut self, id: &str, work: Work) -> Evaluation {
        self.last_tag += 1;
        Evaluation::new(
            id.to_owned(),
            EvaluationTag(self.last_tag),
            work,
            Instant::now(),
            self.bounds.output_bytes,
        )
    }

    /// Starts a process that runs code for an evaluation.
    pub(in crate::server) fn spawn(
        &mut self,
        evaluation: &Evaluation,
        code: &CompiledCode,
        run: Run,
    ) -> ProcessId {
        let options = SpawnOptions {
            evaluation: evaluation.tag,
            name: format!("stui evaluation {:.64}", evaluation.id),
            print_limit: run.print_limit,
            on_error: run.on_error,
        };
        self.vm.spawn(code, options)
    }

    /// Puts a visible evaluation into the table and tells that it began. Its session is busy now.
    pub(in crate::server) fn begin(&mut self, evaluation: Evaluation, code: &str) {
        self.evaluations_total += 1;
        if let Some(session) = session_of(&evaluation).and_then(|id| self.sessions.get_mut(id)) {
            session.running = Some(evaluation.id.clone());
            session.evaluations += 1;
        }
        self.publisher.tell(
            EventName::EvaluationStarted,
            session_of(&evaluation),
            Some(&evaluation.id),
            &EvaluationStartedData {
                code: code.to_owned(),
                by: None,
            },
        );
        self.evaluations.add(evaluation);
    }

    /// Puts an evaluation into the table that no client knows as one; its request is answered at
    /// its end.
    pub(in crate::server) fn start_hidden(&mut self, mut evaluation: Evaluation) {
        let waiter = Waiter::new(&evaluation.id, None);
        evaluation.waiters.push(waiter);
        self.evaluations.add(evaluation);
    }

    /// Until when a reply waits for an evaluation: `None` is not at all, `Some(None)` to the end.
    pub(in crate::server) fn wait_until(
        &self,
        asked: &Asked,
        wait_ms: Option<u64>,
    ) -> Option<Option<Instant>> {
        if self.is_crowded() {
            return None;
        }
        match wait_ms {
            Some(0) => None,
            Some(ms) => {
                let wait = Duration::from_millis(ms).min(MAX_WAIT);
                Some(Some(Instant::now() + wait))
            }
            None if asked.version < Version::V1_1 => Some(None),
            None => None,
        }
    }

    /// Has a request answered when the evaluation ends, or at `until`.
    pub(in crate::server) fn wait(&mut self, tag: EvaluationTag, waiter: Waiter) {
        if let Some(evaluation) = self.evaluations.get_mut(tag) {
            evaluation.waiters.push(waiter);
        }
    }

    /// The answer for an evaluation that goes on, with its output behind so many characters.
    pub(in crate::server) fn still_running(
        &mut self,
        tag: EvaluationTag,
        output_from: Option<u64>,
    ) -> Option<serde_json::Value> {
        let evaluation = self.evaluations.get_mut(tag)?;
        let mut answer = running_answer::<Evaluate, _>(&evaluation.id);
        if let Some(from) = output_from {
            let so_far = evaluation.output.since(from);
            answer["output"] = so_far.output.into();
            answer["output_end"] = so_far.output_end.into();
        }
        Some(answer)
    }

    /// Asks the process of an evaluation to stop; it is pushed until it does.
    pub(in crate::server) fn stop(&mut self, tag: EvaluationTag, reason: InterruptReason) {
        let Some(evaluation) = self.evaluations.get_mut(tag) else {
            return;
        };
        if evaluation.stopping.is_none() {
            evaluation.stopping = Some(Escalation::signalled(reason, Instant::now()));
            let process = evaluation.process;
            evaluation.stopped_in = self.vm.stack_lines(process, STOPPED_LINES);
            self.vm.interrupt(process, reason);
        }
    }

    /// Terminates the process of an evaluation without asking first.
    pub(in crate::server) fn terminate(&mut self, tag: EvaluationTag) {
        let Some(evaluation) = self.evaluations.get_mut(tag) else {
            return;
        };
        let reason = InterruptReason::User;
        evaluation.stopping = Some(Escalation::terminated(reason, Instant::now()));
        let process = evaluation.process;
        self.vm.terminate(process, reason);
    }
}

/// The id of an evaluation's session.
pub(in crate::server) fn session_of(evaluation: &Evaluation) -> Option<&str> {
    evaluation.session.as_deref()
}

/// The answer for an evaluation that goes on.
pub(in crate::server) fn running_answer<C: Command<Result = Job<T>>, T: serde::Serialize>(
    evaluation_id: &str,
) -> serde_json::Value {
    value_of::<C>(&Job::Running {
        evaluation_id: evaluation_id.to_owned(),
    })
}
