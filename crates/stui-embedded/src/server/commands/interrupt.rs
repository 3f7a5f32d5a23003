//! `interrupt`: stops what runs in a session, or one evaluation, and answers when it has ended.

use std::time::Instant;

use stui_protocol::Failure;
use stui_protocol::image::{Interrupt, InterruptResult, Tier};

use super::evaluation_status::not_found;
use super::{Answer, Asked, Done, answer, debug};
use crate::server::evaluations::StopAsker;
use crate::server::image::Image;
use crate::vm::{EvaluationTag, InterruptReason};

/// `interrupt`.
pub(super) fn run(image: &mut Image, asked: &Asked, command: &Interrupt) -> Done {
    match (&command.evaluation_id, &command.session_id) {
        (Some(evaluation), _) => stop_evaluation(image, asked, evaluation),
        (None, Some(session)) => stop_session(image, asked, session),
        (None, None) => Err(Failure::missing("interrupt", "session_id")),
    }
}

fn stop_evaluation(image: &mut Image, asked: &Asked, id: &str) -> Done {
    if let Some(tag) = image.evaluations.tag(id) {
        return stop(image, asked, tag);
    }
    if let Some(tag) = image.debuggers.running(Some(id), None).first() {
        return debug::interrupt(image, asked, *tag);
    }
    if image.evaluations.ended().get(id).is_none() {
        return Err(not_found(id));
    }
    tell(Tier::Idle, Some(id.to_owned()))
}

fn stop_session(image: &mut Image, asked: &Asked, id: &str) -> Done {
    let session = image.sessions.using(id, Instant::now())?;
    let running = session.running.clone();
    if let Some(tag) = running.and_then(|evaluation| image.evaluations.tag(&evaluation)) {
        return stop(image, asked, tag);
    }
    if let Some(tag) = image.debuggers.running(None, Some(id)).last() {
        return debug::interrupt(image, asked, *tag);
    }
    // Forked processes of evaluations that have ended.
    if image.end_lingering(id) > 0 {
        return tell(Tier::Terminate, None);
    }
    tell(Tier::Idle, None)
}

fn stop(image: &mut Image, asked: &Asked, tag: EvaluationTag) -> Done {
    if let Some(evaluation) = image.evaluations.get_mut(tag) {
        evaluation.stop_askers.push(StopAsker::Interrupt {
            request: asked.id.clone(),
        });
    }
    image.stop(tag, InterruptReason::User);
    Ok(Answer::Later)
}

fn tell(tier: Tier, evaluation_id: Option<String>) -> Done {
    answer::<Interrupt>(&InterruptResult {
        tier,
        evaluation_id,
    })
}
