//! One request of the front end, from its message to its answer.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use stui_protocol::{ErrorType, Failure, Request};
use tokio::sync::mpsc;

use super::peers::Seat;
use crate::commands::{self, Services};
use crate::connection::Responder;

/// Commands that make lines follow their reply; a ZeroMQ client gets one reply for each request.
const NEED_A_STREAM: [&str; 3] = ["attach", "detach", "subscribe"];

/// Commands whose evaluation is waited for, unless they say how long.
const BLOCKING: [&str; 2] = ["evaluate", "run_tests"];

/// Milliseconds that such an evaluation may run when it does not say: as in protocol 1.0. Its
/// client may be gone, and nobody else knows of it.
const EVALUATION_TIMEOUT_MS: u64 = 30_000;

/// A reply and its way back.
pub(super) struct Answered {
    pub(super) envelope: Vec<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

/// Serves a request. The future ends with its reply, whatever becomes of it.
pub(super) fn serve(
    envelope: Vec<Vec<u8>>,
    mut request: Request,
    seat: Seat,
    services: &Arc<Services>,
) -> BoxFuture<'static, Answered> {
    let (reply, mut replied) = mpsc::channel(1);
    let id = Some(request.id.clone());
    let label = commands::label(&request.command);
    let responder = Responder::new(id, label, reply, seat.place, services);
    let serving = match adapt(&mut request, services) {
        Ok(()) => commands::dispatch(Arc::clone(services), seat.client, request, responder),
        Err(failure) => {
            responder.answer(Err(failure));
            futures::future::ready(()).boxed()
        }
    };
    async move {
        serving.await;
        // A responder always answers, also when it is dropped.
        let line = replied.recv().await.map(|outgoing| outgoing.line);
        let mut body = line.unwrap_or_default();
        // The end of a line of the client link; a frame has none.
        body.truncate(body.trim_ascii_end().len());
        Answered { envelope, body }
    }
    .boxed()
}

/// Makes of a request to an image one to the daemon.
fn adapt(request: &mut Request, services: &Services) -> Result<(), Failure> {
    let command = request.command.as_str();
    if NEED_A_STREAM.contains(&command) {
        return Err(Failure::new(
            ErrorType::UnsupportedOperation,
            format!(
                "{command} needs a stream of lines, and here each request has one reply: use the \
                 Unix socket {}",
                services.socket
            ),
        ));
    }
    if command == "admin" {
        return Err(Failure::new(
            ErrorType::UnsupportedOperation,
            format!(
                "admin is for the Unix socket {}, where the kernel says who asks",
                services.socket
            ),
        ));
    }
    let given = &mut request.parameters;
    if command == "list_client_sessions" {
        // As with create_session: whose sessions they are, the configuration says.
        given.remove("client_id");
    }
    if BLOCKING.contains(&command) && lacks(given, "wait_ms") && lacks(given, "timeout_ms") {
        given.insert("timeout_ms".into(), EVALUATION_TIMEOUT_MS.into());
    }
    Ok(())
}

fn lacks(given: &Map<String, Value>, key: &str) -> bool {
    given.get(key).is_none_or(Value::is_null)
}
