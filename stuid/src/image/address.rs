//! Where the image is, and how the connection to it is watched.

use std::net::IpAddr;
use std::time::Duration;

use stui_keys::{KeyPair, PublicKey};

/// How an endpoint is reached.
#[derive(Clone, Debug)]
pub struct Address {
    /// A ZeroMQ endpoint, such as `tcp://127.0.0.1:5555`.
    pub endpoint: String,
    /// After this long without a sign of life of the peer's ZeroMQ the connection is given up;
    /// none leaves that to the kernel.
    pub heartbeat: Option<Duration>,
    /// What is spoken there.
    pub protocol: Protocol,
    /// CURVE keys; none for a connection in the clear.
    pub guard: Option<Guard>,
}

/// How messages travel on the image link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// In ZeroMQ messages.
    ZeroMq,
    /// As lines over TCP.
    Tcp,
}

/// CURVE keys for the links to an image.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The image's public key. Nobody else can be at the other end.
    pub server: PublicKey,
    /// The daemon's own pair.
    pub own: KeyPair,
}

/// How the endpoints of one image are reached.
#[derive(Clone, Debug)]
pub struct Approach {
    /// When connections are watched with heartbeats.
    pub heartbeat: Heartbeat,
    /// What the image link speaks. Events always come by ZeroMQ.
    pub protocol: Protocol,
    /// The keys of all links to the image.
    pub guard: Option<Guard>,
    /// Whether a link may leave this machine without keys.
    pub allow_insecure: bool,
}

impl Approach {
    /// The address of an endpoint.
    #[must_use]
    pub fn to(&self, endpoint: &str) -> Address {
        Address {
            protocol: self.protocol,
            guard: self.guard.clone(),
            ..self.heartbeat.at(endpoint)
        }
    }

    /// Whether a link to that endpoint may be.
    #[must_use]
    pub fn permits(&self, endpoint: &str) -> bool {
        self.guard.is_some() || self.allow_insecure || !is_remote(endpoint)
    }
}

/// When the connection is watched with heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// For peers on other machines only, with [`Heartbeat::REMOTE`]. On the same machine the
    /// kernel tells at once that a process is gone.
    Auto,
    /// Never.
    Off,
    /// Always, with this timeout.
    Every(Duration),
}

impl Heartbeat {
    /// A peer on another machine that vanishes without a word is down after this.
    pub const REMOTE: Duration = Duration::from_millis(1500);

    /// The address of an endpoint that is watched so.
    #[must_use]
    pub fn at(self, endpoint: &str) -> Address {
        let heartbeat = match self {
            Self::Auto => is_remote(endpoint).then_some(Self::REMOTE),
            Self::Off => None,
            Self::Every(timeout) => Some(timeout),
        };
        Address {
            endpoint: endpoint.to_owned(),
            heartbeat,
            protocol: Protocol::ZeroMq,
            guard: None,
        }
    }
}

/// Whether an endpoint may be on another machine: anything over TCP but the loopback.
#[must_use]
pub fn is_remote(endpoint: &str) -> bool {
    let Some(rest) = endpoint.strip_prefix("tcp://") else {
        return false;
    };
    // A source address may stand before the peer's: `tcp://SOURCE;PEER:PORT`.
    let peer = rest.rsplit(';').next().unwrap_or(rest);
    let host = peer.rsplit_once(':').map_or(peer, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = |address: IpAddr| address.is_loopback();
    host != "localhost" && !host.parse().is_ok_and(loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tcp_to_elsewhere_is_remote() {
        for near in [
            "ipc:///run/stui/image",
            "inproc://x",
            "tcp://127.0.0.1:5555",
            "tcp://127.1.2.3:5555",
            "tcp://[::1]:5555",
            "tcp://localhost:5555",
            "tcp://10.0.0.2:0;127.0.0.1:5555",
        ] {
            assert!(!is_remote(near), "{near}");
        }
        for far in [
            "tcp://10.0.0.1:5555",
            "tcp://[2001:db8::1]:5555",
            "tcp://image.example:5555",
            "tcp://localhost.example:5555",
            "tcp://127.0.0.1:0;10.0.0.1:5555",
            "tcp://*:5555",
        ] {
            assert!(is_remote(far), "{far}");
        }
    }

    #[test]
    fn heartbeats_are_for_other_machines_unless_configured() {
        let near = "tcp://127.0.0.1:5555";
        assert_eq!(Heartbeat::Auto.at(near).heartbeat, None);
        let far = Heartbeat::Auto.at("tcp://10.0.0.1:5555");
        assert_eq!(far.heartbeat, Some(Heartbeat::REMOTE));
        let second = Duration::from_secs(1);
        assert_eq!(Heartbeat::Every(second).at(near).heartbeat, Some(second));
        assert_eq!(Heartbeat::Off.at(&far.endpoint).heartbeat, None);
    }
}
