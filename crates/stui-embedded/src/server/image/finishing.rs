//! The end of an evaluation: everybody who waits is told, and what it leaves is tidied up.

use std::time::Instant;

use stui_protocol::image::{
    CloseSession, CloseSessionResult, Evaluated, EvaluationFinishedData, HistoryEntry, Interrupt,
    InterruptResult, Job, Tier,
};
use stui_protocol::{EventName, Failure, Outcome, time};

use super::super::commands::value_of;
use super::super::evaluations::{Evaluation, StopAsker, Work};
use super::super::failures;
use super::super::output::Output;
use super::running::session_of;
use super::{Image, Lingering, MAX_LINGERING};
use crate::vm::Tier as VmTier;

impl Image {
    /// An evaluation, which is out of the table, has its outcome: everybody is told.
    pub(in crate::server) fn finish(
        &mut self,
        mut evaluation: Evaluation,
        outcome: &Outcome,
        tier: Option<VmTier>,
    ) {
        if let Some(data) = evaluation.output.take_new() {
            self.tell_output_of(session_of(&evaluation), &evaluation.id, &data);
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
            output: std::mem::replace(&mut evaluation.output, Output::new(0)),
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
