//! Numbers of the ZeroMQ front end.

use prometheus::{IntCounterVec, IntGauge, Registry};

use super::{Registered, counters, gauge};

/// What happens at the front end. Its requests are counted with all others.
#[derive(Debug)]
pub struct Frontend {
    /// Connections that are open.
    pub connections: IntGauge,
    /// Clients that are remembered.
    pub peers: IntGauge,
    /// Connections refused, by reason: `key` (not known), `full`.
    pub refused: IntCounterVec,
    /// Replies dropped, by reason: `gone` (their client has left), `full` (it does not read).
    pub replies_dropped: IntCounterVec,
}

impl Frontend {
    pub(super) fn new(r: &Registry) -> Registered<Self> {
        Ok(Self {
            connections: gauge(
                r,
                "stui_frontend_connections",
                "Open connections of ZeroMQ clients.",
            )?,
            peers: gauge(
                r,
                "stui_frontend_peers",
                "ZeroMQ clients that are remembered.",
            )?,
            refused: counters(
                r,
                "stui_frontend_refused_total",
                "Connections of ZeroMQ clients that were refused.",
                &["reason"],
            )?,
            replies_dropped: counters(
                r,
                "stui_frontend_replies_dropped_total",
                "Replies that a ZeroMQ client did not take.",
                &["reason"],
            )?,
        })
    }
}
