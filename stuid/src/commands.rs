//! What clients can ask for: one file for each command that the daemon answers itself, and
//! [`carry`](self) for those that go to the image as they are.
//!
//! Each takes its parameters, what the daemon has ([`Services`]), who asks ([`Client`]) and the
//! duty to answer ([`Responder`]).

mod admin;
mod asked;
mod attach;
mod awaiting;
mod carry;
mod client;
mod clients;
mod close_session;
mod counting;
mod create_session;
mod detach;
mod evaluate;
mod guarding;
mod history;
mod interrupt;
mod kill_session;
mod list_sessions;
mod log;
mod new_session;
mod notice;
mod rename_session;
mod share_session;
mod status;
mod submit;
mod subscribe;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use stui_protocol::command::{parameters, unknown_command};
use stui_protocol::daemon::DaemonCommand;
use stui_protocol::image::ImageCommand;
use stui_protocol::time::Timestamp;
use stui_protocol::{Command, ErrorType, Failure, Request};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use client::Client;
pub use clients::Clients;
pub(crate) use evaluate::MOST_LOOSE;

use crate::announcements::Announcements;
use crate::config::InForce;
use crate::connection::Responder;
use crate::gate::Gate;
use crate::image::Image;
use crate::limits::RequestBytes;
use crate::metrics::Metrics;
use crate::sessions::Sessions;
use crate::store::Store;
use asked::{Asked, session_key};

/// What the daemon has for its clients.
#[derive(Debug)]
pub struct Services {
    /// The image.
    pub image: Image,
    /// The sessions.
    pub sessions: Sessions,
    /// Where sessions are kept.
    pub store: Store,
    /// The daemon's own events.
    pub announcements: Announcements,
    /// Who is connected.
    pub clients: Clients,
    /// Where new work waits while an operator wants that.
    pub gate: Gate,
    /// The configuration.
    pub config: InForce,
    /// The bytes of all requests.
    pub request_bytes: RequestBytes,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// The daemon takes no new requests.
    pub closing: CancellationToken,
    /// Evaluations are not waited for any more.
    pub settling: CancellationToken,
    /// The daemon ends now.
    pub stop: CancellationToken,
    /// Where tasks run that outlive a request.
    pub tasks: TaskTracker,
    /// Places for evaluations without a session.
    pub loose: Semaphore,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// The socket it listens on.
    pub socket: String,
    /// Where its metrics are.
    pub admin: Option<String>,
    /// Where ZeroMQ clients may talk to it.
    pub frontend: Option<String>,
}

impl Services {
    /// For one exchange with the image.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        self.config.request_timeout()
    }
}

/// The name of a command as metrics have it: few values, whatever clients send.
#[must_use]
pub fn label(command: &str) -> &'static str {
    DaemonCommand::NAMES
        .iter()
        .chain(ImageCommand::NAMES)
        .find(|known| **known == command)
        .copied()
        .unwrap_or("unknown")
}

/// Begins to serve a request. The answer goes through the responder.
pub fn dispatch(
    services: Arc<Services>,
    client: Arc<Client>,
    request: Request,
    responder: Responder,
) -> BoxFuture<'static, ()> {
    let session = session_key(&request.parameters).ok().flatten();
    // Whatever a client sends, log lines stay short.
    let session = session.filter(|name| name.len() <= MOST_LOGGED_BYTES);
    let span = tracing::info_span!(
        "request",
        client = client.number,
        session,
        id = request.id,
        command = label(&request.command)
    );
    serve(services, client, request, responder)
        .instrument(span)
        .boxed()
}

/// Commands that are served before the image's sessions are known.
const NEED_NO_SESSIONS: [&str; 6] = ["ping", "describe", "status", "subscribe", "detach", "admin"];

/// Longer names of sessions are left out of the log.
const MOST_LOGGED_BYTES: usize = 256;

async fn serve(
    services: Arc<Services>,
    client: Arc<Client>,
    mut request: Request,
    responder: Responder,
) {
    tracing::debug!("a request");
    if services.closing.is_cancelled() {
        return responder.answer(Err(shutting_down()));
    }
    if label(&request.command) == "unknown" {
        let known = DaemonCommand::NAMES.iter().chain(ImageCommand::NAMES);
        return responder.answer(Err(unknown_command(&request.command, known)));
    }
    match patience(&mut request.parameters) {
        Ok(Some(patience)) => services.image.wait_until_there(patience).await,
        Ok(None) => {}
        Err(failure) => return responder.answer(Err(failure)),
    }
    if !NEED_NO_SESSIONS.contains(&request.command.as_str()) {
        services.sessions.complete().await;
    }
    let Request {
        id,
        command,
        parameters: given,
        ..
    } = request;
    let asked = Asked {
        id,
        services,
        client,
        responder,
    };
    match command.as_str() {
        "attach" => with(asked, given, attach::serve).await,
        "detach" => detach::serve(asked),
        "new_session" => with(asked, given, new_session::serve).await,
        "create_session" => create_session::serve(asked, given).await,
        "list_sessions" => list_sessions::serve(asked),
        "rename_session" => with(asked, given, rename_session::serve).await,
        "kill_session" => with(asked, given, kill_session::serve).await,
        "close_session" => close_session::serve(asked, &given).await,
        "evaluate" | "run_tests" => evaluate::serve(asked, &command, given).await,
        "submit" => with(asked, given, submit::serve).await,
        "await" => with(asked, given, awaiting::serve).await,
        "evaluation_status" => with(asked, given, awaiting::status).await,
        "interrupt" => interrupt::serve(asked, &given).await,
        "history" => with(asked, given, history::serve).await,
        "log" => with(asked, given, log::serve).await,
        "status" => status::serve(asked),
        "subscribe" => with(asked, given, subscribe::serve).await,
        "admin" => with(asked, given, admin::serve).await,
        "share_session" => with(asked, given, share_session::serve).await,
        _ => carry::serve(asked, command, given).await,
    }
}

/// Reads the parameters of a command, then serves it.
async fn with<C: Command, F: Future<Output = ()>>(
    asked: Asked,
    given: Map<String, Value>,
    serve: impl FnOnce(Asked, C) -> F,
) {
    match parameters::<C>(given) {
        Ok(command) => serve(asked, command).await,
        Err(failure) => asked.responder.answer(Err(failure)),
    }
}

/// How long a request would wait for an image that is away; the parameter is the daemon's own.
fn patience(given: &mut Map<String, Value>) -> Result<Option<Duration>, Failure> {
    match given.remove("wait_image_ms") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(wait_ms) => Ok(Some(Duration::from_millis(wait_ms))),
            None => Err(Failure::invalid("wait_image_ms", "it must be milliseconds")),
        },
    }
}

fn shutting_down() -> Failure {
    Failure::new(ErrorType::ShuttingDown, "the daemon is shutting down")
}
