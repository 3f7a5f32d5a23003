//! The event link: a PUB socket that belongs to the VM's thread.
//!
//! Sending never waits. A subscriber that is slow beyond its queue loses events and sees that by a
//! hole in `seq`.

use stui_protocol::{Event, EventName, codec};
use tracing::warn;
use zmq::{Context, Socket};

use super::Guard;
use super::endpoint::{self, EndpointError};

/// Events that libzmq holds for a subscriber that does not read.
const QUEUED_EVENTS: i32 = 10_000;

/// A numbered stream of events of one image instance.
pub(super) struct Publisher {
    socket: Option<Socket>,
    endpoint: Option<String>,
    instance: String,
    seq: u64,
}

impl Publisher {
    /// Binds the event link; without an endpoint events are counted and go nowhere.
    pub(super) fn bind(
        context: &Context,
        place: Option<(&str, Option<&Guard>)>,
        instance: &str,
    ) -> Result<Self, EndpointError> {
        let mut publisher = Self {
            socket: None,
            endpoint: None,
            instance: instance.to_owned(),
            seq: 0,
        };
        let Some((endpoint, guard)) = place else {
            return Ok(publisher);
        };
        let refused = |error: zmq::Error| EndpointError::Bind {
            endpoint: endpoint.to_owned(),
            reason: error.to_string(),
        };
        let socket = context.socket(zmq::PUB).map_err(refused)?;
        socket.set_sndhwm(QUEUED_EVENTS).map_err(refused)?;
        socket.set_linger(super::LINGER_MS).map_err(refused)?;
        publisher.endpoint = Some(endpoint::bind(&socket, endpoint, guard)?);
        publisher.socket = Some(socket);
        Ok(publisher)
    }

    /// Where it is bound.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Publishes an event under the next number.
    pub(super) fn publish(&mut self, mut event: Event) {
        self.seq += 1;
        event.seq = Some(self.seq);
        event.instance = Some(self.instance.clone());
        let Some(socket) = &self.socket else {
            return;
        };
        let (topic, body) = codec::event::encode_event(&event);
        if let Err(error) = socket.send_multipart([topic, body], zmq::DONTWAIT) {
            warn!(%error, seq = self.seq, "publishing an event");
        }
    }

    /// Publishes an event of a session, an evaluation, both or neither.
    pub(super) fn tell(
        &mut self,
        name: EventName,
        session: Option<&str>,
        evaluation: Option<&str>,
        data: &impl serde::Serialize,
    ) {
        let mut event = Event::new(name, data);
        event.session_id = session.map(str::to_owned);
        event.evaluation_id = evaluation.map(str::to_owned);
        self.publish(event);
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher")
            .field("endpoint", &self.endpoint)
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}
