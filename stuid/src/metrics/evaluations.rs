//! Numbers of sessions and of what is evaluated in them.

use std::time::Duration;

use prometheus::{Gauge, Histogram, IntCounterVec, IntGauge, IntGaugeVec};
use stui_protocol::message::Outcome;

use super::making::{Making, Registered};
use super::requests::word_of;

/// Sessions, their logs, their evaluations.
#[derive(Debug)]
pub struct Evaluations {
    /// Known sessions, by state: `idle`, `busy`, `lost`.
    pub sessions: IntGaugeVec,
    /// Bytes of the logs of all sessions.
    pub log_bytes: IntGauge,
    /// Evaluations that wait in their sessions.
    pub queued: IntGauge,
    /// Evaluations under way.
    pub running: IntGauge,
    /// Seconds that the one has waited that waits for longest.
    pub oldest: Gauge,
    wait: Histogram,
    ended: IntCounterVec,
    duration: Histogram,
}

impl Evaluations {
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        Ok(Self {
            sessions: make.gauges("stui_sessions", "Known sessions.", "state")?,
            log_bytes: make.gauge("stui_log_bytes", "Bytes of the logs of all sessions.")?,
            queued: make.gauge(
                "stui_evaluations_queued",
                "Evaluations that wait in their sessions.",
            )?,
            running: make.gauge("stui_evaluations_running", "Evaluations under way.")?,
            oldest: make.seconds(
                "stui_evaluations_oldest_wait_seconds",
                "How long the evaluation has waited that waits for longest.",
            )?,
            wait: make.long_duration(
                "stui_evaluation_wait_seconds",
                "From accepting an evaluation to sending it to the image.",
            )?,
            ended: make.counters(
                "stui_evaluations_total",
                "Evaluations that ended.",
                &["outcome"],
            )?,
            duration: make.long_duration(
                "stui_evaluation_duration_seconds",
                "From sending an evaluation to the image to its end.",
            )?,
        })
    }

    /// Counts one that is sent to the image, after it has waited that long.
    pub fn sent(&self, waited: Duration) {
        self.wait.observe(waited.as_secs_f64());
    }

    /// Counts one that ended. One that was never sent took no time.
    pub fn count(&self, outcome: &Outcome, took: Option<Duration>) {
        self.ended.with_label_values(&[&word_of(outcome)]).inc();
        if let Some(took) = took {
            self.duration.observe(took.as_secs_f64());
        }
    }
}
