//! Numbers of the ZeroMQ front end.

use prometheus::{IntCounterVec, IntGauge};

use super::making::{Making, Registered};

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
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        Ok(Self {
            connections: make.gauge(
                "stui_frontend_connections",
                "Open connections of ZeroMQ clients.",
            )?,
            peers: make.gauge("stui_frontend_peers", "ZeroMQ clients that are remembered.")?,
            refused: make.reasons(
                "stui_frontend_refused_total",
                "Connections of ZeroMQ clients that were refused.",
                &["key", "full"],
            )?,
            replies_dropped: make.reasons(
                "stui_frontend_replies_dropped_total",
                "Replies that a ZeroMQ client did not take.",
                &["gone", "full"],
            )?,
        })
    }
}
