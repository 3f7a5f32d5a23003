//! How evaluations go through the queue of a session: accepted, begun, ended; each ends once.

use std::sync::Arc;

use stui_protocol::image::{EvaluationFinishedData, EvaluationStartedData};
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Event, EventName, Failure};
use tokio::time::Instant;

use super::evaluation::{Evaluation, Stage};
use super::following::unknown;
use super::home::{Home, lost};
use super::outcome::size_of_outcome;
use super::queue::{Job, Stray, Work};
use super::seats::Seat;
use super::waiting::Wait;
use super::{Facts, Session, gone};
use crate::metrics::Metrics;
use crate::store::{Mark, OpenEvaluation, StartRecord};

impl Session {
    /// Accepts an evaluation; it runs when those before it have ended.
    ///
    /// # Errors
    /// `QueueFull` with the limit; `SessionNotFound` when the session is lost or closed.
    pub(crate) fn enqueue(&self, mut job: Job) -> Result<(), Failure> {
        let accepted = job.accepted.take();
        let mut facts = self.facts();
        match self.may_enqueue(&facts, &job) {
            Ok(seat) => job.wait.seat = Some(seat),
            Err(failure) => {
                drop(facts);
                if let Some(accepted) = accepted {
                    accepted(Err(failure.clone()));
                }
                return Err(failure);
            }
        }
        let before = facts.queue.waiting.len() + facts.queue.ahead();
        // Before anybody is told: what was accepted is run, whatever becomes of this process.
        self.store.accept(OpenEvaluation {
            id: job.evaluation.id.clone(),
            session: self.key,
            order: self.store.next_order(),
            code: job.evaluation.code.clone(),
            by: job.evaluation.by,
            start: job.start.as_ref().map(|start| StartRecord {
                command: start.command.clone(),
                parameters: start.parameters.clone(),
            }),
            begun: None,
            after: self.newest.get(),
        });
        // Told under the lock: its events cannot begin before.
        if let Some(accepted) = accepted {
            accepted(Ok(before as u64));
        }
        facts.history.add(Arc::clone(&job.evaluation));
        facts.used();
        facts.queue.waiting.push_back(job);
        drop(facts);
        self.work.notify_one();
        self.grown.notify_one();
        Ok(())
    }

    fn may_enqueue(&self, facts: &Facts, job: &Job) -> Result<Seat, Failure> {
        if facts.closing {
            return Err(gone());
        }
        if let Home::Lost(..) = &facts.home {
            return Err(lost(facts));
        }
        let waiting = facts.queue.waiting.len();
        if let Some(reached) = self.seats.limits.get().of_session(waiting) {
            return Err(reached.into());
        }
        self.seats.take(self.owner, job.evaluation.code.len())
    }

    /// Takes back an evaluation that waits. False when it does not wait (any more).
    pub(crate) fn withdraw(&self, evaluation: &Evaluation) -> bool {
        let mut facts = self.facts();
        let waits = |job: &Job| job.evaluation.id == evaluation.id;
        let Some(index) = facts.queue.waiting.iter().position(waits) else {
            return false;
        };
        facts.queue.waiting.remove(index);
        drop(facts);
        self.finish(evaluation, Err(never_began()));
        true
    }

    /// The evaluation that runs.
    #[must_use]
    pub fn running(&self) -> Option<Arc<Evaluation>> {
        self.facts().queue.running.clone()
    }

    /// The evaluation that runs, or may run still, or else that runs next.
    #[must_use]
    pub fn foremost(&self) -> Option<Arc<Evaluation>> {
        let facts = self.facts();
        let next = facts.queue.waiting.front();
        let running = facts.queue.running.as_ref();
        let stray = facts.queue.stray.as_ref().map(|stray| &stray.evaluation);
        let next = next.map(|job| &job.evaluation);
        running.or(stray).or(next).map(Arc::clone)
    }

    /// The image does not run that one any more.
    pub(crate) fn forget_stray(&self, evaluation: &Evaluation) {
        let is_it = |stray: &mut Stray| stray.evaluation.id == evaluation.id;
        self.facts().queue.stray.take_if(is_it);
    }

    /// How many evaluations wait, and since when the oldest of them. One that is on its way to
    /// the image and not running there yet waits, too.
    #[must_use]
    pub fn backlog(&self) -> (usize, Option<Instant>) {
        let on_its_way = |each: &Arc<Evaluation>| matches!(*each.watch().borrow(), Stage::Starting);
        let on_its_way = self.running().filter(on_its_way);
        let facts = self.facts();
        let waiting = facts
            .queue
            .waiting
            .iter()
            .map(|job| job.evaluation.accepted_at);
        let on_its_way = on_its_way.iter().map(|each| each.accepted_at);
        (facts.queue.waiting.len(), waiting.chain(on_its_way).min())
    }

    /// What is to be done next. An evaluation that is answered here counts as running.
    ///
    /// `life` is the present life of the image, empty while none is known. A session of an earlier
    /// life waits until it is known whether the image still has it. Unless it `may_start`
    /// something, only what runs in the image already is followed.
    pub(crate) fn next_work(&self, life: &str, may_start: bool) -> Work {
        let mut facts = self.facts();
        if self.closed.is_cancelled() {
            return Work::Closed;
        }
        if !facts.openers.is_empty() {
            return Work::Open;
        }
        if facts.closing {
            return Work::Nothing;
        }
        match &facts.home {
            Home::There(place) if !life.is_empty() && place.instance != life => {
                return Work::Locate;
            }
            Home::There(_) => {}
            Home::Known(_) => return Work::Locate,
            Home::New => return Work::Nothing,
            Home::Lost(..) => {
                let failure = lost(&facts);
                drop(facts);
                self.settle_queue(&failure);
                return Work::Nothing;
            }
        }
        facts.queue.stray.take_if(|stray| stray.life != life);
        if let Some(stray) = &facts.queue.stray
            && !facts.queue.waiting.is_empty()
        {
            return Work::Outwait(Arc::clone(&stray.evaluation));
        }
        let is_next = |job: &mut Job| may_start || job.start.is_none();
        match facts.queue.waiting.pop_front_if(is_next) {
            Some(mut job) => {
                job.wait = Wait::default();
                facts.queue.running = Some(Arc::clone(&job.evaluation));
                Work::Evaluate(Box::new(job))
            }
            None => Work::Nothing,
        }
    }

    /// Ends everything that waits.
    pub(crate) fn settle_queue(&self, failure: &Failure) {
        let waiting = std::mem::take(&mut self.facts().queue.waiting);
        for job in waiting {
            let failure = match job.begun {
                None => failure.clone(),
                // An earlier daemon has sent it.
                Some(_) => {
                    unknown("the daemon was restarted, and the image has its session no more")
                }
            };
            self.finish(&job.evaluation, Err(failure));
        }
    }

    /// Leaves everything that waits to the next daemon; whoever waits for it here is told.
    pub(crate) fn let_go_queue(&self, failure: &Failure) {
        let waiting = std::mem::take(&mut self.facts().queue.waiting);
        for job in waiting {
            self.let_go(&job.evaluation, failure);
        }
    }

    /// The same for one evaluation. It has not ended: nothing is written into the log.
    pub(crate) fn let_go(&self, evaluation: &Evaluation, failure: &Failure) {
        let outcome = Arc::new(Err(failure.clone()));
        evaluation.set_stage(Stage::Ended(outcome, 0));
    }

    /// Tells that an evaluation begins. From here on the image may have done its work.
    pub(crate) fn begin(&self, evaluation: &Evaluation) {
        let data = EvaluationStartedData {
            code: evaluation.code.clone(),
            by: Some(evaluation.by),
        };
        let mut event = Event::new(EventName::EvaluationStarted, &data);
        event.evaluation_id = Some(evaluation.id.clone());
        let position = self.tell_marked(event, Mark::Begins(evaluation.id.clone()));
        evaluation.begins(position);
        self.metrics
            .evaluations
            .sent(evaluation.accepted_at.elapsed());
        self.facts().used.has_news = true;
    }

    /// Ends an evaluation: the rest of its output and its outcome go to the log, then everybody
    /// who waits is told. Does nothing for one that has ended.
    pub(crate) fn finish(&self, evaluation: &Evaluation, outcome: Outcome) {
        let mut progress = evaluation.progress();
        if evaluation.is_ended() {
            return;
        }
        evaluation.note_ids(&outcome);
        let rest = progress.output.rest(&outcome);
        if !rest.is_empty() {
            self.tell_output(&evaluation.id, &rest);
        }
        let data = EvaluationFinishedData::from(outcome.clone());
        let mut event = Event::new(EventName::EvaluationFinished, &data);
        event.evaluation_id = Some(evaluation.id.clone());
        let position = self.tell_marked(event, Mark::Ends(evaluation.id.clone()));
        evaluation.set_outcome_bytes(size_of_outcome(&outcome));
        let took = progress.started.map(|started| started.instant.elapsed());
        self.metrics.evaluations.count(&outcome, took);
        let mut facts = self.facts();
        if let (Ok(_), Some(life)) = (&outcome, facts.home.instance()) {
            self.newest.note(life, &evaluation.id);
        }
        if facts
            .queue
            .running
            .as_ref()
            .is_some_and(|running| running.id == evaluation.id)
        {
            facts.queue.stray = stray_after(&mut facts, &outcome);
        }
        evaluation.set_stage(Stage::Ended(Arc::new(outcome), position));
        facts.used();
        facts.history.trim();
        drop(facts);
        drop(progress);
        self.work.notify_one();
    }
}

impl Evaluation {
    /// Ends an evaluation that has no session.
    pub(crate) fn end_alone(&self, outcome: Outcome, metrics: &Metrics) {
        if !self.is_ended() {
            let took = self.left_queue_at.get().map(Instant::elapsed);
            metrics.evaluations.count(&outcome, took);
            self.note_ids(&outcome);
            self.set_stage(Stage::Ended(Arc::new(outcome), 0));
        }
    }
}

/// Takes out what ran; answers it when nobody knows whether it has ended.
fn stray_after(facts: &mut Facts, outcome: &Outcome) -> Option<Stray> {
    let evaluation = facts.queue.running.take()?;
    let failure = outcome.as_ref().err()?;
    let life = facts.home.instance()?.to_owned();
    (failure.error_type == ErrorType::OutcomeUnknown).then_some(Stray { evaluation, life })
}

/// What became of an evaluation that was taken out of a queue.
pub(crate) fn never_began() -> Failure {
    Failure::new(
        ErrorType::Interrupted,
        "the evaluation was interrupted before it began",
    )
}
