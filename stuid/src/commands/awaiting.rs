//! `await` and `evaluation_status`: the end of an evaluation, from any client that may know it.

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::daemon::Await;
use stui_protocol::image::EvaluationStatus;
use stui_protocol::message::Outcome;
use tokio::time::timeout;

use super::Asked;
use crate::connection::Responder;
use crate::session::Evaluation;
use crate::sessions::{may_know, not_found};

type End = (Arc<Outcome>, u64);

pub(super) async fn serve(asked: Asked, command: Await) {
    wait(asked, &command.evaluation_id, command.wait_ms).await;
}

/// As on the image link: without `wait_ms` it does not wait.
pub(super) async fn status(asked: Asked, command: EvaluationStatus) {
    let wait_ms = command.wait_ms.unwrap_or(0);
    wait(asked, &command.evaluation_id, Some(wait_ms)).await;
}

async fn wait(asked: Asked, id: &str, wait_ms: Option<u64>) {
    let sessions = &asked.services.sessions;
    let peer = asked.client.peer;
    let evaluation = match sessions.evaluation(peer, id) {
        Ok(evaluation) => evaluation,
        Err(failure) => return asked.responder.answer(Err(failure)),
    };
    let ended = end_within(&evaluation, wait_ms).await;
    // Meanwhile the session may be shared no more.
    match may_know(peer, &evaluation) {
        true => answer(asked.responder, &evaluation, ended),
        false => asked.responder.answer(Err(not_found(id))),
    }
}

/// Answers how an evaluation ended, or that it goes on when it has not ended in time.
pub(super) async fn answer_end(
    responder: Responder,
    evaluation: &Arc<Evaluation>,
    wait_ms: Option<u64>,
) {
    let ended = end_within(evaluation, wait_ms).await;
    answer(responder, evaluation, ended);
}

/// How it ended and where in the log; none when it has not in time.
async fn end_within(evaluation: &Evaluation, wait_ms: Option<u64>) -> Option<End> {
    match wait_ms {
        None => Some(evaluation.end().await),
        Some(wait_ms) => {
            let ended = timeout(Duration::from_millis(wait_ms), evaluation.end());
            ended.await.ok()
        }
    }
}

fn answer(responder: Responder, evaluation: &Evaluation, ended: Option<End>) {
    match ended {
        Some((outcome, position)) => {
            let key = evaluation.session().map_or(0, |session| session.key);
            responder.answer_after((*outcome).clone(), key, position);
        }
        None => responder.answer(Ok(serde_json::json!({
            "state": "running",
            "evaluation_id": evaluation.id,
        }))),
    }
}
