//! `submit`: evaluate, answered as soon as it is accepted and before any of its events.

use stui_protocol::Failure;
use stui_protocol::Request;
use stui_protocol::daemon::{Submit, SubmitResult};
use stui_protocol::image::Evaluate;
use stui_protocol::limits::DEFAULT_PRINT_LIMIT;

use super::Asked;
use crate::session::{Job, Wait, timeout_of};
use crate::sessions::IdHolder;

pub(super) async fn serve(asked: Asked, command: Submit) {
    let found = asked.find(&command.session);
    let session = match found.and_then(|session| asked.may_drive(&session).map(|()| session)) {
        Ok(session) => session,
        Err(failure) => return asked.responder.answer(Err(failure)),
    };
    let parameters = Evaluate {
        timeout_ms: command.timeout_ms,
        print_limit: command.print_limit.unwrap_or(DEFAULT_PRINT_LIMIT),
        on_error: command.on_error,
        ..Evaluate::new(command.code.clone(), None)
    };
    let holder = asked.id_holder();
    // An earlier request of this id has submitted it.
    if let IdHolder::Known(known) = &holder
        && known.code == command.code
    {
        let before = known.session().map_or(0, |session| session.before(known));
        return asked.responder.result(Ok(SubmitResult {
            evaluation_id: known.id.clone(),
            queue_position: before,
        }));
    }
    if let Err(failure) = asked.image_is_there() {
        return asked.responder.answer(Err(failure));
    }
    let start = Request::new(asked.evaluation_id(&holder), &parameters);
    let by = asked.client.requester();
    let id = start.id.clone();
    let sessions = &asked.services.sessions;
    let evaluation = sessions.record(id.clone(), command.code, by, Some(&session));
    let responder = asked.responder;
    let accepted = move |accepted: Result<u64, Failure>| {
        responder.result(accepted.map(|queue_position| SubmitResult {
            evaluation_id: id,
            queue_position,
        }));
    };
    // Whether it was accepted is told by the responder.
    let _ = session.enqueue(Job {
        evaluation,
        timeout: timeout_of(&start),
        start: Some(start),
        notes: Some(asked.client.notes.clone()),
        accepted: Some(Box::new(accepted)),
        begun: None,
        again: None,
        wait: Wait::default(),
    });
}
