//! The task of one session: it makes the session in the image when somebody needs it, and runs
//! its evaluations one after the other.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use stui_protocol::daemon::{ImageState, ImageStatus, QueuePositionData, Recreated};
use stui_protocol::image::{CloseSession, CreateSession, LoadContext};
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Event, EventName, Failure, Request};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::following::{Following, may_run};
use super::home::in_image;
use super::witness::Again;
use super::{Evaluation, Job, Session, Work, closed_while_running};
use crate::config::InForce;
use crate::gate::{self, Gate};
use crate::identity::client_id;
use crate::image::{Image, LinkError, Teller, new_id};
use crate::notes::Notes;
use crate::store::PlaceRecord;

/// While an operator holds new work back, they are told so this often.
const TELL_WHY: Duration = Duration::from_secs(10);

/// Before the image is asked again whether it still runs what was given up.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// What the task needs besides the session.
pub(crate) struct Desk {
    pub(crate) session: Arc<Session>,
    pub(crate) image: Image,
    pub(crate) gate: Gate,
    pub(crate) config: InForce,
    pub(crate) stop: CancellationToken,
}

impl Desk {
    /// Works until the session is closed or the daemon stops.
    pub(crate) async fn run(self) {
        loop {
            let wakeup = self.session.work.notified();
            let pass = self.gate.try_enter();
            match self
                .session
                .next_work(&self.image.instance(), pass.is_some())
            {
                Work::Open => self.open().await,
                Work::Evaluate(job) => {
                    // What was found running runs, whatever an operator wants.
                    let _pass = pass.unwrap_or_else(|| self.gate.enter_running());
                    self.evaluate(*job).await;
                }
                Work::Outwait(stray) => {
                    drop(pass);
                    self.outwait(&stray).await;
                }
                Work::Locate => {
                    drop(pass);
                    tokio::select! {
                        () = self.stop.cancelled() => break,
                        () = wakeup => {}
                        never = self.refuse_while_away() => match never {},
                        never = self.tend_queue() => match never {},
                    }
                }
                Work::Nothing => {
                    let held_back = pass.is_none();
                    drop(pass);
                    tokio::select! {
                        () = self.stop.cancelled() => break,
                        () = wakeup => {}
                        () = self.wait_for_the_gate(), if held_back => {}
                        never = self.tend_queue() => match never {},
                    }
                }
                Work::Closed => break,
            }
            if self.stop.is_cancelled() {
                break;
            }
        }
        self.session.let_go_queue(&shutting_down());
    }

    /// Tells those who wait that the image is away, when it is: nobody knows when it can be asked for
    /// the session. Whoever comes later wakes the task. Goes on until it is dropped.
    async fn refuse_while_away(&self) -> Infallible {
        let mut status = self.image.watch();
        let error = match status.wait_for(is_away).await {
            Ok(status) if status.state == ImageState::Down => LinkError::Down {
                endpoint: status.endpoint.clone(),
                since: status.since,
            },
            _ => LinkError::NotSentInTime,
        };
        self.session.refuse_newcomers(&error.into());
        std::future::pending().await
    }

    /// Waits until the gate is open, and tells those who wait why they do.
    async fn wait_for_the_gate(&self) {
        let mut ticks = interval(TELL_WHY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.gate.open() => return,
                _ = ticks.tick() => self.tell_positions(true),
            }
        }
    }

    /// Ends those whose time is over while they wait and tells the others their places. Goes on
    /// until it is dropped.
    async fn tend_queue(&self) -> Infallible {
        loop {
            self.session.end_overdue();
            self.tell_positions(false);
            let due = self.session.next_due();
            tokio::select! {
                () = self.session.grown.notified() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    async fn open(&self) {
        let wanted = self.session.wanted();
        let command = CreateSession {
            client_id: client_id(self.session.owner),
            name: Some(wanted.name),
            // The daemon decides when a session ends, unless somebody said otherwise.
            timeout: Some(wanted.timeout.unwrap_or(0)),
        };
        let request = Request::new(new_id(), &command);
        let deadline = Instant::now() + self.config.request_timeout();
        let created = match self.image.call(&request, deadline).await {
            Ok(reply) => in_image(reply),
            Err(error) => Err(error.into()),
        };
        let made = match (created, wanted.context) {
            (Ok(place), Some(context)) => self.load(place, context).await,
            (created, _) => created.map(|place| (place, None)),
        };
        self.session.opened(made);
    }

    /// Brings back a saved context into a session that was just made. Without it that session is
    /// of no use and goes again.
    async fn load(
        &self,
        place: PlaceRecord,
        context_id: Option<String>,
    ) -> Result<(PlaceRecord, Option<Recreated>), Failure> {
        let session_id = place.summary.session_id.clone();
        let load = LoadContext {
            session_id: session_id.clone(),
            context_id,
        };
        let deadline = Instant::now() + self.config.request_timeout();
        match self.image.ask(&load, deadline).await {
            Ok(loaded) => {
                let recreated = Recreated {
                    context_id: loaded.context_id,
                    saved_at: loaded.saved_at,
                    loaded: loaded.loaded.unwrap_or(0),
                };
                Ok((place, Some(recreated)))
            }
            Err(failure) => {
                let deadline = Instant::now() + self.config.request_timeout();
                let closed = self.image.ask(&CloseSession { session_id }, deadline).await;
                if let Err(error) = closed {
                    tracing::warn!(%error, "closing a session whose context could not be loaded");
                }
                Err(failure)
            }
        }
    }

    async fn evaluate(&self, job: Job) {
        let evaluation = Arc::clone(&job.evaluation);
        match job.begun {
            None => self.session.begin(&evaluation),
            Some(begun) => {
                let told = self.session.told_output(&evaluation.id, begun.position);
                evaluation.resumes(begun, told);
            }
        }
        let id = self.session.session_id().unwrap_or_default();
        let in_session = |mut start: Request| {
            let id = id.as_str().into();
            start.parameters.insert("session_id".into(), id);
            start
        };
        let again = job.again.filter(|_| job.begun.is_some());
        let following = Following {
            image: self.image.clone(),
            evaluation: Arc::clone(&evaluation),
            start: job.start.map(in_session),
            again: again.map(|again| Again {
                start: in_session(again.start),
                after: again.after,
            }),
            teller: job.notes.map(|notes| self.teller(&evaluation, notes)),
            timeout: job.timeout,
            request_timeout: self.config.request_timeout(),
        };
        match self.attend(following.outcome()).await {
            Some(outcome) => {
                self.session.notice_loss(&outcome);
                self.session.finish(&evaluation, outcome);
            }
            None => self.session.let_go(&evaluation, &shutting_down()),
        }
    }

    /// Asks whether an evaluation that was given up runs still; when it does, in a moment again.
    /// While the image cannot be asked, those who wait are told so in their time.
    async fn outwait(&self, stray: &Evaluation) {
        let asking = async {
            let pause = Instant::now() + ASK_AGAIN;
            let limit = self.config.request_timeout();
            let may_run = may_run(&self.image, &stray.id, limit).await;
            if may_run == Ok(false) {
                return self.session.forget_stray(stray);
            }
            if let Err(error) = may_run {
                self.session.refuse_waiting(error, limit);
            }
            sleep_until(pause).await;
        };
        tokio::select! {
            () = asking => {}
            () = self.session.closed.cancelled() => {}
            () = self.stop.cancelled() => {}
            never = self.tend_queue() => match never {},
        }
    }

    /// Waits for the end of the running evaluation and tells the others how many are before them.
    /// None when the daemon ends first.
    async fn attend(&self, outcome: impl Future<Output = Outcome>) -> Option<Outcome> {
        let mut outcome = std::pin::pin!(outcome);
        tokio::select! {
            outcome = &mut outcome => Some(outcome),
            () = self.session.closed.cancelled() => Some(Err(closed_while_running())),
            () = self.stop.cancelled() => None,
            never = self.tend_queue() => match never {},
        }
    }

    /// Tells the place of an evaluation that waits for the image itself.
    fn teller(&self, evaluation: &Evaluation, notes: Notes) -> Teller {
        let (session, id) = (Arc::clone(&self.session), evaluation.id.clone());
        Teller::new(move |before| notes.note(&place(&session, &id, before, None)))
    }

    /// Tells all who wait their places, or those only for whom that is news.
    fn tell_positions(&self, all: bool) {
        let reason = self.gate.closed().as_ref().map(gate::describe);
        for (job_evaluation, notes, position) in self.session.places(all) {
            let reason = reason.clone();
            notes.note(&place(&self.session, &job_evaluation.id, position, reason));
        }
    }
}

/// How many go before an evaluation.
fn place(session: &Session, id: &str, position: u64, reason: Option<String>) -> Event {
    let data = QueuePositionData {
        position,
        reason,
        request_id: None,
    };
    let mut event = Event::new(EventName::QueuePosition, &data);
    event.session_id = session.session_id();
    event.evaluation_id = Some(id.to_owned());
    event
}

fn shutting_down() -> Failure {
    Failure::new(
        ErrorType::ShuttingDown,
        "the daemon is shutting down; what the image runs goes on in it",
    )
}

fn is_away(status: &ImageStatus) -> bool {
    matches!(status.state, ImageState::Down | ImageState::Unresponsive)
}
