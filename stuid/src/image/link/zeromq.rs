//! The ZeroMQ sockets of the image link: a DEALER and the monitor that tells whether anybody is
//! at its other end. All socket options and all raw calls are here.
//!
//! The choices were measured; the table is in `docs/decisions/`. In short: nothing is queued for
//! a peer that is not there, a message is sent in one step or not at all, and up and down are
//! known within milliseconds.

use std::time::Duration;

use tmq::Multipart;
use zmq::{DONTWAIT, SNDMORE};

use super::super::address::Address;
use super::super::envelope;
use super::super::inflight::Correlation;
use super::super::socket::Socket;
use super::{Arrived, Change, Happening, Refusal, Sent};

/// Messages per direction that ZeroMQ may hold: a little more than can ever be under way.
const HIGH_WATER_MARK: i32 = super::WIDEST as i32 + 16;
/// Between two attempts to connect. Without a maximum: an exponential one makes a restarted image
/// wait for seconds.
const RECONNECT_MS: i32 = 10;
/// For a TCP connect and for the ZMTP handshake.
const HANDSHAKE_MS: i32 = 2_000;
/// Heartbeats in the time after which a peer is given up.
const HEARTBEATS_PER_TIMEOUT: u32 = 3;
/// Times that long without a heartbeat, and the peer may give up this end: when packets disappear,
/// nothing else tells it that nobody is here any more.
const TIMEOUTS_PER_LIFE: u32 = 4;
/// What fits into a heartbeat, in tenths of a second.
const LONGEST_LIFE_MS: i32 = 6_553_500;
/// The frames around a message's body and a margin; the codec enforces the exact bound.
const MAX_FRAME_BYTES: i64 = stui_protocol::limits::MAX_MESSAGE_BYTES as i64 + 1024;

/// With keys each attempt costs both ends some arithmetic.
const GUARDED_RECONNECT_MS: i32 = 50;

const HANDSHAKE_SUCCEEDED: u16 = 0x1000;
const HANDSHAKE_ENDED: u16 = 0x0800;
const HANDSHAKE_WRONG: u16 = 0x2000;
const HANDSHAKE_UNKNOWN_KEY: u16 = 0x4000;
const DISCONNECTED: u16 = 0x0200;

/// The two sockets. One task owns them and never shares them: libzmq aborts the process otherwise.
pub(crate) struct Sockets {
    dealer: Watched,
    address: Address,
}

/// A socket with a monitor, which tells how its connections are.
pub(crate) struct Watched {
    pub(crate) socket: Socket,
    pub(crate) monitor: Socket,
}

impl Sockets {
    /// Makes the sockets and begins to connect; nobody needs to be there yet.
    pub(crate) fn open(context: &zmq::Context, address: &Address) -> Result<Self, tmq::TmqError> {
        let socket = context.socket(zmq::DEALER)?;
        socket.set_immediate(true)?;
        socket.set_linger(0)?;
        socket.set_sndhwm(HIGH_WATER_MARK)?;
        socket.set_rcvhwm(HIGH_WATER_MARK)?;
        socket.set_maxmsgsize(MAX_FRAME_BYTES)?;
        set_connection_options(&socket, address)?;
        let mut dealer = Watched::new(context, socket)?;
        dealer.socket.get().connect(&address.endpoint)?;
        Ok(Self {
            dealer,
            address: address.clone(),
        })
    }

    /// The next thing that happens on either socket. Can be cancelled.
    pub(crate) async fn next(&mut self) -> Happening {
        tokio::select! {
            biased;
            change = next_change(&mut self.dealer.monitor, &self.address) => Happening::Changed(change),
            frames = self.dealer.socket.receive() => match frames {
                Ok(frames) => Happening::Received(envelope::open(frames)),
                Err(_) => Happening::Failed,
            },
        }
    }

    /// A reply that has arrived already; none when there are none.
    pub(crate) fn take_arrived(&mut self) -> Option<Arrived> {
        self.dealer.socket.take().ok()?.map(envelope::open)
    }

    /// Takes note of new and lost connections: asking for the events does. It costs a system call,
    /// so it is done once for all that is sent in one go.
    pub(crate) fn look(&mut self) {
        // A socket that cannot be asked takes nothing either.
        let _ = self.dealer.socket.get().get_events();
    }

    /// Sends a whole message now, or says that it cannot.
    pub(crate) fn send(&mut self, correlation: Correlation, body: Vec<u8>) -> Sent {
        let socket = self.dealer.socket.get();
        let address = envelope::address(correlation);
        match socket.send(address.as_slice(), DONTWAIT | SNDMORE) {
            Ok(()) => {}
            Err(zmq::Error::EAGAIN) => return Sent::Not(body),
            Err(_) => return Sent::Broken,
        }
        let rest = socket
            .send(zmq::Message::new(), DONTWAIT | SNDMORE)
            .and_then(|()| socket.send(zmq::Message::from(body), DONTWAIT));
        match rest {
            Ok(()) => Sent::Whole,
            Err(_) => Sent::Broken,
        }
    }
}

/// Options that every socket to the image has, whatever its kind.
pub(crate) fn set_connection_options(socket: &zmq::Socket, address: &Address) -> zmq::Result<()> {
    let reconnect = match &address.guard {
        None => RECONNECT_MS,
        Some(guard) => {
            socket.set_curve_serverkey(guard.server.bytes())?;
            socket.set_curve_publickey(guard.own.public.bytes())?;
            socket.set_curve_secretkey(guard.own.secret.bytes())?;
            GUARDED_RECONNECT_MS
        }
    };
    socket.set_reconnect_ivl(reconnect)?;
    socket.set_reconnect_ivl_max(0)?;
    socket.set_connect_timeout(HANDSHAKE_MS)?;
    socket.set_handshake_ivl(HANDSHAKE_MS)?;
    let Some(timeout) = address.heartbeat else {
        return Ok(());
    };
    let pause = timeout / HEARTBEATS_PER_TIMEOUT;
    let milliseconds = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    socket.set_heartbeat_ivl(milliseconds(pause).max(1))?;
    // Counted from the first heartbeat that is not answered.
    socket.set_heartbeat_timeout(milliseconds(timeout - pause))?;
    let life = milliseconds(timeout.saturating_mul(TIMEOUTS_PER_LIFE));
    socket.set_heartbeat_ttl(life.min(LONGEST_LIFE_MS))
}

impl Watched {
    /// Watches a socket that has not connected yet.
    pub(crate) fn new(context: &zmq::Context, socket: zmq::Socket) -> Result<Self, tmq::TmqError> {
        let endpoint = monitor_endpoint();
        let failures = HANDSHAKE_ENDED | HANDSHAKE_WRONG | HANDSHAKE_UNKNOWN_KEY;
        let events = HANDSHAKE_SUCCEEDED | DISCONNECTED | failures;
        socket.monitor(&endpoint, i32::from(events))?;
        let monitor = context.socket(zmq::PAIR)?;
        monitor.connect(&endpoint)?;
        Ok(Self {
            socket: Socket::new(socket)?,
            monitor: Socket::new(monitor)?,
        })
    }
}

/// libzmq's own thread waits until a monitor takes what it is told. Where the monitor is gone it
/// waits for ever, and with it every socket of the context. So the socket tells nothing any more
/// before its monitor goes.
impl Drop for Watched {
    fn drop(&mut self) {
        // Another monitor takes the place of this one, and is told no events.
        if let Err(error) = self.socket.get().monitor(&monitor_endpoint(), 0) {
            tracing::debug!(%error, "ending the monitor of a socket");
        }
    }
}

/// Names of inproc endpoints must differ within a context only.
fn monitor_endpoint() -> String {
    format!("inproc://monitor-{}", uuid::Uuid::new_v4())
}

/// The next time that a monitored socket comes up or goes down. Can be cancelled.
pub(crate) async fn next_change(monitor: &mut Socket, address: &Address) -> Change {
    // Without keys, one that hangs up is one that goes away just now.
    let tells =
        |change: &Change| *change != Change::Refused(Refusal::HungUp) || address.guard.is_some();
    loop {
        // A monitor that cannot be read any more says nothing more.
        let Ok(frames) = monitor.receive().await else {
            return std::future::pending().await;
        };
        if let Some(change) = understand(&frames).filter(tells) {
            return change;
        }
    }
}

/// The first frame of a monitor event begins with its number, in the machine's byte order.
fn understand(frames: &Multipart) -> Option<Change> {
    let number = frames.iter().next()?.get(..2)?.try_into().ok()?;
    // Compared as numbers: the crate's own conversion panics on one that it does not know.
    match u16::from_ne_bytes(number) {
        HANDSHAKE_SUCCEEDED => Some(Change::Up),
        DISCONNECTED => Some(Change::Down),
        HANDSHAKE_UNKNOWN_KEY => Some(Change::Refused(Refusal::UnknownKey)),
        HANDSHAKE_WRONG => Some(Change::Refused(Refusal::Mechanism)),
        HANDSHAKE_ENDED => Some(Change::Refused(Refusal::HungUp)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use tokio::task::yield_now;
    use tokio::time::timeout;

    use super::super::super::address::Heartbeat;
    use super::*;

    /// How long one may take to connect where nothing is in its way.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// There is a limit to the sockets of a context: those that went away may be there for a while.
    async fn open(context: &zmq::Context, address: &Address) -> Sockets {
        let opening = async {
            loop {
                match Sockets::open(context, address) {
                    Ok(sockets) => return sockets,
                    Err(_) => yield_now().await,
                }
            }
        };
        timeout(PATIENCE, opening).await.expect("room for a socket")
    }

    #[tokio::test]
    async fn those_that_go_away_while_they_connect_leave_the_others_alone() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| {
            let endpoint = format!("ipc://{}", dir.path().join(name).display());
            Heartbeat::Off.at(&endpoint)
        };
        // Each connection to it breaks at once, and its monitor is told so.
        let hangs_up = UnixListener::bind(dir.path().join("hangs-up")).unwrap();
        std::thread::spawn(move || hangs_up.incoming().for_each(drop));
        let context = zmq::Context::new();
        for _ in 0..150 {
            let mut crowd = Vec::new();
            for _ in 0..20 {
                crowd.push(open(&context, &at("hangs-up")).await);
            }
            // By now connections of all of them break and are made again.
            let newest = crowd.last_mut().unwrap();
            let change = timeout(PATIENCE, newest.next()).await;
            assert!(matches!(change, Ok(Happening::Changed(Change::Down))));
        }
        let peer = zmq::Context::new().socket(zmq::ROUTER).unwrap();
        peer.bind(&at("peer").endpoint).unwrap();
        let mut last = open(&context, &at("peer")).await;
        let happening = timeout(PATIENCE, last.next()).await;
        assert!(matches!(
            happening.expect("a thread of libzmq that works"),
            Happening::Changed(Change::Up)
        ));
    }
}
