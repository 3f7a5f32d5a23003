//! Starting, stopping and finishing evaluations.

use std::time::{Duration, Instant};

use stui_protocol::image::{
    CloseSession, CloseSessionResult, Evaluated, EvaluationFinishedData, HistoryEntry, Interrupt,
    InterruptResult, Job, Tier,
};
use stui_protocol::{Command, EventName, Failure, Outcome, Version, time};

use super::super::commands::{Asked, value_of};
use super::super::escalation::Escalation;
use super::super::evaluations::{Evaluation, StopAsker, Waiter, Work};
use super::super::failures;
use super::{Image, Lingering, MAX_LINGERING};
use crate::value::Value;
use crate::vm::{
    CompiledCode, EvaluationTag, InterruptReason, OnError, Pin, ProcessId, SpawnOptions,
    Tier as VmTier, WorkspaceId,
};

/// Longest wait of a reply for the end of an evaluation. Clients ask again.
pub(in crate::server) const MAX_WAIT: Duration = Duration::from_secs(600);

/// Share of the heap, in percent, beyond which the registry gives up half of its objects.
const MEMORY_SHORT_PERCENT: usize = 75;

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
            &stui_protocol::image::EvaluationStartedData {
                code: code.to_owned(),
            },
        );
        self.evaluations.add(evaluation);
    }

    /// Puts an evaluation into the table that no client knows as one; its request is answered at
    /// its end.
    pub(in crate::server) fn start_hidden(&mut self, mut evaluation: Evaluation) {
        evaluation.waiters.push(Waiter {
            request: evaluation.id.clone(),
            until: None,
        });
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
    pub(in crate::server) fn wait(
        &mut self,
        tag: EvaluationTag,
        request: &str,
        until: Option<Instant>,
    ) {
        if let Some(evaluation) = self.evaluations.get_mut(tag) {
            evaluation.waiters.push(Waiter {
                request: request.to_owned(),
                until,
            });
        }
    }

    /// Asks the process of an evaluation to stop; it is pushed until it does.
    pub(in crate::server) fn stop(&mut self, tag: EvaluationTag, reason: InterruptReason) {
        let Some(evaluation) = self.evaluations.get_mut(tag) else {
            return;
        };
        if evaluation.stopping.is_none() {
            evaluation.stopping = Some(Escalation::signalled(reason, Instant::now()));
            let process = evaluation.process;
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

    /// An evaluation, which is out of the table, has its outcome: everybody is told.
    pub(in crate::server) fn finish(
        &mut self,
        mut evaluation: Evaluation,
        outcome: &Outcome,
        tier: Option<VmTier>,
    ) {
        if let Some(text) = evaluation.output.take_new() {
            self.tell_output_of(session_of(&evaluation), &evaluation.id, text);
        }
        let stopped = evaluation.stopping.is_some() || tier.is_some();
        if evaluation.work.is_visible() {
            self.note_end(&evaluation, outcome);
        }
        for waiter in std::mem::take(&mut evaluation.waiters) {
            self.settle(&waiter.request, outcome.clone());
        }
        self.answer_stop_askers(&mut evaluation, tier);
        self.leave_children(&mut evaluation, stopped);
        if evaluation.owns_workspace {
            self.doomed.push(evaluation.workspace);
        }
        self.drop_doomed();
        self.make_room();
    }

    /// What clients see of the end: the session is free, the outcome is kept and published.
    fn note_end(&mut self, evaluation: &Evaluation, outcome: &Outcome) {
        self.errors_total += u64::from(outcome.is_err());
        if let Some(session) = session_of(evaluation).and_then(|id| self.sessions.get_mut(id)) {
            session.running = None;
            session.last_used = Instant::now();
            session.modified();
            if let Work::Code { code, .. } = &evaluation.work {
                session
                    .history
                    .add(history_entry(&evaluation.id, code, outcome));
            }
        }
        let data = EvaluationFinishedData::from(outcome.clone());
        self.publisher.tell(
            EventName::EvaluationFinished,
            session_of(evaluation),
            Some(&evaluation.id),
            &data,
        );
        let bytes = serde_json::to_vec(&data).map_or(0, |bytes| bytes.len());
        self.evaluations
            .ended()
            .keep(evaluation.id.clone(), outcome.clone(), bytes);
    }

    fn answer_stop_askers(&mut self, evaluation: &mut Evaluation, tier: Option<VmTier>) {
        // One that ended by itself after the signal has taken it: the signal worked.
        let tier = tier.map_or(Tier::Signal, failures::tier);
        for asker in std::mem::take(&mut evaluation.stop_askers) {
            match asker {
                StopAsker::Interrupt { request } => {
                    let result = InterruptResult {
                        tier,
                        evaluation_id: Some(evaluation.id.clone()),
                    };
                    self.settle(&request, Ok(value_of::<Interrupt>(&result)));
                }
                StopAsker::Close { request, session } => {
                    let result = CloseSessionResult {
                        session_id: session,
                        closed: true,
                    };
                    self.settle(&request, Ok(value_of::<CloseSession>(&result)));
                }
            }
        }
    }

    /// Processes that the evaluation forked go on in its session, unless it was stopped.
    fn leave_children(&mut self, evaluation: &mut Evaluation, stopped: bool) {
        if self.vm.children(evaluation.tag) == 0 {
            return;
        }
        let lives = session_of(evaluation).is_some_and(|id| self.sessions.get_mut(id).is_some());
        let session = evaluation.session.take().filter(|_| lives && !stopped);
        let Some(session) = session else {
            self.vm.end_children(evaluation.tag);
            return;
        };
        self.lingering.push_back(Lingering {
            tag: evaluation.tag,
            evaluation_id: evaluation.id.clone(),
            session,
            output: std::mem::replace(&mut evaluation.output, super::super::output::Output::new(0)),
        });
        while self.lingering.len() > MAX_LINGERING {
            if let Some(oldest) = self.lingering.pop_front() {
                self.vm.end_children(oldest.tag);
            }
        }
    }

    /// Ends the processes that ended evaluations of a session left; says how many.
    pub(in crate::server) fn end_lingering(&mut self, session: &str) -> usize {
        let mut ended = 0;
        for one in &self.lingering {
            if one.session == session {
                ended += self.vm.end_children(one.tag);
            }
        }
        self.lingering.retain(|one| one.session != session);
        ended
    }

    /// Drops workspaces that wait for their last user to end.
    pub(in crate::server) fn drop_doomed(&mut self) {
        let mut kept = Vec::new();
        for workspace in std::mem::take(&mut self.doomed) {
            if self.is_used(workspace) {
                kept.push(workspace);
            } else {
                self.vm.drop_workspace(workspace);
            }
        }
        self.doomed = kept;
    }

    /// Marks a workspace to be dropped as soon as nothing runs in it.
    pub(in crate::server) fn doom(&mut self, workspace: WorkspaceId) {
        self.doomed.push(workspace);
        self.drop_doomed();
    }

    fn is_used(&mut self, workspace: WorkspaceId) -> bool {
        self.debuggers.uses(workspace)
            || self.evaluations.all().into_iter().any(|tag| {
                self.evaluations
                    .get_mut(tag)
                    .is_some_and(|evaluation| evaluation.workspace == workspace)
            })
    }

    /// Registers a value and answers its id.
    pub(in crate::server) fn register(&mut self, session: Option<&str>, pin: Pin) -> String {
        let (id, dropped) = self.objects.add(session.map(str::to_owned), pin);
        self.unpin_all(dropped);
        id
    }

    /// Pins and registers a value and answers its id.
    pub(in crate::server) fn register_value(
        &mut self,
        session: Option<&str>,
        value: Value,
    ) -> String {
        let pin = self.vm.pin(value);
        self.register(session, pin)
    }

    /// Releases pins.
    pub(in crate::server) fn unpin_all(&mut self, pins: Vec<Pin>) {
        for pin in pins {
            self.vm.unpin(pin);
        }
    }

    /// Registered results are a convenience: when memory gets short, the older half goes.
    fn make_room(&mut self) {
        let heap = self.vm.heap_stats();
        if heap.bytes > heap.limit_bytes / 100 * MEMORY_SHORT_PERCENT {
            let dropped = self.objects.shed();
            self.unpin_all(dropped);
        }
    }
}

/// The id of an evaluation's session.
pub(in crate::server) fn session_of(evaluation: &Evaluation) -> Option<&str> {
    evaluation.session.as_deref()
}

fn history_entry(id: &str, code: &str, outcome: &Outcome) -> HistoryEntry {
    let result = match outcome {
        Ok(value) => match serde_json::from_value(value.clone()) {
            Ok(Job::Finished(Evaluated { result, .. })) => result,
            _ => String::new(),
        },
        Err(Failure { error, .. }) => error.clone(),
    };
    HistoryEntry {
        evaluation_id: id.to_owned(),
        code: code.to_owned(),
        result,
        has_error: outcome.is_err(),
        timestamp: time::now(),
    }
}

/// The answer for an evaluation that goes on.
pub(in crate::server) fn running_answer<C: Command<Result = Job<T>>, T: serde::Serialize>(
    evaluation_id: &str,
) -> serde_json::Value {
    value_of::<C>(&Job::Running {
        evaluation_id: evaluation_id.to_owned(),
    })
}
