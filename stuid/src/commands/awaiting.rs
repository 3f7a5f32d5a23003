//! `await` and `evaluation_status`: the end of an evaluation, from any client that may know it.

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::daemon::Await;
use stui_protocol::image::EvaluationStatus;
use tokio::time::timeout;

use super::Asked;
use crate::connection::Responder;
use crate::session::Evaluation;

pub(super) async fn serve(asked: Asked, command: Await) {
    wait(asked, &command.evaluation_id, command.wait_ms).await;
}

/// As on the image link: without `wait_ms` it does not wait.
pub(super) async fn status(asked: Asked, command: EvaluationStatus) {
    let wait_ms = command.wait_ms.unwrap_or(0);
    wait(asked, &command.evaluation_id, Some(wait_ms)).await;
}

async fn wait(asked: Asked, id: &str, wait_ms: Option<u64>) {
    let found = asked.services.sessions.evaluation(asked.client.peer, id);
    match found {
        Ok(evaluation) => answer_end(asked.responder, &evaluation, wait_ms).await,
        Err(failure) => asked.responder.answer(Err(failure)),
    }
}

/// Answers how an evaluation ended, or that it goes on when it has not ended in time.
pub(super) async fn answer_end(
    responder: Responder,
    evaluation: &Arc<Evaluation>,
    wait_ms: Option<u64>,
) {
    let ended = match wait_ms {
        None => Some(evaluation.end().await),
        Some(wait_ms) => timeout(Duration::from_millis(wait_ms), evaluation.end())
            .await
            .ok(),
    };
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
