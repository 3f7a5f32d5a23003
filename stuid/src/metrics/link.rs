//! Numbers of the link to the image, and of its event link.

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge};

use super::making::{Making, Registered};

/// What goes over the links, and what becomes of them.
#[derive(Debug)]
pub struct Link {
    /// Requests that wait for the link.
    pub queue: IntGauge,
    /// Seconds that requests waited for their turn, by priority.
    pub wait: HistogramVec,
    /// Seconds from sending a request to the image to its reply.
    pub duration: Histogram,
    /// Times that the link came up.
    pub connects: IntCounter,
    /// Times that the link went down.
    pub disconnects: IntCounter,
    /// Replies dropped, by reason: `late` (its caller was told a timeout), `unknown` (nobody's),
    /// `again` (of one that was answered), `malformed` (wrong frames).
    pub replies_dropped: IntCounterVec,
    /// Sockets thrown away, by reason: `garbage` (the image broke the protocol), `silence` (it
    /// answered on another one), `broken` (libzmq's word), `asked` (an operator's).
    pub sockets_replaced: IntCounterVec,
    /// Whether the event link is up.
    pub events_up: IntGauge,
    /// Events of the image that were lost, seen as holes in their numbers.
    pub events_lost: IntCounter,
}

impl Link {
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        Ok(Self {
            queue: make.gauge(
                "stui_link_queue",
                "Requests that wait for the link to the image.",
            )?,
            wait: make.durations(
                "stui_link_wait_seconds",
                "How long requests waited for their turn at the image.",
                "priority",
            )?,
            duration: make.duration(
                "stui_link_duration_seconds",
                "From sending a request to the image to its reply.",
            )?,
            connects: make.counter(
                "stui_link_connects_total",
                "Times that the link to the image came up.",
            )?,
            disconnects: make.counter(
                "stui_link_disconnects_total",
                "Times that the link to the image went down.",
            )?,
            replies_dropped: make.reasons(
                "stui_link_replies_dropped_total",
                "Replies of the image that were dropped.",
                &["late", "unknown", "again", "malformed"],
            )?,
            sockets_replaced: make.reasons(
                "stui_link_sockets_replaced_total",
                "Sockets to the image that were thrown away.",
                &["garbage", "silence", "broken", "asked"],
            )?,
            events_up: make.gauge("stui_events_up", "Whether the event link is up.")?,
            events_lost: make.counter(
                "stui_events_lost_total",
                "Events of the image that were lost.",
            )?,
        })
    }
}
