//! `interrupt`: stop what runs in a session, or one evaluation wherever it is.

use std::sync::Arc;

use serde_json::{Map, Value};
use stui_protocol::image::{Interrupt, InterruptResult, Tier};
use stui_protocol::message::Outcome;
use stui_protocol::{Command, ErrorType, Failure};
use tokio::time::{Instant, timeout_at};

use super::Asked;
use crate::session::{Evaluation, never_began};

pub(super) async fn serve(asked: Asked, given: &Map<String, Value>) {
    let outcome = interrupt(&asked, given).await;
    asked.responder.result(outcome);
}

async fn interrupt(asked: &Asked, given: &Map<String, Value>) -> Result<InterruptResult, Failure> {
    let evaluation = match given.get("evaluation_id") {
        Some(Value::String(id)) => Some(asked.services.sessions.evaluation(asked.client.peer, id)?),
        None | Some(Value::Null) => {
            let session = asked.session(given)?;
            let session = session.ok_or_else(|| Failure::missing(Interrupt::NAME, "session"))?;
            asked.may_drive(&session)?;
            // What was submitted a moment ago and is not on its way yet is meant, too.
            session.foremost()
        }
        Some(_) => return Err(Failure::invalid("evaluation_id", "it must be a string")),
    };
    match evaluation {
        Some(evaluation) => stop(asked, &evaluation).await,
        None => Ok(idle()),
    }
}

async fn stop(asked: &Asked, evaluation: &Arc<Evaluation>) -> Result<InterruptResult, Failure> {
    if let Some(session) = evaluation.session() {
        asked.may_drive(&session)?;
        if session.withdraw(evaluation) {
            return Ok(queued(evaluation));
        }
    } else if evaluation.take_back(never_began()) {
        return Ok(queued(evaluation));
    }
    let deadline = Instant::now() + asked.services.request_timeout();
    // An interrupt goes before an evaluation that is on its way, so that is waited for.
    let begun = timeout_at(deadline, evaluation.begun()).await;
    if begun.is_err() {
        return Err(Failure::new(
            ErrorType::Timeout,
            "the evaluation has not begun in time, so it could not be interrupted",
        )
        .with("sent", false));
    }
    if evaluation
        .ended()
        .is_some_and(|(outcome, _)| is_known(&outcome))
    {
        return Ok(idle());
    }
    let command = Interrupt {
        evaluation_id: Some(evaluation.id.clone()),
        ..Interrupt::default()
    };
    match asked.services.image.ask(&command, deadline).await {
        // It ended on its own meanwhile.
        Err(failure) if failure.error_type == ErrorType::EvaluationNotFound => Ok(idle()),
        answered => answered,
    }
}

fn queued(evaluation: &Evaluation) -> InterruptResult {
    InterruptResult {
        tier: Tier::Queued,
        evaluation_id: Some(evaluation.id.clone()),
    }
}

/// Whether nothing of it can be running any more.
fn is_known(outcome: &Outcome) -> bool {
    let unknown = |failure: &Failure| failure.error_type == ErrorType::OutcomeUnknown;
    !outcome.as_ref().is_err_and(unknown)
}

fn idle() -> InterruptResult {
    InterruptResult {
        tier: Tier::Idle,
        evaluation_id: None,
    }
}
