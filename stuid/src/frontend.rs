//! The front end: plain ZeroMQ clients talk to the daemon as they would to an image.
//!
//! To each of them it is a REP socket; inside it is a ROUTER, so that one that waits for its
//! evaluation holds up no other. One task owns the sockets. What clients ask is served by the same
//! [`crate::commands`] as on the Unix socket; who they are says their key, or else the name that
//! they give themselves. A ROUTER cannot tell that a client has left, so nothing here runs without
//! a time limit.

mod doorkeeper;
mod peers;
mod requests;
mod socket;

use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use stui_protocol::codec::frames;
use stui_protocol::codec::image::{Rejected, decode_request, encode_reply};
use stui_protocol::{ErrorType, Failure};
use tmq::Multipart;

use crate::commands::Services;
use crate::config::{self, Links};
use crate::error::Error;
use crate::limits::RequestBytes;
use doorkeeper::Doorkeeper;
use peers::{MOST_REQUESTS_OF_A_PEER, Name, Peers};
use requests::Answered;
use socket::{Front, Undelivered};

/// Requests under way, over all clients. Further ones wait in their clients' queues.
const MOST_REQUESTS: usize = 512;

/// Files that it needs when it is configured: a socket for each client, and as many for those who
/// are just asked who they are.
#[must_use]
pub fn files(config: &config::Frontend) -> usize {
    match config.endpoint.is_empty() {
        true => 0,
        false => config.max_clients.saturating_add(config.max_clients),
    }
}

/// The front end, bound and not served yet.
pub struct Frontend {
    front: Front,
    doorkeeper: Doorkeeper,
    peers: Peers,
}

/// Requests under way; each ends with its answer.
type Running = FuturesUnordered<BoxFuture<'static, Answered>>;

/// Why an endpoint cannot be bound, and what to do.
fn explain(why: &tmq::TmqError) -> String {
    let advice = match why {
        tmq::TmqError::Zmq(zmq::Error::ENODEV) => {
            "this machine has no interface of that name: host names are not looked up, name an \
             address such as tcp://127.0.0.1:5560"
        }
        tmq::TmqError::Zmq(zmq::Error::EADDRINUSE) => "something else is there: name another one",
        _ => "name a place such as tcp://127.0.0.1:5560 or ipc:///run/stui/front.ipc",
    };
    format!("{why}: {advice}")
}

impl Frontend {
    /// Binds the endpoint; none when none is configured.
    ///
    /// # Errors
    /// [`Error::Frontend`] when it cannot be bound.
    pub fn bind(
        config: &config::Frontend,
        links: &Links,
        bytes: &RequestBytes,
    ) -> Result<Option<Self>, Error> {
        if config.endpoint.is_empty() {
            return Ok(None);
        }
        let bound = || {
            let context = zmq::Context::new();
            let front = Front::open(&context, links.frontend.as_ref())?;
            let keys = links.frontend.as_ref().map(|_| peers::keys(&config.owners));
            let doorkeeper = Doorkeeper::open(&context, &front, keys, config.max_clients)?;
            Ok::<_, tmq::TmqError>((front.bind(&config.endpoint)?, doorkeeper))
        };
        let (front, doorkeeper) = bound().map_err(|why| Error::Frontend {
            endpoint: config.endpoint.clone(),
            why: explain(&why),
        })?;
        let peers = Peers::new(config, bytes.clone());
        Ok(Some(Self {
            front,
            doorkeeper,
            peers,
        }))
    }

    /// Where it is bound; a port that the system chose stands in it.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.front.endpoint
    }

    /// Serves until the daemon ends: requests under way are answered first.
    pub async fn run(mut self, services: Arc<Services>) {
        let mut running = Running::new();
        while !(services.closing.is_cancelled() && running.is_empty()) {
            tokio::select! {
                // Requests first, so that each begins before the next one is read.
                biased;
                () = services.stop.cancelled() => break,
                Some(answered) = running.next() => self.deliver(answered, &services),
                () = self.doorkeeper.serve(&services.metrics.frontend) => {}
                () = services.closing.cancelled(), if !services.closing.is_cancelled() => {}
                received = self.front.next(), if running.len() < MOST_REQUESTS => match received {
                    Some(frames) => self.take(frames, &services, &running),
                    None => {
                        tracing::error!("the front end's socket cannot be read any more");
                        break;
                    }
                },
            }
        }
    }

    /// Begins to serve a message, or answers at once what is wrong with it.
    fn take(&mut self, mut frames: Multipart, services: &Arc<Services>, running: &Running) {
        let Some(name) = Name::of(&mut frames) else {
            return;
        };
        let whole = frames.len() <= frames::MAX_FRAMES;
        let kept = frames.iter().take(frames::MAX_FRAMES);
        let message = frames::cut(kept.map(|frame| frame.to_vec()).collect(), whole);
        let bytes = message.body.as_ref().map_or(0, Vec::len);
        let request = match message.body {
            Ok(body) => decode_request(&body),
            Err(wrong) => Err(Rejected {
                id: None,
                failure: wrong.into(),
            }),
        };
        let begun = request.and_then(|request| {
            let refused = |failure| Rejected {
                id: Some(request.id.clone()),
                failure,
            };
            let mut seat = self.peers.seat(name).map_err(refused)?;
            seat.place.claims(bytes).map_err(refused)?;
            Ok((request, seat))
        });
        match begun {
            Ok((request, seat)) => {
                let serving = requests::serve(message.envelope, request, seat, services);
                running.push(serving);
            }
            Err(rejected) => self.refuse(message.envelope, rejected, services),
        }
        self.peers.count(&services.metrics.frontend);
    }

    fn refuse(&mut self, envelope: Vec<Vec<u8>>, rejected: Rejected, services: &Services) {
        tracing::debug!(failure = %rejected.failure, "the front end refuses a message");
        let requests = &services.metrics.requests;
        requests.count_invalid(rejected.failure.error_type);
        let body = encode_reply(&rejected.into_reply(services.image.instance()));
        self.send(envelope, body, services);
    }

    fn deliver(&mut self, answered: Answered, services: &Services) {
        self.send(answered.envelope, answered.body, services);
    }

    /// A client that has left, or that does not read what it asked for, gets nothing; the others
    /// do not wait for it.
    fn send(&mut self, envelope: Vec<Vec<u8>>, body: Vec<u8>, services: &Services) {
        let Err(why) = self.front.send(envelope, body) else {
            return;
        };
        let reason = match why {
            Undelivered::Gone => "gone",
            Undelivered::Full => "full",
        };
        tracing::debug!(reason, "a reply of the front end is dropped");
        let dropped = &services.metrics.frontend.replies_dropped;
        dropped.with_label_values(&[reason]).inc();
    }
}

impl std::fmt::Debug for Frontend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frontend")
            .field("endpoint", &self.front.endpoint)
            .finish_non_exhaustive()
    }
}

/// A client asks for more at a time than it may.
fn too_many_requests() -> Failure {
    Failure::new(
        ErrorType::Overloaded,
        format!(
            "{MOST_REQUESTS_OF_A_PEER} requests of this client are under way, or large ones: wait for a reply"
        ),
    )
    .with("limit", MOST_REQUESTS_OF_A_PEER)
}
