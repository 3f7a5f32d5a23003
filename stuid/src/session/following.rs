//! Follows one evaluation from its start in the image to its end, whoever tells it first: the
//! reply, an event, or a poll.
//!
//! An evaluation is a job: the message that starts it is answered at once, and nothing holds the
//! link while it runs. Its end is announced on the event link; without one it is asked for with
//! growing waits, and with one it is still asked for now and then, because an event can be lost.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use stui_protocol::daemon::ImageState;
use stui_protocol::image::{EvaluationStatus, Interrupt, OutputSoFar};
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Failure, Reply, Request};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::Session;
use super::evaluation::{Evaluation, Stage};
use super::witness::Again;
use crate::image::{Image, LinkError, Teller, new_id};

/// How long the image may hold the first reply when nobody else needs the link. Most evaluations
/// end in it, and their ends need not be waited for. Others would have to wait as long, so when
/// there are any the image answers at once, and the event link tells the end.
const FIRST_WAIT_MS: u64 = 2;

/// First and longest wait between two polls when no events arrive.
const POLLS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));
/// The same when events arrive and polls are a safety net only.
const SAFETY_POLLS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How long an evaluation may hang in the air when the link is down: its client is to be told
/// within two seconds. A restarted image is back sooner, and the link finds it within milliseconds.
const LOST_PATIENCE: Duration = Duration::from_millis(1500);

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
    /// How one that an earlier daemon may have started is started, if that may be.
    pub(crate) again: Option<Again>,
    /// Tells the client its place while that request waits for the image.
    pub(crate) teller: Option<Teller>,
    /// How long the code may run.
    pub(crate) timeout: Option<Duration>,
    /// For a single exchange with the image.
    pub(crate) request_timeout: Duration,
}

/// What became of the request that starts it.
enum Begun {
    Ended(Outcome),
    Running,
    /// It was sent, and the link broke or the reply was nonsense.
    Perhaps,
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
        let mut confirm_until = None;
        let deadline = Instant::now() + self.request_timeout;
        let begun = match (&self.start, &self.again) {
            (Some(start), _) => self.begin(start, deadline, &mut life).await,
            (None, Some(again)) => self.begin_again(again, deadline, &mut life).await,
            (None, None) => Begun::Running,
        };
        match begun {
            Begun::Ended(outcome) => return outcome,
            Begun::Running => {}
            Begun::Perhaps => confirm_until = Some(deadline),
        }
        self.evaluation.set_stage(Stage::Running);
        let Some(limit) = self.timeout else {
            return self.wait(&life, confirm_until).await;
        };
        let left = self.time_left().unwrap_or(limit);
        let mut wait = std::pin::pin!(self.wait(&life, confirm_until));
        let guard = Instant::now() + left + GUARD;
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
            Err(_) => Err(unknown("the image did not stop it at its timeout")),
        }
    }

    /// Sends the request that starts it.
    async fn begin(&self, start: &Request, deadline: Instant, life: &mut String) -> Begun {
        let start = self.prepared(start);
        let image = self.image.telling(self.teller.clone());
        match image.call(&start, deadline).await {
            Ok(reply) => self.begun(reply, life).await,
            Err(LinkError::Unknown | LinkError::Nonsense(_)) => Begun::Perhaps,
            Err(error) => Begun::Ended(Err(error.into())),
        }
    }

    /// Sends it under its id once more, when the image has not begun it: whatever an earlier daemon
    /// has sent and the image finds later is a repeat of this then.
    async fn begin_again(&self, again: &Again, deadline: Instant, life: &mut String) -> Begun {
        let id = &self.evaluation.id;
        let Some(connection) = again.never_began(&self.image, id, deadline).await else {
            return Begun::Running;
        };
        tracing::info!(
            evaluation = id,
            "the image has never begun it, sending it again"
        );
        let start = self.prepared(&again.start);
        match self.image.call_by(connection, &start, deadline).await {
            Ok(reply) => self.begun(reply, life).await,
            // What is known of this message is not known of the earlier one.
            Err(_) => Begun::Perhaps,
        }
    }

    async fn begun(&self, reply: Reply, life: &mut String) -> Begun {
        life.clone_from(&reply.instance);
        match understand_start(reply, &self.evaluation.id) {
            Said::Ended(outcome) => Begun::Ended(self.with_all_output(outcome).await),
            Said::Unclear => Begun::Perhaps,
            Said::Running | Said::Nothing => Begun::Running,
        }
    }

    /// The request with the times that it has now.
    fn prepared(&self, start: &Request) -> Request {
        let mut start = start.clone();
        let wait_ms = match self.image.is_in_demand() && self.image.events_are_live() {
            true => 0,
            false => FIRST_WAIT_MS,
        };
        start.parameters.insert("wait_ms".into(), wait_ms.into());
        if let Some(left) = self.time_left() {
            // Rounded up: the image is never told less than there is.
            let left = left.as_nanos().div_ceil(1_000_000);
            let left = u64::try_from(left).unwrap_or(u64::MAX);
            start.parameters.insert("timeout_ms".into(), left.into());
        }
        start
    }

    /// Waits until somebody tells the end. One of which is not known whether it has begun is given
    /// up at `confirm_until` unless the image knows it.
    async fn wait(&self, life: &str, mut confirm_until: Option<Instant>) -> Outcome {
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
            // A link that comes and goes brings no news; an answer does.
            if !down && state != ImageState::Connecting {
                down_since = None;
            } else if down && since.elapsed() >= LOST_PATIENCE {
                return Err(unknown("the image went away while it ran"));
            }
            if confirm_until.is_some_and(|until| until <= Instant::now()) {
                return Err(unknown("the image did not say whether it has begun"));
            }
            let wake = if down {
                since + LOST_PATIENCE
            } else {
                next_poll
            };
            let wake = confirm_until.map_or(wake, |until| wake.min(until));
            tokio::select! {
                () = self.evaluation.nudge.notified() => {}
                _ = status.changed() => {}
                () = sleep_until(wake) => {}
            }
            if down || self.evaluation.has_announced() {
                continue;
            }
            match self.ask(life, confirm_until).await {
                Said::Ended(outcome) => return self.with_all_output(outcome).await,
                Said::Nothing => return Err(unknown("the image does not know it any more")),
                Said::Running => confirm_until = None,
                Said::Unclear => {}
            }
            pause = (pause * 2).min(longest);
            next_poll = Instant::now() + pause;
        }
    }

    /// What is left of the time that the code may run: that counts from when it was accepted.
    fn time_left(&self) -> Option<Duration> {
        let waited = self.evaluation.accepted_at.elapsed();
        let left = self.timeout?.saturating_sub(waited);
        Some(left.max(Duration::from_millis(1)))
    }

    async fn ask(&self, life: &str, until: Option<Instant>) -> Said {
        let session = self.evaluation.session();
        let wanted = || self.evaluation.progress().output.wanted();
        let command = EvaluationStatus {
            evaluation_id: self.evaluation.id.clone(),
            wait_ms: None,
            output_from: session.as_ref().and_then(|_| wanted()),
        };
        let request = Request::new(new_id(), &command);
        let deadline = Instant::now() + self.request_timeout;
        let deadline = until.map_or(deadline, |until| deadline.min(until));
        match self.image.call(&request, deadline).await {
            Ok(reply) if !life.is_empty() && reply.instance != life => Said::Nothing,
            Ok(reply) => {
                if let (Some(session), Some(from)) = (session, command.output_from) {
                    self.hear_so_far(&session, from, &reply);
                }
                understand_status(reply)
            }
            Err(LinkError::Stopped) => Said::Ended(Err(unknown("the daemon ended while it ran"))),
            Err(_) => Said::Unclear,
        }
    }

    /// Takes the output that one which runs has written behind `from`.
    fn hear_so_far(&self, session: &Session, from: u64, reply: &Reply) {
        let Some(result) = reply.outcome.as_ref().ok().filter(|it| is_running(it)) else {
            return;
        };
        match OutputSoFar::deserialize(result) {
            Ok(so_far) => session.output_so_far(&self.evaluation, from, so_far),
            Err(_) => self.evaluation.progress().output.asks_in_vain(),
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

/// Whether the image may still run an evaluation: it says so, or does not say anything sensible.
///
/// # Errors
/// Why it could not be asked.
pub(crate) async fn may_run(
    image: &Image,
    evaluation_id: &str,
    limit: Duration,
) -> Result<bool, LinkError> {
    let command = EvaluationStatus {
        evaluation_id: evaluation_id.to_owned(),
        wait_ms: None,
        output_from: None,
    };
    let request = Request::new(new_id(), &command);
    let reply = image.call(&request, Instant::now() + limit).await?;
    Ok(matches!(
        understand_status(reply),
        Said::Running | Said::Unclear
    ))
}

fn understand_start(reply: Reply, id: &str) -> Said {
    match reply.outcome {
        Ok(result) if !result.is_object() => Said::Unclear,
        Ok(result) if is_running(&result) => Said::Running,
        Ok(mut result) => {
            // Images of protocol 1.0 say neither.
            if let Value::Object(told) = &mut result {
                told.entry("state").or_insert_with(|| "finished".into());
                told.entry("evaluation_id").or_insert_with(|| id.into());
            }
            Said::Ended(Ok(result))
        }
        Err(failure) => Said::Ended(Err(failure)),
    }
}

fn understand_status(reply: Reply) -> Said {
    match reply.outcome {
        Ok(result) if !result.is_object() => Said::Unclear,
        Ok(result) if is_running(&result) => Said::Running,
        Ok(result) => Said::Ended(Ok(result)),
        Err(failure) => match failure.error_type {
            ErrorType::EvaluationNotFound | ErrorType::SessionNotFound => Said::Nothing,
            ErrorType::UnknownCommand | ErrorType::UnsupportedOperation => Said::Nothing,
            // It could not be asked, which says nothing of the evaluation.
            ErrorType::InvalidRequest
            | ErrorType::InternalError
            | ErrorType::Overloaded
            | ErrorType::ImageUnavailable => Said::Unclear,
            _ => Said::Ended(Err(failure)),
        },
    }
}

fn is_running(result: &Value) -> bool {
    result["state"] == "running"
}

pub(super) fn unknown(why: &str) -> Failure {
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
