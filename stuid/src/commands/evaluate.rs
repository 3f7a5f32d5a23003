//! `evaluate` and `run_tests`: as jobs of a session's queue, or alone without a session.

use std::sync::Arc;

use serde_json::{Map, Value};
use stui_protocol::image::{ImageCommand, Interrupt};
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Failure, Request, Version};
use tokio::time::Instant;

use super::notice::Notice;
use super::{Asked, Services, awaiting};
use crate::session::{Evaluation, Following, Job, Session, Wait, never_began, timeout_of};
use crate::sessions::IdHolder;

/// Evaluations without a session that may run at the same time, over all clients.
pub(crate) const MOST_LOOSE: usize = 256;

pub(super) async fn serve(asked: Asked, command: &str, mut given: Map<String, Value>) {
    let session = match asked.session(&given) {
        Ok(session) => session,
        Err(failure) => return asked.responder.answer(Err(failure)),
    };
    given.remove("session");
    given.remove("session_id");
    if let Some(Err(failure)) = ImageCommand::parse(command, given.clone()) {
        return asked.responder.answer(Err(failure));
    }
    let wait_ms = given.remove("wait_ms").as_ref().and_then(Value::as_u64);
    let holder = asked.id_holder();
    // An earlier request of this id has started it.
    if let IdHolder::Known(known) = &holder
        && known.code == code_of(command, &given)
    {
        return awaiting::answer_end(asked.responder, known, wait_ms).await;
    }
    let start = Request {
        id: asked.evaluation_id(&holder),
        command: command.to_owned(),
        parameters: given,
        version: Version::CURRENT,
    };
    match session {
        Some(session) => in_session(asked, &session, start, wait_ms).await,
        None => alone(asked, start, wait_ms).await,
    }
}

async fn in_session(asked: Asked, session: &Arc<Session>, start: Request, wait_ms: Option<u64>) {
    let may = asked.may_drive(session);
    let accepted = may.and_then(|()| asked.image_is_there()).and_then(|()| {
        let evaluation = record(&asked, &start, Some(session));
        let job = Job {
            evaluation: Arc::clone(&evaluation),
            timeout: timeout_of(&start),
            start: Some(start),
            notes: Some(asked.client.notes.clone()),
            accepted: None,
            begun: None,
            again: None,
            wait: Wait::default(),
        };
        session.enqueue(job).map(|()| evaluation)
    });
    match accepted {
        Ok(evaluation) => awaiting::answer_end(asked.responder, &evaluation, wait_ms).await,
        Err(failure) => asked.responder.answer(Err(failure)),
    }
}

async fn alone(asked: Asked, start: Request, wait_ms: Option<u64>) {
    let services = Arc::clone(&asked.services);
    let evaluation = record(&asked, &start, None);
    let following = Following {
        image: services.image.of(asked.client.peer.uid),
        evaluation: Arc::clone(&evaluation),
        timeout: timeout_of(&start),
        start: Some(start),
        again: None,
        teller: Some(asked.notice().teller()),
        request_timeout: services.request_timeout(),
    };
    let places = Arc::clone(&services);
    let ending = Arc::clone(&evaluation);
    if services.loose.available_permits() == 0 {
        return asked.responder.answer(Err(too_many()));
    }
    let notice = asked.notice();
    services.tasks.spawn(async move {
        let outcome = tokio::select! {
            outcome = in_turn(&places, following, notice) => outcome,
            () = places.settling.cancelled() => Err(super::shutting_down()),
        };
        ending.end_alone(outcome, &places.metrics);
    });
    if wait_ms.is_some() {
        // Its id may be told while it runs: it is remembered for whoever asks.
        services.sessions.remember(&evaluation);
        return awaiting::answer_end(asked.responder, &evaluation, wait_ms).await;
    }
    // Nobody else learns its id: when its client goes away it must not run for ever.
    let _guard = InterruptWithoutClient {
        services: &services,
        evaluation: &evaluation,
    };
    awaiting::answer_end(asked.responder, &evaluation, wait_ms).await;
}

/// Follows an evaluation without a session when there is a place for it and nobody holds new work
/// back.
async fn in_turn(services: &Services, following: Following, notice: Notice) -> Outcome {
    // Held while it runs; closed never.
    let _place = services.loose.acquire().await;
    let evaluation = Arc::clone(&following.evaluation);
    let _pass = tokio::select! {
        pass = services.gate.enter_sometime(|paused| notice.tell(paused)) => pass?,
        (outcome, _) = evaluation.end() => return (*outcome).clone(),
    };
    if !evaluation.leaves_queue() {
        return Err(never_began());
    }
    let waited = evaluation.accepted_at.elapsed();
    services.metrics.evaluations.sent(waited);
    following.outcome().await
}

fn code_of(command: &str, given: &Map<String, Value>) -> String {
    match given.get("code").and_then(Value::as_str) {
        Some(code) => code.to_owned(),
        None => format!("{command} {}", Value::Object(given.clone())),
    }
}

fn record(asked: &Asked, start: &Request, session: Option<&Arc<Session>>) -> Arc<Evaluation> {
    let code = code_of(&start.command, &start.parameters);
    let by = asked.client.requester();
    asked
        .services
        .sessions
        .record(start.id.clone(), code, by, session)
}

/// Interrupts an evaluation that has not ended when its client goes away.
struct InterruptWithoutClient<'a> {
    services: &'a Arc<Services>,
    evaluation: &'a Arc<Evaluation>,
}

impl Drop for InterruptWithoutClient<'_> {
    fn drop(&mut self) {
        if self.evaluation.ended().is_some() {
            return;
        }
        let (services, evaluation) = (Arc::clone(self.services), Arc::clone(self.evaluation));
        if evaluation.take_back(never_began()) {
            return;
        }
        self.services.tasks.spawn(async move {
            evaluation.begun().await;
            let command = Interrupt {
                evaluation_id: Some(evaluation.id.clone()),
                ..Interrupt::default()
            };
            let deadline = Instant::now() + services.request_timeout();
            if let Err(failure) = services.image.ask(&command, deadline).await {
                tracing::warn!(%failure, "interrupting an evaluation whose client is gone");
            }
        });
    }
}

fn too_many() -> Failure {
    Failure::new(
        ErrorType::Overloaded,
        format!("{MOST_LOOSE} evaluations without a session run: wait, or use a session"),
    )
    .with("limit", MOST_LOOSE)
}
