//! The only owner of the link to the image: one task that takes messages from a bounded channel,
//! sends them, and settles each exactly once.
//!
//! Its rules: nothing is sent while the link is down; no more is sent ahead than the image answers
//! in a moment (`pace`), and nothing to one that stands still; a timeout does not free the place
//! of a request that was sent; at a disconnect the replies that have arrived are taken first, then
//! what was sent becomes *unknown*. A peer that breaks the protocol costs a socket: what waits on
//! it becomes *unknown* and a new one is opened; one that keeps silent is given up when it answers
//! on a second one (`spare`). What the worker does not do: read JSON, send anything twice, or
//! judge the image's health.

mod refused;
mod sending;
mod spare;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::time::{self, Timestamp};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::inflight::{Inflight, Settled};
use super::link::{Arrived, Link, Refusal};
use super::message::{Answer, LinkError, Message};
use super::pace::Pace;
use super::queue::Queue;
use spare::Spare;

use crate::limits::Current;
use crate::metrics::Metrics;

/// Requests that are kept in mind although the image has passed them over, and those under way.
const MOST_SENT: usize = 2 * super::link::WIDEST;

/// At the start, requests wait this long for the first connection before they are told that
/// nobody is there.
pub(crate) const FIRST_CONNECTION: Duration = Duration::from_secs(2);

/// Before a socket that could not be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_millis(100);

/// When the link is up and yet takes nothing, it is asked again after this.
const STUFFED: Duration = Duration::from_millis(5);

/// State of the link, not of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// It has never been up; it may come up any moment.
    Connecting,
    /// Connections are counted, so that one that was lost and found between two looks shows.
    Up {
        connection: u64,
    },
    Down,
    /// Somebody is there and does not let the daemon in, or is not who it should be.
    Refused(Refusal),
}

/// What the worker is told besides messages.
pub(crate) struct Orders {
    /// Somebody found nonsense in a reply.
    pub(crate) distrust: Arc<Notify>,
    /// An operator wants a new socket, and to know how many requests become *unknown* by that.
    pub(crate) reconnects: mpsc::Receiver<oneshot::Sender<usize>>,
}

/// The task's own things.
pub(crate) struct Worker {
    context: zmq::Context,
    address: Address,
    link: Link,
    inbox: mpsc::Receiver<Message>,
    queue: Queue<Message>,
    /// No deadline in the queue is before this: they are not all looked at for every message.
    queue_due: Option<Instant>,
    inflight: Inflight<Waiting>,
    pace: Pace,
    state: watch::Sender<LinkState>,
    connection: u64,
    connecting_until: Instant,
    /// Since when nobody is there, or nobody was there at the start.
    away_since: Timestamp,
    /// When somebody who has refused the daemon is asked again.
    again_at: Option<Instant>,
    /// The link said that it is up and then took nothing.
    stuffed: bool,
    /// Why the socket has to go, as soon as nobody waits on it.
    worn: Option<&'static str>,
    orders: Orders,
    /// Tried while nothing comes by the link.
    spare: Option<Spare>,
    /// Not before this is another one opened.
    spare_due: Instant,
    /// Not before this are callers told their places.
    places_due: Instant,
    metrics: Arc<Metrics>,
}

/// A caller whose request has been sent.
struct Waiting {
    message: Message,
    sent_at: Instant,
}

impl Worker {
    /// Opens the link; nobody needs to be at the other end yet.
    pub(crate) fn open(
        address: &Address,
        inbox: mpsc::Receiver<Message>,
        state: watch::Sender<LinkState>,
        orders: Orders,
        limits: Current,
        metrics: Arc<Metrics>,
    ) -> Result<Self, tmq::TmqError> {
        let context = zmq::Context::new();
        let link = Link::open(&context, address)?;
        let pace = Pace::new(link.widest(), Instant::now());
        Ok(Self {
            context,
            address: address.clone(),
            link,
            inbox,
            queue: Queue::new(limits),
            queue_due: None,
            inflight: Inflight::new(MOST_SENT),
            pace,
            state,
            connection: 0,
            connecting_until: Instant::now() + FIRST_CONNECTION,
            away_since: time::now(),
            again_at: None,
            stuffed: false,
            worn: None,
            orders,
            spare: None,
            spare_due: Instant::now(),
            places_due: Instant::now(),
            metrics,
        })
    }

    /// Works until told to stop or until nobody can send any more.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            self.expire();
            self.look_after_socket();
            self.ask_again();
            self.send_waiting();
            self.tell_places();
            let wake = self.next_wake();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                happening = self.link.next() => self.on_link(happening),
                happening = spare::next(&mut self.spare) => self.on_spare(happening),
                () = self.orders.distrust.notified() => self.worn = Some("garbage"),
                Some(done) = self.orders.reconnects.recv() => self.reconnect(done),
                message = self.inbox.recv() => match message {
                    Some(message) => {
                        self.let_others_ask().await;
                        self.accept_all(message);
                    }
                    None => break,
                },
                () = sleep_until(wake) => {}
            }
        }
        self.settle_all(&LinkError::Stopped);
    }

    fn state(&self) -> LinkState {
        *self.state.borrow()
    }

    fn is_up(&self) -> bool {
        matches!(self.state(), LinkState::Up { .. })
    }

    fn is_down(&self) -> bool {
        matches!(self.state(), LinkState::Down | LinkState::Refused(_))
    }

    fn down(&self) -> LinkError {
        LinkError::Down {
            endpoint: self.address.endpoint.clone(),
            since: self.away_since,
        }
    }

    /// Takes a reply and those that came with it, before the next requests are sent.
    fn on_replies(&mut self, first: Arrived) {
        self.on_reply(first);
        // No peer keeps the task here: more than were sent do not come together.
        for _ in 0..MOST_SENT {
            let Some(reply) = self.link.take_arrived() else {
                return;
            };
            self.on_reply(reply);
        }
    }

    fn on_reply(&mut self, reply: Arrived) {
        let Some((correlation, body)) = reply else {
            self.drop_reply("malformed");
            return self.replace("garbage");
        };
        let now = Instant::now();
        match self.inflight.settle(correlation) {
            Settled::Waiting(Waiting { message, sent_at }) => {
                self.pace.answered(now);
                self.metrics
                    .link
                    .duration
                    .observe((now - sent_at).as_secs_f64());
                let order = correlation;
                answer(message, Ok(Answer { body, order }));
            }
            Settled::Late => {
                self.pace.answered(now);
                self.drop_reply("late");
            }
            Settled::Again => {
                self.drop_reply("again");
                self.worn = Some("garbage");
            }
            Settled::Unknown => {
                self.drop_reply("unknown");
                self.replace("garbage");
            }
        }
    }

    fn drop_reply(&self, reason: &str) {
        tracing::debug!(reason, "dropping a reply of the image");
        self.metrics
            .link
            .replies_dropped
            .with_label_values(&[reason])
            .inc();
    }

    /// Tells everybody whose time is over.
    fn expire(&mut self) {
        let now = Instant::now();
        for Waiting { message, .. } in self.inflight.expire(now) {
            answer(message, Err(LinkError::TimedOut));
        }
        if self.state() == LinkState::Connecting && now >= self.connecting_until {
            self.state.send_replace(LinkState::Down);
            self.settle_all(&self.down());
        }
        if self.queue_due.is_some_and(|due| due <= now) {
            self.expire_queue(now);
        }
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let connecting = (self.state() == LinkState::Connecting).then_some(self.connecting_until);
        let stuffed = self.stuffed.then(|| now + STUFFED);
        let anybody = self.queue.len() > 0 || self.inflight.places() > 1;
        let places = (self.is_up() && anybody).then_some(self.places_due);
        let worn = self.worn.map(|_| now + OPEN_AGAIN);
        let spare = match &self.spare {
            Some(spare) => Some(spare.until()),
            None => {
                let is_due = self.inflight.is_stuck();
                is_due.then_some(self.spare_due.max(now + STUFFED))
            }
        };
        let sent = self.inflight.next_deadline();
        [
            self.queue_due,
            sent,
            connecting,
            stuffed,
            worn,
            spare,
            places,
            self.again_at,
        ]
        .into_iter()
        .flatten()
        .min()
        // Nothing waits: the next message wakes the task.
        .unwrap_or(now + Duration::from_secs(3600))
    }
}

/// Settles a message. A caller who has gone away needs no answer.
fn answer(message: Message, outcome: Result<Answer, LinkError>) {
    if let Err(error) = &outcome {
        tracing::debug!(parent: &message.span, %error, "no reply of the image");
    }
    let _ = message.reply.send(outcome);
}
