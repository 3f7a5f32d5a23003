//! The image, as the rest of the daemon sees it: [`Image::call`] asks it something.
//!
//! Behind the handle stand the `worker` that owns the ZeroMQ socket, the `health` task that pings,
//! and what they know about the image's `life`. Events of the image come by a link of their own,
//! [`events`]. Nothing here knows sessions or clients.

pub mod events;

mod address;
mod envelope;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod health;
mod inflight;
mod life;
mod link;
mod message;
mod pace;
mod place;
mod queue;
mod socket;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::daemon::{ImageState, ImageStatus};
use stui_protocol::image::{SaveImage, SaveImageResult};
use stui_protocol::{Command, Failure, Reply, Request};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use address::{Address, Approach, Guard, Heartbeat, Protocol, is_remote};
pub use message::{Connection, LinkError};

use crate::limits::Current;
use crate::metrics::Metrics;
use life::Life;
use message::Message;
use place::Place;
pub(crate) use place::Teller;
use queue::{Lane, Priority};
use worker::{LinkState, Orders, Worker};

/// Messages on their way to the worker, which empties the channel whenever it runs.
const CHANNEL_CAPACITY: usize = 64;

/// A handle on the image. Cheap to clone; all clones speak through one link.
#[derive(Clone, Debug)]
pub struct Image {
    inbox: mpsc::Sender<Message>,
    calls: Arc<Calls>,
    /// Whose turn its requests take; none is the daemon itself.
    owner: Option<u32>,
    /// Tells how many requests go before one that waits for long.
    teller: Option<Teller>,
    life: Arc<Life>,
    /// Tells the worker that a reply was nonsense.
    distrust: Arc<Notify>,
    /// Tells the worker to take a new socket.
    reconnects: mpsc::Sender<oneshot::Sender<usize>>,
    link: watch::Receiver<LinkState>,
}

/// Counts the calls under way: each holds what it was given when it began.
#[derive(Debug, Default)]
struct Calls(Arc<()>);

impl Calls {
    fn begin(&self) -> Arc<()> {
        Arc::clone(&self.0)
    }

    fn are_under_way(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// What came of a new socket.
#[derive(Clone, Copy, Debug)]
pub struct Reconnected {
    /// Requests whose outcome is unknown now.
    pub unknown: usize,
    /// Whether it is connected.
    pub up: bool,
}

impl Image {
    /// Opens the link and starts its tasks. They end when `stop` is cancelled; every request is
    /// settled then.
    ///
    /// # Errors
    /// When the endpoint is none, or when there are no files or memory for a socket.
    pub fn start(
        address: &Address,
        limits: Current,
        metrics: &Arc<Metrics>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, tmq::TmqError> {
        let (inbox, outbox) = mpsc::channel(CHANNEL_CAPACITY);
        let (link, link_state) = watch::channel(LinkState::Connecting);
        let distrust = Arc::new(Notify::new());
        let (reconnects, asked) = mpsc::channel(1);
        let orders = Orders {
            distrust: Arc::clone(&distrust),
            reconnects: asked,
        };
        let worker = Worker::open(address, outbox, link, orders, limits, Arc::clone(metrics))?;
        let image = Self {
            inbox,
            calls: Arc::default(),
            owner: None,
            teller: None,
            distrust,
            reconnects,
            link: link_state.clone(),
            life: Arc::new(Life::new(&address.endpoint, Arc::clone(metrics))),
        };
        tasks.spawn(worker.run(stop.clone()));
        tasks.spawn(health::run(image.clone(), link_state, stop.clone()));
        Ok(image)
    }

    /// The same image for the requests of one user, who takes turns with the others.
    #[must_use]
    pub fn of(&self, owner: u32) -> Self {
        Self {
            owner: Some(owner),
            ..self.clone()
        }
    }

    /// The same image for requests whose places are told while they wait for long.
    #[must_use]
    pub(crate) fn telling(&self, teller: Option<Teller>) -> Self {
        Self {
            teller,
            ..self.clone()
        }
    }

    fn lane(&self, request: &Request) -> Lane {
        let id = request.parameters.get("session_id");
        let id = id.and_then(serde_json::Value::as_str);
        Lane {
            owner: self.owner,
            session: id.unwrap_or_default().to_owned(),
        }
    }

    /// Waits until somebody is at the other end of the link and has answered, or so long.
    pub async fn wait_until_there(&self, limit: Duration) {
        let away = [ImageState::Connecting, ImageState::Down];
        let mut status = self.life.status();
        let there = status.wait_for(|status| !away.contains(&status.state));
        // Whoever asks next is told how it is.
        let _ = timeout(limit, there).await;
    }

    /// Asks the image and waits for its reply, until the deadline at most.
    ///
    /// When the returned future is dropped before the request was sent, it is not sent.
    ///
    /// # Errors
    /// [`LinkError`] tells apart what was certainly not sent from what may have been done. A
    /// failure of the image itself is a reply, not an error.
    pub async fn call(&self, request: &Request, deadline: Instant) -> Result<Reply, LinkError> {
        self.call_over(None, request, deadline).await
    }

    /// The same by this connection, or not at all.
    ///
    /// # Errors
    /// As [`Self::call`]; [`LinkError::Down`] when there is another one by now.
    pub async fn call_by(
        &self,
        connection: Connection,
        request: &Request,
        deadline: Instant,
    ) -> Result<Reply, LinkError> {
        self.call_over(Some(connection), request, deadline).await
    }

    /// The present connection; none while the link is not up.
    #[must_use]
    pub fn connection(&self) -> Option<Connection> {
        match *self.link.borrow() {
            LinkState::Up { connection } => Some(Connection(connection)),
            LinkState::Connecting | LinkState::Down | LinkState::Refused(_) => None,
        }
    }

    async fn call_over(
        &self,
        only_by: Option<Connection>,
        request: &Request,
        deadline: Instant,
    ) -> Result<Reply, LinkError> {
        let _call = self.calls.begin();
        let (reply, answer) = oneshot::channel();
        let message = Message {
            body: envelope::seal(request)?,
            priority: Priority::of(&request.command),
            lane: self.lane(request),
            came_at: Instant::now(),
            deadline,
            only_by,
            place: Place::new(self.teller.clone()),
            reply,
            span: tracing::Span::current(),
        };
        let sent = self.inbox.send(message).await;
        sent.map_err(|_| LinkError::Stopped)?;
        let answer = answer.await.unwrap_or(Err(LinkError::Stopped))?;
        let reply =
            envelope::read(request, &answer.body).inspect_err(|_| self.distrust.notify_one())?;
        self.life.heard(answer.order, &reply.instance);
        Ok(reply)
    }

    /// Asks the image for something by its type, under a fresh id.
    ///
    /// # Errors
    /// The image's failure, or the link's as one.
    pub async fn ask<C: Command>(
        &self,
        command: &C,
        deadline: Instant,
    ) -> Result<C::Result, Failure> {
        let request = Request::new(new_id(), command);
        let result = self.call(&request, deadline).await?.outcome?;
        serde_json::from_value(result)
            .map_err(|wrong| LinkError::Nonsense(wrong.to_string()).into())
    }

    /// Has the image save itself. Until it has answered, its state is `saving`, however silent it
    /// is meanwhile.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn save(&self, deadline: Instant) -> Result<SaveImageResult, Failure> {
        let _saving = self.life.begin_saving();
        self.ask(&SaveImage {}, deadline).await
    }

    /// Throws the socket to the image away and opens a new one; answers when that is connected, or
    /// at the deadline.
    ///
    /// # Errors
    /// When the daemon stops.
    pub async fn reconnect(&self, deadline: Instant) -> Result<Reconnected, LinkError> {
        let (done, unknown) = oneshot::channel();
        let sent = self.reconnects.send(done).await;
        sent.map_err(|_| LinkError::Stopped)?;
        let unknown = unknown.await.map_err(|_| LinkError::Stopped)?;
        let mut link = self.link.clone();
        let is_up = |state: &LinkState| matches!(state, LinkState::Up { .. });
        let up = timeout_at(deadline, link.wait_for(is_up)).await.is_ok();
        Ok(Reconnected { unknown, up })
    }

    /// What is known about the image now.
    #[must_use]
    pub fn status(&self) -> ImageStatus {
        self.life.status().borrow().clone()
    }

    /// What is known about the image, with its changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<ImageStatus> {
        self.life.status()
    }

    /// Whether somebody waits for the image's answer now, so that it should not be held up.
    #[must_use]
    pub fn is_in_demand(&self) -> bool {
        self.calls.are_under_way()
    }

    /// Whether the image's events arrive, so that nobody needs to ask for the end of anything.
    #[must_use]
    pub fn events_are_live(&self) -> bool {
        self.life.events_are_live()
    }

    /// The life of the image, when it has been heard; else empty.
    #[must_use]
    pub fn instance(&self) -> String {
        self.life
            .status()
            .borrow()
            .instance
            .clone()
            .unwrap_or_default()
    }
}

/// An id for a request to the image. Ids of clients never travel to the image: two clients may
/// use the same.
#[must_use]
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests;
