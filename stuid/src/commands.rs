//! What clients can ask for: one file for each command that the daemon answers itself, and
//! [`carry`](self) for those that go to the image as they are.
//!
//! Each takes its parameters, what the daemon has ([`Services`]), who asks ([`Client`]) and the
//! duty to answer ([`Responder`]).

mod admin;
mod attach;
mod awaiting;
mod carry;
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

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use stui_protocol::command::{parameters, unknown_command};
use stui_protocol::daemon::DaemonCommand;
use stui_protocol::image::{ImageCommand, Requester};
use stui_protocol::time::{self, Timestamp};
use stui_protocol::{Command, ErrorType, Failure, Request};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use clients::Clients;
pub(crate) use evaluate::MOST_LOOSE;

use crate::announcements::Announcements;
use crate::config::InForce;
use crate::connection::Responder;
use crate::gate::Gate;
use crate::identity::Peer;
use crate::image::{Image, new_id};
use crate::limits::RequestBytes;
use crate::metrics::Metrics;
use crate::notes::Notes;
use crate::session::{Access, Session};
use crate::sessions::{IdHolder, Sessions};
use crate::store::Store;
use notice::Notice;

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

/// Who asks.
#[derive(Debug)]
pub struct Client {
    /// The daemon's number for the connection.
    pub number: u64,
    /// The process at the other end.
    pub peer: Peer,
    /// Since when it is connected.
    pub connected_at: Timestamp,
    /// For what is no reply.
    pub notes: Notes,
    lagging: AtomicBool,
    /// Why it is to be disconnected, once it is.
    kicked: watch::Sender<Option<String>>,
    /// Its connection is closed.
    pub(crate) gone: CancellationToken,
    attached: Mutex<Option<Arc<Session>>>,
}

impl Client {
    /// A client that is attached to nothing.
    #[must_use]
    pub fn new(number: u64, peer: Peer, notes: Notes) -> Self {
        Self {
            number,
            peer,
            connected_at: time::now(),
            notes,
            lagging: AtomicBool::new(false),
            kicked: watch::Sender::new(None),
            gone: CancellationToken::new(),
            attached: Mutex::new(None),
        }
    }

    /// As the one who asks for an evaluation.
    #[must_use]
    pub fn requester(&self) -> Requester {
        Requester {
            client: self.number,
            pid: self.peer.pid,
            uid: self.peer.uid,
        }
    }

    /// Leaves the session that it is attached to, and answers which that was.
    pub fn leave(&self) -> Option<Arc<Session>> {
        self.change_to(None)
    }

    /// Disconnects it, with a last line that says why.
    pub(crate) fn kick(&self, reason: String) {
        self.kicked.send_replace(Some(reason));
    }

    /// Why it is to be disconnected; none while it is not.
    pub(crate) fn kicked(&self) -> watch::Receiver<Option<String>> {
        self.kicked.subscribe()
    }

    /// Says whether it has fallen behind with reading; those who look at its session see it.
    pub(crate) fn set_lagging(&self, lagging: bool) {
        self.lagging.store(lagging, Ordering::Relaxed);
        let attached = self.attached().clone();
        if let Some(session) = attached {
            session.set_lagging(self.number, lagging);
        }
    }

    /// It is attached to that session no more, and has been told.
    pub(crate) fn forget(&self, session: &Session) {
        self.attached().take_if(|there| there.key == session.key);
    }

    fn join(&self, session: &Arc<Session>) {
        self.change_to(Some(Arc::clone(session)));
        session.set_lagging(self.number, self.lagging.load(Ordering::Relaxed));
    }

    pub(crate) fn attached(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_to(&self, next: Option<Arc<Session>>) -> Option<Arc<Session>> {
        let mut attached = self.attached();
        let stays = next.as_ref().map(|session| session.key);
        let before = std::mem::replace(&mut *attached, next);
        drop(attached);
        if let Some(before) = &before
            && stays != Some(before.key)
        {
            before.detach(self.number);
        }
        before
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

/// Ids of requests that are shorter are counters, and two clients may count alike.
const UNIQUE_ID_CHARS: usize = 16;

/// A command and what it is served with.
struct Asked {
    /// The id of the request.
    id: String,
    services: Arc<Services>,
    client: Arc<Client>,
    responder: Responder,
}

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
        "subscribe" => subscribe::serve(asked),
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

/// Which session a command means: `session` (name or id), or `session_id` as on the image link.
fn session_key(given: &Map<String, Value>) -> Result<Option<&str>, Failure> {
    for key in ["session", "session_id"] {
        match given.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(name)) => return Ok(Some(name)),
            Some(_) => return Err(Failure::invalid(key, "it must be a string")),
        }
    }
    Ok(None)
}

impl Asked {
    /// The session that the parameters mean, if any.
    fn session(&self, given: &Map<String, Value>) -> Result<Option<Arc<Session>>, Failure> {
        let key = session_key(given)?;
        key.map(|key| self.find(key)).transpose()
    }

    /// The session, when the client may do that with it.
    fn find_for(&self, needed: Access, name_or_id: &str) -> Result<Arc<Session>, Failure> {
        let session = self.find(name_or_id)?;
        session.allow(self.client.peer, needed)?;
        Ok(session)
    }

    fn find(&self, name_or_id: &str) -> Result<Arc<Session>, Failure> {
        self.services.sessions.find(self.client.peer, name_or_id)
    }

    /// What has the id of this request among the evaluations. One that is short is never free.
    fn id_holder(&self) -> IdHolder {
        if self.id.chars().count() < UNIQUE_ID_CHARS {
            return IdHolder::Hidden;
        }
        self.services
            .sessions
            .holder_of_id(self.client.peer, &self.id)
    }

    /// The id of the evaluation that this request starts: the request's own, when that can be
    /// unique and is not taken, so that a request that is sent again can be known again.
    fn evaluation_id(&self, holder: &IdHolder) -> String {
        match holder {
            IdHolder::None => self.id.clone(),
            IdHolder::Known(_) | IdHolder::Hidden => new_id(),
        }
    }

    /// The image, in the turn of whoever asks, who is told his place when he waits for long.
    fn image(&self) -> Image {
        let image = self.services.image.of(self.client.peer.uid);
        image.telling(Some(self.notice().teller()))
    }

    /// For telling the client that its request waits.
    fn notice(&self) -> Notice {
        Notice::new(&self.id, &self.client.notes)
    }

    /// The session, unless the client looks on only.
    fn may_drive(&self, session: &Session) -> Result<(), Failure> {
        session.allow(self.client.peer, Access::Drive)?;
        if session.is_watcher(self.client.number) {
            return Err(Failure::new(
                ErrorType::PermissionDenied,
                format!(
                    "this client watches session {}: attach to drive it",
                    session.name()
                ),
            ));
        }
        Ok(())
    }
}

fn shutting_down() -> Failure {
    Failure::new(ErrorType::ShuttingDown, "the daemon is shutting down")
}
