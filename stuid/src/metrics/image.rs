//! Numbers of the image: how it is, and how often it began anew.

use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};
use stui_protocol::daemon::{ImageLevels, ImageState, Level};

use super::making::{Making, Registered};

const STATES: [(ImageState, &str); 6] = [
    (ImageState::Connecting, "connecting"),
    (ImageState::Ready, "ready"),
    (ImageState::Busy, "busy"),
    (ImageState::Unresponsive, "unresponsive"),
    (ImageState::Down, "down"),
    (ImageState::Saving, "saving"),
];

/// How the image is.
#[derive(Debug)]
pub struct Image {
    up: IntGauge,
    state: IntGaugeVec,
    level: IntGaugeVec,
    states: IntCounterVec,
    /// Lives of the image that were seen; the second one is its first restart.
    pub instances: IntCounter,
    /// How late low-priority code in the image runs, in seconds.
    pub evaluator_lag: Gauge,
}

impl Image {
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        let image = Self {
            up: make.gauge("stui_image_up", "Whether the image answers.")?,
            state: make.gauges(
                "stui_image_state",
                "1 for the state that the image is in.",
                "state",
            )?,
            level: make.gauges(
                "stui_image_level",
                "1 for each of link, listener and evaluator that works.",
                "level",
            )?,
            states: make.counters(
                "stui_image_states_total",
                "Times that the image came into a state.",
                &["state"],
            )?,
            instances: make.counter(
                "stui_image_instances_total",
                "Lives of the image that were seen.",
            )?,
            evaluator_lag: make.seconds(
                "stui_image_evaluator_lag_seconds",
                "How late low-priority code in the image runs.",
            )?,
        };
        image.set_levels(ImageLevels::default());
        for (_, name) in STATES {
            image.states.with_label_values(&[name]);
        }
        Ok(image)
    }

    /// Tells the state of the image.
    pub fn set_state(&self, state: ImageState) {
        let up = matches!(state, ImageState::Ready | ImageState::Busy);
        self.up.set(i64::from(up));
        for (each, name) in STATES {
            self.state
                .with_label_values(&[name])
                .set(i64::from(each == state));
        }
    }

    /// Counts that the image came into a state.
    pub fn count_state(&self, state: ImageState) {
        if let Some((_, name)) = STATES.iter().find(|(each, _)| *each == state) {
            self.states.with_label_values(&[name]).inc();
        }
    }

    /// Tells how each level of the image is.
    pub fn set_levels(&self, levels: ImageLevels) {
        for (level, name) in [
            (levels.link, "link"),
            (levels.listener, "listener"),
            (levels.evaluator, "evaluator"),
        ] {
            let up = i64::from(level == Level::Up);
            self.level.with_label_values(&[name]).set(up);
        }
    }
}
