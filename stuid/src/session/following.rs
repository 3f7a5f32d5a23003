//! Follows one evaluation from its start in the image to its end, whoever tells it first: the
//! reply, an event, or a poll.
//!
//! An evaluation is a job: the message that starts it is answered at once, and nothing holds the
//! link while it runs. Its end is announced on the event link; without one it is asked for with
//! growing waits, and with one it is still asked for now and then, because an event can be lost.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stui_protocol::daemon::ImageState;
use stui_protocol::image::{EvaluationStatus, Interrupt};
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Failure, Reply, Request};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::evaluation::{Evaluation, Stage};
use crate::image::{Image, LinkError, new_id};

/// How long the image may hold the first reply. Most evaluations end in it, which saves a second
/// exchange; more would keep others from the link.
const FIRST_WAIT_MS: u64 = 2;

/// First and longest wait between two polls when no events arrive.
const POLLS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));
/// The same when events arrive and polls are a safety net only.
const SAFETY_POLLS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How long an evaluation may hang in the air when the link is down. A restarted image is back
/// sooner, and the link finds it within milliseconds.
const LOST_PATIENCE: Duration = Duration::from_secs(2);

/// The image stops an evaluation at its timeout; when it has not done so after this much more,
/// the daemon interrupts it, and gives that as long again.
const GUARD: Duration = Duration::from_secs(2);

/// A reply with cut output may have overtaken the events with the whole of it.
const OVERTAKEN: Duration = Duration::from_millis(250);

/// What is needed to follow an evaluation.
pub(crate) struct Following {
    pub(crate) image: Image,
    pub(crate) evaluation: Arc<Evaluation>,
    /// Starts it; none for one that was found running.
    pub(crate) start: Option<Request>,
    /// How long the code may run.
    pub(crate) timeout: Option<Duration>,
    /// For a single exchange with the image.
    pub(crate) request_timeout: Duration,
}

/// What the image says of an evaluation.
enum Said {
    Ended(Outcome),
    Running,
    /// It does not know it.
    Nothing,
    /// It cannot be asked now, or does not answer sensibly.
    Unclear,
}

impl Following {
    /// The one and only outcome.
    pub(crate) async fn outcome(self) -> Outcome {
        let mut life = self.image.instance();
        if let Some(start) = &self.start
            && let Some(outcome) = self.begin(start, &mut life).await
        {
            return outcome;
        }
        self.evaluation.set_stage(Stage::Running);
        let Some(limit) = self.timeout else {
            return self.wait(&life).await;
        };
        let mut wait = std::pin::pin!(self.wait(&life));
        let guard = Instant::now() + limit + GUARD;
        if let Ok(outcome) = timeout_at(guard, &mut wait).await {
            return outcome;
        }
        tracing::warn!("the image has not stopped an evaluation at its timeout, interrupting it");
        let interrupt = Interrupt {
            evaluation_id: Some(self.evaluation.id.clone()),
            ..Interrupt::default()
        };
        let interrupting = self.image.ask(&interrupt, Instant::now() + GUARD);
        let (_, outcome) = tokio::join!(interrupting, timeout(GUARD, wait));
        match outcome {
            Ok(Err(failure)) if failure.error_type == ErrorType::Interrupted => {
                Err(overran(limit, "it was stopped"))
            }
            Ok(outcome) => outcome,
            Err(_) => Err(overran(limit, "the image could not stop it")),
        }
    }

    /// Sends the request that starts it. Answers the outcome when that is known at once.
    async fn begin(&self, start: &Request, life: &mut String) -> Option<Outcome> {
        let mut start = start.clone();
        start
            .parameters
            .insert("wait_ms".into(), FIRST_WAIT_MS.into());
        let deadline = Instant::now() + self.request_timeout;
        match self.image.call(&start, deadline).await {
            Ok(reply) => {
                life.clone_from(&reply.instance);
                match understand_start(reply) {
                    Said::Ended(outcome) => Some(self.with_all_output(outcome).await),
                    _ => None,
                }
            }
            Err(error) if error.nothing_was_sent() => Some(Err(error.into())),
            // Perhaps it runs: ask.
            Err(_) => None,
        }
    }

    /// Waits until somebody tells the end.
    async fn wait(&self, life: &str) -> Outcome {
        let mut status = self.image.watch();
        let (mut pause, longest) = match self.image.events_are_live() {
            true => SAFETY_POLLS,
            false => POLLS,
        };
        let mut next_poll = Instant::now() + pause;
        let mut down_since = None;
        loop {
            if let Some(outcome) = self.evaluation.take_announced() {
                return outcome;
            }
            let (state, instance) = {
                let status = status.borrow_and_update();
                (status.state, status.instance.clone())
            };
            if instance.is_some_and(|instance| !life.is_empty() && instance != life) {
                return Err(unknown("the image was restarted while it ran"));
            }
            let down = state == ImageState::Down;
            let since = *down_since.get_or_insert_with(Instant::now);
            if !down {
                down_since = None;
            } else if since.elapsed() >= LOST_PATIENCE {
                return Err(unknown("the image went away while it ran"));
            }
            let wake = if down {
                since + LOST_PATIENCE
            } else {
                next_poll
            };
            tokio::select! {
                () = self.evaluation.nudge.notified() => {}
                _ = status.changed() => {}
                () = sleep_until(wake) => {}
            }
            if down || self.evaluation.has_announced() {
                continue;
            }
            match self.ask(life).await {
                Said::Ended(outcome) => return self.with_all_output(outcome).await,
                Said::Nothing => return Err(unknown("the image does not know it any more")),
                Said::Running | Said::Unclear => {}
            }
            pause = (pause * 2).min(longest);
            next_poll = Instant::now() + pause;
        }
    }

    async fn ask(&self, life: &str) -> Said {
        let command = EvaluationStatus {
            evaluation_id: self.evaluation.id.clone(),
            wait_ms: None,
        };
        let request = Request::new(new_id(), &command);
        let deadline = Instant::now() + self.request_timeout;
        match self.image.call(&request, deadline).await {
            Ok(reply) if !life.is_empty() && reply.instance != life => Said::Nothing,
            Ok(reply) => understand_status(reply),
            Err(LinkError::Stopped) => Said::Ended(Err(LinkError::Stopped.into())),
            Err(_) => Said::Unclear,
        }
    }

    /// Waits a little for the event that tells the same, when the outcome has only a part of the
    /// output: the events before it have the whole.
    async fn with_all_output(&self, outcome: Outcome) -> Outcome {
        let cut = match &outcome {
            Ok(result) => result.get("truncated"),
            Err(failure) => failure.details.get("truncated"),
        };
        let cut = cut == Some(&Value::Bool(true));
        if cut && self.image.events_are_live() {
            let _ = timeout(OVERTAKEN, self.evaluation.nudge.notified()).await;
        }
        outcome
    }
}

fn understand_start(reply: Reply) -> Said {
    match reply.outcome {
        Ok(result) if is_running(&result) => Said::Running,
        outcome => Said::Ended(outcome),
    }
}

fn understand_status(reply: Reply) -> Said {
    match reply.outcome {
        Ok(result) if is_running(&result) => Said::Running,
        Ok(result) => Said::Ended(Ok(result)),
        Err(failure) => match failure.error_type {
            ErrorType::EvaluationNotFound | ErrorType::SessionNotFound => Said::Nothing,
            ErrorType::UnknownCommand | ErrorType::UnsupportedOperation => Said::Nothing,
            ErrorType::InvalidRequest | ErrorType::InternalError | ErrorType::Overloaded => {
                Said::Unclear
            }
            _ => Said::Ended(Err(failure)),
        },
    }
}

fn is_running(result: &Value) -> bool {
    result["state"] == "running"
}

fn unknown(why: &str) -> Failure {
    Failure::new(
        ErrorType::OutcomeUnknown,
        format!(
            "{why}: the evaluation may or may not have done its work; look before you repeat it"
        ),
    )
}

fn overran(limit: Duration, what: &str) -> Failure {
    Failure::new(
        ErrorType::Timeout,
        format!(
            "the evaluation ran longer than {} ms; {what}",
            limit.as_millis()
        ),
    )
}
