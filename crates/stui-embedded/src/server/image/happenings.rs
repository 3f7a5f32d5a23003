//! What the VM tells and what the clock says.

use std::time::Instant;

use stui_protocol::image::OutputData;
use stui_protocol::{EventName, Outcome};
use uuid::Uuid;

use super::super::commands::{debug, define_class, evaluate, file_in, inspect, run_tests};
use super::super::debuggers::{self, DebugSession};
use super::super::escalation::Push;
use super::super::evaluations::{Due, Evaluation, Waiter, Work};
use super::super::failures::{self, Told};
use super::super::output::Output;
use super::{Image, TRANSCRIPT_BYTES};
use crate::vm::{self, ErrorReport, EvaluationTag, InterruptReason, ProcessId, VmEvent};

/// Whether an evaluation is done with the end of one of its processes.
pub(in crate::server) enum Next {
    /// Another process works for it now.
    Going,
    /// It has its outcome.
    Done(Outcome),
}

impl Image {
    /// Takes what the VM has to tell; says whether there was anything.
    pub(super) fn take_happenings(&mut self) -> bool {
        let events = self.vm.take_events();
        let any = !events.is_empty();
        for event in events {
            match event {
                VmEvent::Output { tag, text } => self.take_output(tag, &text),
                VmEvent::Ended {
                    tag,
                    outcome,
                    process,
                } => self.take_end(tag, process, outcome),
                VmEvent::Suspended { tag, error, .. } => self.take_suspension(tag, &error),
                VmEvent::Stepped { tag, .. } => debug::stands_still(self, tag),
            }
        }
        any
    }

    fn take_output(&mut self, tag: EvaluationTag, text: &str) {
        if let Some(evaluation) = self.evaluations.get_mut(tag) {
            evaluation.output.write(text);
        } else if let Some(kept) = self.debuggers.get_mut(tag) {
            kept.output.write(text);
        } else if let Some(one) = self.lingering.iter_mut().find(|one| one.tag == tag) {
            one.output.write(text);
        } else {
            self.transcript.write(text);
        }
    }

    /// A process has ended.
    fn take_end(&mut self, tag: EvaluationTag, process: ProcessId, outcome: vm::Outcome) {
        if self.debuggers.get_mut(tag).is_some() {
            debug::ended(self, tag, outcome);
            return;
        }
        let ours = self
            .evaluations
            .get_mut(tag)
            .is_some_and(|evaluation| evaluation.process == process);
        let Some(mut evaluation) = ours.then(|| self.evaluations.remove(tag)).flatten() else {
            if let vm::Outcome::Finished { value, .. } = outcome {
                self.vm.unpin(value);
            }
            return;
        };
        let tier = match &outcome {
            vm::Outcome::Interrupted { tier } | vm::Outcome::TimedOut { tier } => Some(*tier),
            _ => None,
        };
        let next = match &evaluation.work {
            Work::Code { .. } => Next::Done(evaluate::ended(self, &evaluation, outcome)),
            Work::Tests(_) => run_tests::test_ended(self, &mut evaluation, &outcome),
            Work::Look(_) => Next::Done(inspect::found(self, &mut evaluation, &outcome)),
            Work::Definition => Next::Done(define_class::evaluated(self, &evaluation, &outcome)),
            Work::FileIn(_) => file_in::expression_ended(self, &mut evaluation, &outcome),
        };
        match next {
            Next::Going => self.evaluations.add(evaluation),
            Next::Done(outcome) => self.finish(evaluation, &outcome, tier),
        }
    }

    /// A process stands at an error: the evaluation has failed, its process is kept.
    fn take_suspension(&mut self, tag: EvaluationTag, error: &ErrorReport) {
        if self.debuggers.get_mut(tag).is_some() {
            debug::stands_still(self, tag);
            return;
        }
        let Some(mut evaluation) = self.evaluations.remove(tag) else {
            return;
        };
        if evaluation.stopping.is_some() {
            // Somebody wants it to end; an error on the way is no reason to keep it.
            self.evaluations.add(evaluation);
            self.terminate(tag);
            return;
        }
        let debug_session = self.keep_for_debugger(&mut evaluation);
        let mut told = Told::of(&evaluation);
        told.debug_session_id = Some(debug_session.id.clone());
        let failure = failures::evaluation_error(error, told);
        evaluation.owns_workspace = false;
        if let Some(data) = evaluation.output.take_new() {
            self.tell_output_of(evaluation.session.as_deref(), &evaluation.id, &data);
        }
        if let Some(oldest) = self.debuggers.add(debug_session) {
            debug::terminate(self, oldest);
        }
        self.finish(evaluation, &Err(failure), None);
    }

    fn keep_for_debugger(&self, evaluation: &mut Evaluation) -> DebugSession {
        DebugSession {
            id: Uuid::new_v4().to_string(),
            evaluation_id: evaluation.id.clone(),
            session: evaluation.session.clone(),
            workspace: evaluation.workspace,
            owns_workspace: evaluation.owns_workspace,
            process: evaluation.process,
            tag: evaluation.tag,
            running: false,
            output: Output::new(self.bounds.output_bytes),
            waiters: Vec::new(),
            interrupts: Vec::new(),
            stopping: None,
        }
    }

    /// Publishes what was written since the last turn.
    pub(super) fn tell_output(&mut self) {
        for (tag, data) in self.evaluations.take_output() {
            if let Some(evaluation) = self.evaluations.get_mut(tag) {
                let (session, id) = (evaluation.session.clone(), evaluation.id.clone());
                self.tell_output_of(session.as_deref(), &id, &data);
            }
        }
        for (tag, text) in self.debuggers.take_output() {
            if let Some(kept) = self.debuggers.get_mut(tag) {
                let (session, id) = (kept.session.clone(), kept.evaluation_id.clone());
                self.tell_output_of(session.as_deref(), &id, &OutputData::new(text));
            }
        }
        let mut left = Vec::new();
        for one in &mut self.lingering {
            if let Some(new) = one.output.take_new() {
                left.push((one.session.clone(), one.evaluation_id.clone(), new.text));
            }
        }
        for (session, id, text) in left {
            self.tell_output_of(Some(&session), &id, &OutputData::new(text));
        }
        if let Some(new) = self.transcript.take_new() {
            self.transcript = Output::new(TRANSCRIPT_BYTES);
            let data = OutputData::new(new.text);
            self.publisher
                .tell(EventName::Transcript, None, None, &data);
        }
    }

    /// Publishes output of an evaluation.
    pub(super) fn tell_output_of(
        &mut self,
        session: Option<&str>,
        evaluation: &str,
        data: &OutputData,
    ) {
        self.publisher
            .tell(EventName::Output, session, Some(evaluation), data);
    }

    /// Does what the time has come for; says whether there was anything that changes the VM.
    pub(super) fn do_what_is_due(&mut self, now: Instant) -> bool {
        if now >= self.next_beat {
            self.beat(now);
        }
        let due = self.evaluations.due(now);
        let debug_due = self.debuggers.due(now);
        let any = !due.is_empty() || !debug_due.is_empty();
        for due in due {
            match due {
                Due::TimeOver(tag) => self.stop(tag, InterruptReason::Timeout),
                Due::Push(tag, push) => self.push(tag, push),
                Due::WaitOver(waiter, tag) => self.wait_is_over(&waiter, tag),
            }
        }
        for due in debug_due {
            match due {
                debuggers::Due::Push(tag, _) => debug::abandon(self, tag),
                debuggers::Due::WaitOver(request, tag) => debug::still_runs(self, &request, tag),
            }
        }
        any
    }

    fn push(&mut self, tag: EvaluationTag, push: Push) {
        let Some(evaluation) = self.evaluations.get_mut(tag) else {
            return;
        };
        let process = evaluation.process;
        let reason = evaluation
            .stopping
            .as_ref()
            .map_or(InterruptReason::User, |stopping| stopping.reason);
        match push {
            Push::Terminate => self.vm.terminate(process, reason),
            Push::Abandon => self.vm.abandon(process, reason),
        }
    }

    fn wait_is_over(&mut self, waiter: &Waiter, tag: EvaluationTag) {
        if let Some(answer) = self.still_running(tag, waiter.output_from) {
            self.settle(&waiter.request, Ok(answer));
        }
    }
}
