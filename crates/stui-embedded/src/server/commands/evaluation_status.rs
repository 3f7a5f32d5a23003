//! `evaluation_status`.

use stui_protocol::image::EvaluationStatus;
use stui_protocol::{ErrorType, Failure};

use super::{Answer, Asked, Done};
use crate::server::evaluations::Waiter;
use crate::server::image::Image;

/// `evaluation_status`: as `evaluate` would answer now.
pub(super) fn run(image: &mut Image, asked: &Asked, command: &EvaluationStatus) -> Done {
    let wait_ms = Some(command.wait_ms.unwrap_or(0));
    let id = &command.evaluation_id;
    known(image, asked, id, wait_ms, command.output_from)
}

/// The state of an evaluation: its outcome, or after the wait that it goes on, with its output
/// behind so many characters if that is wanted.
///
/// # Errors
/// `EvaluationNotFound`; the evaluation's own failure.
pub(super) fn known(
    image: &mut Image,
    asked: &Asked,
    evaluation_id: &str,
    wait_ms: Option<u64>,
    output_from: Option<u64>,
) -> Done {
    if let Some(outcome) = image.evaluations.ended().get(evaluation_id) {
        return outcome.clone().map(Answer::Now);
    }
    let Some(tag) = image.evaluations.tag(evaluation_id) else {
        return Err(not_found(evaluation_id));
    };
    match image.wait_until(asked, wait_ms) {
        Some(until) => {
            let mut waiter = Waiter::new(&asked.id, until);
            waiter.output_from = output_from;
            image.wait(tag, waiter);
            Ok(Answer::Later)
        }
        None => match image.still_running(tag, output_from) {
            Some(answer) => Ok(Answer::Now(answer)),
            None => Err(not_found(evaluation_id)),
        },
    }
}

/// No such evaluation.
pub(super) fn not_found(evaluation_id: &str) -> Failure {
    Failure::new(
        ErrorType::EvaluationNotFound,
        "no such evaluation is known here: it was never started, or its outcome was asked for too late",
    )
    .with("evaluation_id", evaluation_id)
}
