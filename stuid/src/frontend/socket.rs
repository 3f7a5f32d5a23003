//! The ROUTER itself. All socket options and all raw calls are here.

use futures::StreamExt;
use stui_keys::{KeyPair, zap};
use tmq::router::Router;
use tmq::{AsZmqSocket, FromZmqSocket, Multipart};
use zmq::{DONTWAIT, SNDMORE};

/// Messages that ZeroMQ holds for each client, either way. A client that waits for each reply has
/// one; requests of others wait in their own queues.
const HIGH_WATER_MARK: i32 = 16;
/// A frame beyond this closes its connection. A body that is a little too large is told so.
const MAX_FRAME_BYTES: i64 = stui_protocol::limits::MAX_MESSAGE_BYTES as i64 + 1024 * 1024;
/// For whoever connects to say who it is.
const HANDSHAKE_MS: i32 = 2_000;
/// Clients whose machine or network has gone are found by these.
const HEARTBEAT_MS: i32 = 5_000;
const HEARTBEAT_TIMEOUT_MS: i32 = 15_000;
/// For the last replies to go out at the end.
const LINGER_MS: i32 = 200;

/// The socket. One task owns it and never shares it.
pub(super) struct Front {
    router: Router,
    /// Where it is bound; empty before.
    pub(super) endpoint: String,
}

/// Why a reply did not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undelivered {
    /// Its client has left.
    Gone,
    /// Its client does not read.
    Full,
}

impl Front {
    /// Makes the socket, with CURVE when there is a key.
    pub(super) fn open(
        context: &zmq::Context,
        key: Option<&KeyPair>,
    ) -> Result<Self, tmq::TmqError> {
        let socket = context.socket(zmq::ROUTER)?;
        socket.set_sndhwm(HIGH_WATER_MARK)?;
        socket.set_rcvhwm(HIGH_WATER_MARK)?;
        socket.set_maxmsgsize(MAX_FRAME_BYTES)?;
        socket.set_linger(LINGER_MS)?;
        socket.set_handshake_ivl(HANDSHAKE_MS)?;
        socket.set_heartbeat_ivl(HEARTBEAT_MS)?;
        socket.set_heartbeat_timeout(HEARTBEAT_TIMEOUT_MS)?;
        socket.set_ipv6(true)?;
        // Whoever is gone is told as an error, not forgotten.
        socket.set_router_mandatory(true)?;
        // A client that comes back under its name takes it over. With keys nobody may: replies to
        // one key would go to another.
        socket.set_router_handover(key.is_none())?;
        // Whoever connects is asked about, with and without keys.
        socket.set_zap_domain(zap::DOMAIN)?;
        if let Some(key) = key {
            socket.set_curve_server(true)?;
            socket.set_curve_secretkey(key.secret.bytes())?;
        }
        Ok(Self {
            router: Router::from_zmq_socket(socket)?,
            endpoint: String::new(),
        })
    }

    /// Lets clients come.
    pub(super) fn bind(mut self, endpoint: &str) -> Result<Self, tmq::TmqError> {
        let socket = self.router.get_socket();
        socket.bind(endpoint)?;
        let actual = socket.get_last_endpoint()?;
        self.endpoint = actual.unwrap_or_else(|_| endpoint.to_owned());
        Ok(self)
    }

    pub(super) fn socket(&self) -> &zmq::Socket {
        self.router.get_socket()
    }

    /// The next message; none when the socket cannot be read any more. Can be cancelled.
    pub(super) async fn next(&mut self) -> Option<Multipart> {
        self.router.next().await?.ok()
    }

    /// Sends a reply now or not at all.
    ///
    /// tmq's own sink is not used: one client that does not read would hold up the others.
    pub(super) fn send(&self, envelope: Vec<Vec<u8>>, body: Vec<u8>) -> Result<(), Undelivered> {
        let socket = self.router.get_socket();
        let frames = envelope
            .into_iter()
            .try_for_each(|frame| socket.send(zmq::Message::from(frame), DONTWAIT | SNDMORE));
        // The first frame decides: where the others go there is room for all.
        frames
            .and_then(|()| socket.send(zmq::Message::from(body), DONTWAIT))
            .map_err(|error| match error {
                zmq::Error::EAGAIN => Undelivered::Full,
                _ => Undelivered::Gone,
            })
    }
}
