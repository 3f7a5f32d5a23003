//! `ping`, and the heartbeat, which says the same.

use std::time::Instant;

use serde_json::{Value, json};
use stui_protocol::image::{Ping, PingResult};

use super::{Done, answer};
use crate::server::image::Image;

/// `ping`.
pub(super) fn run(image: &mut Image, command: Ping) -> Done {
    let now = Instant::now();
    answer::<Ping>(&PingResult {
        message: command.message,
        status: "ready".to_owned(),
        uptime: uptime(image, now),
        instance: image.instance.clone(),
        evaluations_running: image.evaluations.running() as u64,
        evaluator_lag_ms: image.lag.millis(now),
    })
}

/// The data of a heartbeat.
pub(in crate::server) fn beat(image: &mut Image, now: Instant) -> Value {
    json!({
        "uptime": uptime(image, now),
        "evaluations_running": image.evaluations.running(),
        "evaluator_lag_ms": image.lag.millis(now),
        "sessions": image.sessions.len(),
    })
}

/// Seconds since the start, in milliseconds' precision.
pub(super) fn uptime(image: &Image, now: Instant) -> f64 {
    let age = now.saturating_duration_since(image.started);
    (age.as_secs_f64() * 1000.0).round() / 1000.0
}
