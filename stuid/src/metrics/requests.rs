//! Numbers of what clients ask for, by whatever way they came.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGauge};
use stui_protocol::daemon::DaemonCommand;
use stui_protocol::image::ImageCommand;
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Failure};

use super::making::{Making, Registered};

/// Requests and how long they took.
#[derive(Debug)]
pub struct Requests {
    total: IntCounterVec,
    duration: HistogramVec,
    /// Bytes of those that come, wait or are served, and of replies that are not read yet.
    pub bytes: IntGauge,
}

impl Requests {
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        let requests = Self {
            total: make.counters(
                "stui_requests_total",
                "Requests of clients.",
                &["command", "outcome"],
            )?,
            duration: make.durations(
                "stui_request_duration_seconds",
                "From a client's request to its reply.",
                "command",
            )?,
            bytes: make.gauge(
                "stui_request_bytes",
                "Bytes of requests under way, as limits.request_bytes bounds them.",
            )?,
        };
        for command in DaemonCommand::NAMES.iter().chain(ImageCommand::NAMES) {
            for alarming in [ErrorType::OutcomeUnknown, ErrorType::InternalError] {
                let outcome = alarming.to_string();
                requests.total.with_label_values(&[*command, &outcome]);
            }
        }
        Ok(requests)
    }

    /// Counts one that was answered. `command` is one of few words.
    pub fn count(&self, command: &str, outcome: &Outcome, took: Duration) {
        let word = word_of(outcome);
        self.total.with_label_values(&[command, &word]).inc();
        let duration = self.duration.with_label_values(&[command]);
        duration.observe(took.as_secs_f64());
    }

    /// Counts something that was no request.
    pub fn count_invalid(&self, why: ErrorType) {
        let word = why.to_string();
        self.total.with_label_values(&["invalid", &word]).inc();
    }
}

/// `success`, or the type of the error.
pub(super) fn word_of(outcome: &Outcome) -> String {
    match outcome {
        Ok(_) => "success".to_owned(),
        Err(Failure { error_type, .. }) => error_type.to_string(),
    }
}
