//! The thread `image-link`: takes messages from the socket, hands requests to the VM's thread,
//! sends replies.
//!
//! To every peer it is a REP socket: one reply for each message, the envelope given back
//! untouched. It is a ROUTER inside, so that a request that waits (a blocking `evaluate` of a 1.0
//! client) holds up its own client only, and so that a message of the wrong shape can be answered
//! instead of being dropped.
//!
//! Every message gets a reply, also when the VM's thread has died.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, TrySendError};

use stui_protocol::codec::frames::{self, MAX_FRAMES};
use stui_protocol::codec::image::{Rejected, decode_request, encode_reply};
use stui_protocol::{ErrorType, Failure, Reply, Request};
use tracing::{debug, error, warn};
use zmq::{Context, PollEvents, Socket};

use super::Guard;
use super::endpoint::{self, EndpointError};
use super::guard::Doorkeeper;
use super::replies::Ticket;
use crate::vm::Doorbell;

/// Requests that the VM's thread may owe replies to at a time. Beyond them messages stay in the
/// queues of their peers.
pub(super) const MAX_IN_FLIGHT: usize = 1000;

/// Messages of one kind that are taken before the other kind has its turn.
const MOST_AT_ONCE: usize = 32;

/// A frame beyond this closes its connection: it would only be read to be refused. Far above the
/// largest message, so that a body that is a little too large is told so.
const MAX_FRAME_BYTES: i64 = 64 * 1024 * 1024;

/// Messages that libzmq holds for each peer, either way.
const QUEUED_MESSAGES: i32 = 100;

/// What the VM's thread gets.
#[derive(Debug)]
pub(super) enum ToVm {
    /// A request, to be answered under the ticket.
    Request(Ticket, Request),
    /// End.
    Stop,
}

/// What comes back through the inproc pipe: the first byte of the first frame.
const REPLY: u8 = 0;
const END: u8 = 1;

/// The VM's end of the pipe that replies go through.
pub(super) struct Outbox(Socket);

impl Outbox {
    /// Sends an encoded reply for a message.
    pub(super) fn reply(&self, ticket: Ticket, body: &[u8]) {
        let mut head = vec![REPLY];
        head.extend(ticket.to_le_bytes());
        // The pipe has no bound of its own; `MAX_IN_FLIGHT` is one.
        if let Err(error) = self.0.send_multipart([&head[..], body], zmq::DONTWAIT) {
            error!(%error, "handing a reply to the link");
        }
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox")
    }
}

/// Whatever becomes of the VM's thread, the link hears of it.
impl Drop for Outbox {
    fn drop(&mut self) {
        if let Err(error) = self.0.send([END].as_slice(), zmq::DONTWAIT) {
            error!(%error, "telling the link that the image ends");
        }
    }
}

/// What came through the inproc pipe.
enum Passed {
    Reply,
    End,
}

/// The socket of the image link with what its thread needs.
pub(super) struct Link {
    socket: Socket,
    inbox: Socket,
    /// With keys only.
    doorkeeper: Option<Doorkeeper>,
    requests: SyncSender<ToVm>,
    doorbell: Doorbell,
    instance: String,
    /// Where replies go, by ticket.
    waiting: HashMap<Ticket, (Vec<Vec<u8>>, String)>,
    last_ticket: Ticket,
}

impl Link {
    /// Binds the link. Answers it with the actual endpoint and the VM's end of the reply pipe.
    pub(super) fn bind(
        context: &Context,
        (endpoint, guard): (&str, Option<&Guard>),
        instance: &str,
        (requests, doorbell): (SyncSender<ToVm>, Doorbell),
    ) -> Result<(Self, String, Outbox), EndpointError> {
        let refused = |error: zmq::Error| EndpointError::Bind {
            endpoint: endpoint.to_owned(),
            reason: error.to_string(),
        };
        let socket = context.socket(zmq::ROUTER).map_err(refused)?;
        configure(&socket).map_err(refused)?;
        let (inbox, outbox) = pipe(context).map_err(refused)?;
        let doorkeeper = guard.map(|guard| Doorkeeper::open(context, guard));
        let doorkeeper = doorkeeper.transpose().map_err(refused)?;
        let actual = endpoint::bind(&socket, endpoint, guard)?;
        let link = Self {
            socket,
            inbox,
            doorkeeper,
            requests,
            doorbell,
            instance: instance.to_owned(),
            waiting: HashMap::new(),
            last_ticket: 0,
        };
        Ok((link, actual, Outbox(outbox)))
    }

    /// Serves until the VM's thread has ended.
    pub(super) fn run(mut self) {
        loop {
            match self.turn() {
                Ok(true) => {}
                Ok(false) => break,
                Err(zmq::Error::EINTR) => {}
                Err(error) => {
                    error!(%error, "serving the image link");
                    break;
                }
            }
        }
        self.answer_all_waiting();
        debug!("the image link is closed");
    }

    /// Waits for something to do and does it; false at the end.
    fn turn(&mut self) -> zmq::Result<bool> {
        let room = self.waiting.len() < MAX_IN_FLIGHT;
        let door = self.doorkeeper.as_ref().map(Doorkeeper::socket);
        let mut items = [
            self.inbox.as_poll_item(PollEvents::POLLIN),
            // Without a door the inbox is looked at twice, which does no harm.
            door.unwrap_or(&self.inbox).as_poll_item(PollEvents::POLLIN),
            self.socket.as_poll_item(PollEvents::POLLIN),
        ];
        let watched = if room {
            &mut items[..]
        } else {
            &mut items[..2]
        };
        zmq::poll(watched, -1)?;
        let [reply, question, request] = items.map(|item| item.is_readable());
        if question && let Some(doorkeeper) = &self.doorkeeper {
            doorkeeper.answer()?;
        }
        // Asking what there is costs system calls: what came together is taken together.
        if reply {
            for _ in 0..MOST_AT_ONCE {
                match self.pass_reply() {
                    Ok(Passed::Reply) => {}
                    Ok(Passed::End) => return Ok(false),
                    Err(zmq::Error::EAGAIN) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        if request {
            for _ in 0..MOST_AT_ONCE.min(MAX_IN_FLIGHT - self.waiting.len()) {
                match self.take_message() {
                    Ok(()) => {}
                    Err(zmq::Error::EAGAIN) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(true)
    }

    /// Sends one reply of the VM's thread, or hears that it has ended. `EAGAIN` when there is none.
    fn pass_reply(&mut self) -> zmq::Result<Passed> {
        let mut frames = self.inbox.recv_multipart(zmq::DONTWAIT)?.into_iter();
        let (Some(head), Some(body)) = (frames.next(), frames.next()) else {
            return Ok(Passed::End);
        };
        let ticket = head
            .get(1..)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Ticket::from_le_bytes);
        if let Some((envelope, _)) = ticket.and_then(|ticket| self.waiting.remove(&ticket)) {
            self.send(envelope, body);
        }
        Ok(Passed::Reply)
    }

    /// Takes one message. `EAGAIN` when there is none.
    fn take_message(&mut self) -> zmq::Result<()> {
        let (frames, whole) = self.receive()?;
        let message = frames::cut(frames, whole);
        let request = match message.body {
            Ok(body) => decode_request(&body),
            Err(wrong) => Err(Rejected {
                id: None,
                failure: wrong.into(),
            }),
        };
        match request {
            Ok(request) => self.hand_over(message.envelope, request),
            Err(rejected) => {
                debug!(error = %rejected.failure, "refusing a message");
                let reply = rejected.into_reply(&self.instance);
                self.send(message.envelope, encode_reply(&reply));
            }
        }
        Ok(())
    }

    /// The frames of one message; false when some beyond the bound were dropped.
    fn receive(&self) -> zmq::Result<(Vec<Vec<u8>>, bool)> {
        let mut frames = Vec::new();
        let mut whole = true;
        loop {
            let frame = self.socket.recv_msg(zmq::DONTWAIT)?;
            if frames.len() < MAX_FRAMES {
                frames.push(frame.to_vec());
            } else {
                whole = false;
            }
            if !frame.get_more() {
                return Ok((frames, whole));
            }
        }
    }

    fn hand_over(&mut self, envelope: Vec<Vec<u8>>, request: Request) {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        let id = request.id.clone();
        self.waiting.insert(ticket, (envelope, id));
        // The channel holds as many as may be in flight, so it is full only when it is dead.
        match self.requests.try_send(ToVm::Request(ticket, request)) {
            Ok(()) => self.doorbell.ring(),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                if let Some((envelope, id)) = self.waiting.remove(&ticket) {
                    let ended = "the image has ended: nothing was done, it is safe to try again";
                    self.refuse(envelope, id, ErrorType::ImageUnavailable, ended);
                }
            }
        }
    }

    /// The VM's thread has got them, and nobody knows how far it came.
    fn answer_all_waiting(&mut self) {
        for (_, (envelope, id)) in std::mem::take(&mut self.waiting) {
            let ended = "the image has ended: what was asked may or may not have been done";
            self.refuse(envelope, id, ErrorType::OutcomeUnknown, ended);
        }
    }

    fn refuse(&self, envelope: Vec<Vec<u8>>, id: String, error_type: ErrorType, why: &str) {
        let failure = Failure::new(error_type, why);
        let reply = Reply::new(Some(id), Err(failure), &self.instance);
        self.send(envelope, encode_reply(&reply));
    }

    /// Sends a reply. A peer that is gone gets none, and one that does not read loses it.
    fn send(&self, mut envelope: Vec<Vec<u8>>, body: Vec<u8>) {
        envelope.push(body);
        if let Err(error) = self.socket.send_multipart(envelope, zmq::DONTWAIT) {
            warn!(%error, "sending a reply");
        }
    }
}

fn configure(socket: &Socket) -> zmq::Result<()> {
    socket.set_maxmsgsize(MAX_FRAME_BYTES)?;
    socket.set_rcvhwm(QUEUED_MESSAGES)?;
    socket.set_sndhwm(QUEUED_MESSAGES)?;
    socket.set_linger(super::LINGER_MS)?;
    // A peer that comes back under its name before the old connection is known to be gone.
    socket.set_router_handover(true)
}

/// Both ends of the pipe from the VM's thread to the link's.
fn pipe(context: &Context) -> zmq::Result<(Socket, Socket)> {
    const NAME: &str = "inproc://replies";
    let inbox = context.socket(zmq::PULL)?;
    inbox.set_rcvhwm(0)?;
    inbox.bind(NAME)?;
    let outbox = context.socket(zmq::PUSH)?;
    outbox.set_sndhwm(0)?;
    outbox.connect(NAME)?;
    Ok((inbox, outbox))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::thread;

    use stui_protocol::codec::image::decode_reply;

    use super::*;

    const PING: &str = "{\"id\": \"1\", \"command\": \"ping\"}";

    fn ask(endpoint: &str) -> Socket {
        let client = Context::new().socket(zmq::REQ).unwrap();
        client.set_rcvtimeo(10_000).unwrap();
        client.connect(endpoint).unwrap();
        client.send(PING, 0).unwrap();
        client
    }

    fn error_type(client: &Socket) -> ErrorType {
        let reply = decode_reply(&client.recv_bytes(0).unwrap()).unwrap();
        assert_eq!(reply.id.as_deref(), Some("1"));
        reply.outcome.unwrap_err().error_type
    }

    #[test]
    fn requests_are_answered_when_the_vm_dies_and_when_it_is_dead() {
        let context = Context::new();
        let (requests, taken) = sync_channel(1);
        let (link, endpoint, outbox) = Link::bind(
            &context,
            ("tcp://127.0.0.1:0", None),
            "i",
            (requests, Doorbell::default()),
        )
        .unwrap();
        let link = thread::spawn(move || link.run());
        let waiting = ask(&endpoint);
        let taken_request = taken.recv().unwrap();
        assert!(matches!(taken_request, ToVm::Request(..)));
        drop(taken);
        let late = ask(&endpoint);
        assert_eq!(error_type(&late), ErrorType::ImageUnavailable);
        drop(outbox);
        assert_eq!(error_type(&waiting), ErrorType::OutcomeUnknown);
        link.join().unwrap();
    }
}
