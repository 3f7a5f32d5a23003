//! The link to the image, over ZeroMQ or over plain TCP: what its owner does with it.

pub(crate) mod zeromq;

mod tcp;

#[cfg(feature = "fuzzing")]
pub(crate) use tcp::fuzzing;

use super::address::{Address, Protocol};
use super::inflight::Correlation;
use tcp::Lines;
use zeromq::Sockets;

/// Requests that are ever under way by a link at the same time.
pub(crate) const WIDEST: usize = 32;

/// A link that connects, and connects again, by itself. One task owns it.
pub(crate) enum Link {
    ZeroMq(Sockets),
    Tcp(Lines),
}

/// The number and the body of a reply; none for what is no reply.
pub(crate) type Arrived = Option<(Correlation, Vec<u8>)>;

/// What a monitor event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Up,
    Down,
    /// Somebody is there and the two do not come together.
    Refused(Refusal),
}

/// Why two ends do not come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The other end knows this key not.
    UnknownKey,
    /// The two speak differently: one has keys and the other none, or it is no ZeroMQ at all.
    Mechanism,
    /// The other end hung up. With keys that is how it treats one who has not its own.
    HungUp,
}

impl Refusal {
    /// For people, with what to do.
    pub(crate) fn explain(self, endpoint: &str) -> String {
        match self {
            Self::UnknownKey => format!(
                "the image at {endpoint} does not know the daemon's key: give it the public part of image.curve_key"
            ),
            Self::Mechanism => format!(
                "what answers at {endpoint} does not speak ZeroMQ as this end does: both need CURVE keys, or neither (image.curve_server_key, image.curve_key)"
            ),
            Self::HungUp => format!(
                "the image at {endpoint} ends the handshake: image.curve_server_key is most likely not its public key"
            ),
        }
    }
}

/// What a link tells its owner.
#[derive(Debug)]
pub(crate) enum Happening {
    Changed(Change),
    /// Something came.
    Received(Arrived),
    /// The socket cannot be read any more.
    Failed,
}

/// What became of a message that was to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is on its way.
    Whole,
    /// There is no room, or nobody to send to; nothing was sent.
    Not(Vec<u8>),
    /// It broke in the middle. The socket must go: nothing has reached the peer then.
    Broken,
}

impl Link {
    /// Begins to connect; nobody needs to be there yet.
    pub(crate) fn open(context: &zmq::Context, address: &Address) -> Result<Self, tmq::TmqError> {
        Ok(match address.protocol {
            Protocol::ZeroMq => Self::ZeroMq(Sockets::open(context, address)?),
            Protocol::Tcp => Self::Tcp(Lines::open(&address.endpoint)),
        })
    }

    /// How many requests can be under way by it at the same time.
    pub(crate) fn widest(&self) -> usize {
        match self {
            Self::ZeroMq(_) => WIDEST,
            // Without frames only one that is alone can be told apart.
            Self::Tcp(_) => 1,
        }
    }

    /// The next thing that happens. Can be cancelled.
    pub(crate) async fn next(&mut self) -> Happening {
        match self {
            Self::ZeroMq(sockets) => sockets.next().await,
            Self::Tcp(lines) => lines.next().await,
        }
    }

    /// A reply that has arrived already; none when there is none.
    pub(crate) fn take_arrived(&mut self) -> Option<Arrived> {
        match self {
            Self::ZeroMq(sockets) => sockets.take_arrived(),
            // It tells of its end only when all lines before it are taken.
            Self::Tcp(_) => None,
        }
    }

    /// Takes note of new and lost connections, before something is sent.
    pub(crate) fn look(&mut self) {
        match self {
            Self::ZeroMq(sockets) => sockets.look(),
            Self::Tcp(_) => {}
        }
    }

    /// Sends a whole message now, or says that it cannot.
    pub(crate) fn send(&mut self, correlation: Correlation, body: Vec<u8>) -> Sent {
        match self {
            Self::ZeroMq(sockets) => sockets.send(correlation, body),
            Self::Tcp(lines) => lines.send(correlation, body),
        }
    }
}
