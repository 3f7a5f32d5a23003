//! CURVE on the sockets of an image: its own key, and whose may come in.

use std::collections::HashSet;

use stui_keys::zap::{self, Credentials, Question};
use stui_keys::{KeyPair, PublicKey};
use tracing::warn;
use zmq::{Context, DONTWAIT, Socket};

/// The keys of an image's links.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The image's own pair.
    pub own: KeyPair,
    /// The keys that may come in; with none nobody may.
    pub clients: Vec<PublicKey>,
}

impl Guard {
    /// Makes a socket that is not bound yet demand CURVE, and a key that may come in.
    pub(super) fn protect(&self, socket: &Socket) -> zmq::Result<()> {
        socket.set_zap_domain(zap::DOMAIN)?;
        socket.set_curve_server(true)?;
        socket.set_curve_secretkey(self.own.secret.bytes())
    }
}

/// Answers ZeroMQ's questions about who may come in, for all sockets of a context.
pub(super) struct Doorkeeper {
    socket: Socket,
    clients: HashSet<PublicKey>,
}

impl Doorkeeper {
    /// Takes its place; the sockets are bound after that.
    pub(super) fn open(context: &Context, guard: &Guard) -> zmq::Result<Self> {
        let socket = context.socket(zmq::ROUTER)?;
        socket.set_linger(0)?;
        socket.bind(zap::ENDPOINT)?;
        let clients = guard.clients.iter().copied().collect();
        Ok(Self { socket, clients })
    }

    /// To wait for questions.
    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Answers one question that has come.
    pub(super) fn answer(&self) -> zmq::Result<()> {
        let frames = self.socket.recv_multipart(DONTWAIT)?;
        // Who asks, and an empty frame, stand before the question.
        let Some((back, asked)) = frames.split_at_checked(2) else {
            return Ok(());
        };
        let Some(asked) = Question::read(asked) else {
            return Ok(());
        };
        let known = match asked.credentials {
            Credentials::Curve(key) => self.clients.contains(&key),
            Credentials::None | Credentials::Other => false,
        };
        let answer = if known {
            asked.welcome()
        } else {
            warn!(credentials = ?asked.credentials, "the image refuses a client: it does not know its key");
            asked.refuse("this key is not known here")
        };
        self.socket
            .send_multipart(back.iter().chain(&answer), DONTWAIT)
    }
}
