//! Numbers of the clients on the Unix socket.

use prometheus::{IntCounter, IntGauge, IntGaugeVec};

use super::making::{Making, Registered};

/// Who is connected, and what became of those who are not.
#[derive(Debug)]
pub struct Clients {
    /// Connected clients, by state: `attached`, `watching`, `unattached`.
    pub connected: IntGaugeVec,
    /// Connected clients that do not read what is there for them.
    pub lagging: IntGauge,
    /// Clients that were refused, because there were too many or no files left.
    pub refused: IntCounter,
    /// Clients that were disconnected, because they did not read.
    pub stalled: IntCounter,
    /// Gaps told to clients: lines that were dropped from a log before the client read them.
    pub log_gaps: IntCounter,
}

impl Clients {
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        Ok(Self {
            connected: make.gauges("stui_clients", "Connected clients.", "state")?,
            lagging: make.gauge(
                "stui_clients_lagging",
                "Connected clients that do not read what is there for them.",
            )?,
            refused: make.counter(
                "stui_clients_refused_total",
                "Clients refused because there were too many, or no files left.",
            )?,
            stalled: make.counter(
                "stui_clients_stalled_total",
                "Clients disconnected because they did not read.",
            )?,
            log_gaps: make.counter(
                "stui_log_gaps_total",
                "Gaps told to clients that fell behind a log.",
            )?,
        })
    }
}
