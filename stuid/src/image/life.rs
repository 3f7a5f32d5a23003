//! What is known about the image: its state, since when, which instance, what it calls itself.
//!
//! Three levels are kept apart: the link (ZeroMQ connected), the listener (`ping` is answered),
//! the evaluator (low-priority code makes progress). The worker and [`super::health`] tell what
//! they see; this decides what it means and announces changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stui_protocol::daemon::{ImageState, ImageStatus};
use stui_protocol::image::{ImageDescription, PingResult};
use stui_protocol::time;
use tokio::sync::watch;
use tokio::time::Instant;

use super::inflight::Correlation;
use super::worker::LinkState;
use crate::metrics::Metrics;

/// An evaluator that is later than this makes no progress: the image is `busy`.
const BUSY_LAG_MS: f64 = 1_000.0;

/// Shared by the handle, the health task and the event link.
#[derive(Debug)]
pub(crate) struct Life {
    facts: Mutex<Facts>,
    status: watch::Sender<ImageStatus>,
    /// Where the image says that it publishes its events.
    events_endpoint: watch::Sender<Option<String>>,
    events_live: AtomicBool,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Facts {
    link: LinkState,
    /// When the listener last answered on the present connection.
    heard_at: Option<Instant>,
    /// Number of the newest request whose reply was heard; an older reply may be read later.
    order: Correlation,
    silent: bool,
    saving: bool,
    /// The daemon waits for the end of it.
    asked_to_save: bool,
    lag_ms: f64,
}

impl Life {
    pub(crate) fn new(endpoint: &str, metrics: Arc<Metrics>) -> Self {
        let status = ImageStatus {
            state: ImageState::Connecting,
            since: time::now(),
            endpoint: endpoint.to_owned(),
            description: None,
            instance: None,
            reason: None,
        };
        metrics.set_image_state(status.state);
        Self {
            facts: Mutex::new(Facts {
                link: LinkState::Connecting,
                heard_at: None,
                order: 0,
                silent: false,
                saving: false,
                asked_to_save: false,
                lag_ms: 0.0,
            }),
            status: watch::Sender::new(status),
            events_endpoint: watch::Sender::new(None),
            events_live: AtomicBool::new(false),
            metrics,
        }
    }

    pub(crate) fn status(&self) -> watch::Receiver<ImageStatus> {
        self.status.subscribe()
    }

    pub(crate) fn link_is(&self, link: LinkState) {
        self.note(None, |facts| {
            if link != facts.link {
                facts.heard_at = None;
                facts.silent = false;
                facts.saving = false;
                facts.lag_ms = 0.0;
            }
            facts.link = link;
        });
    }

    /// A reply came. `order` is the number of its request.
    pub(crate) fn heard(&self, order: Correlation, instance: &str) {
        let mut newest = false;
        self.note(None, |facts| {
            newest = order >= facts.order;
            facts.order = facts.order.max(order);
            facts.heard_at = Some(Instant::now());
            facts.silent = false;
        });
        if newest && !instance.is_empty() {
            self.set_instance(instance);
        }
    }

    fn set_instance(&self, instance: &str) {
        self.status.send_if_modified(|status| {
            let changed = status.instance.as_deref() != Some(instance);
            if changed {
                tracing::info!(
                    instance,
                    before = status.instance,
                    "another life of the image"
                );
                status.instance = Some(instance.to_owned());
                status.description = None;
            }
            changed
        });
    }

    pub(crate) fn ponged(&self, pong: &PingResult) {
        self.metrics
            .evaluator_lag
            .set(pong.evaluator_lag_ms / 1000.0);
        self.note(None, |facts| {
            facts.lag_ms = pong.evaluator_lag_ms;
            facts.saving = false;
        });
    }

    pub(crate) fn silent(&self, why: &str) {
        self.note(Some(why), |facts| facts.silent = true);
    }

    /// The daemon has the image save itself: it is saving while the answer lives.
    pub(crate) fn begin_saving(&self) -> Saving<'_> {
        self.note(None, |facts| facts.asked_to_save = true);
        Saving(self)
    }

    pub(crate) fn saving(&self, saving: bool) {
        self.note(None, |facts| facts.saving = saving);
    }

    pub(crate) fn describe(&self, description: ImageDescription, events: Option<String>) {
        self.status
            .send_modify(|status| status.description = Some(description));
        self.events_endpoint.send_if_modified(|known| {
            let changed = *known != events;
            *known = events;
            changed
        });
    }

    pub(crate) fn events_endpoint(&self) -> watch::Receiver<Option<String>> {
        self.events_endpoint.subscribe()
    }

    pub(crate) fn events_are_live(&self) -> bool {
        self.events_live.load(Ordering::Relaxed)
    }

    pub(crate) fn set_events_live(&self, live: bool) {
        self.events_live.store(live, Ordering::Relaxed);
        self.metrics.events_up.set(i64::from(live));
    }

    /// Whether nothing was heard for that long.
    pub(crate) fn quiet_for(&self, long: Duration) -> bool {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.heard_at.is_none_or(|at| at.elapsed() >= long)
    }

    fn note(&self, why: Option<&str>, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut facts);
        let state = facts.state();
        // Under the lock, so that two changes are announced in their order.
        self.status.send_if_modified(|status| {
            if status.state == state {
                return false;
            }
            tracing::info!(from = ?status.state, to = ?state, "the image's state changes");
            self.metrics.set_image_state(state);
            status.state = state;
            status.since = time::now();
            status.reason = reason(state, why, &status.endpoint);
            true
        });
    }
}

/// The image saves itself while this lives.
pub(crate) struct Saving<'a>(&'a Life);

impl Drop for Saving<'_> {
    fn drop(&mut self) {
        self.0.note(None, |facts| facts.asked_to_save = false);
    }
}

impl Facts {
    fn state(&self) -> ImageState {
        match self.link {
            LinkState::Connecting => ImageState::Connecting,
            LinkState::Down => ImageState::Down,
            LinkState::Up { .. } if self.saving || self.asked_to_save => ImageState::Saving,
            LinkState::Up { .. } if self.silent => ImageState::Unresponsive,
            LinkState::Up { .. } if self.heard_at.is_none() => ImageState::Connecting,
            LinkState::Up { .. } if self.lag_ms > BUSY_LAG_MS => ImageState::Busy,
            LinkState::Up { .. } => ImageState::Ready,
        }
    }
}

fn reason(state: ImageState, why: Option<&str>, endpoint: &str) -> Option<String> {
    match state {
        ImageState::Down => Some(format!("nobody is at {endpoint}")),
        ImageState::Unresponsive => why.map(str::to_owned),
        ImageState::Busy => Some("code in the image keeps everything else waiting".to_owned()),
        ImageState::Connecting | ImageState::Ready | ImageState::Saving => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: LinkState = LinkState::Up { connection: 1 };

    fn life() -> Life {
        Life::new("ipc:///x", Arc::new(Metrics::new().unwrap()))
    }

    fn pong(lag: f64) -> PingResult {
        PingResult {
            message: None,
            status: "ready".into(),
            uptime: 1.0,
            instance: "a".into(),
            evaluations_running: 0,
            evaluator_lag_ms: lag,
        }
    }

    #[test]
    fn a_link_without_an_answer_is_not_ready() {
        let life = life();
        let status = life.status();
        life.link_is(UP);
        assert_eq!(status.borrow().state, ImageState::Connecting);
        life.heard(1, "a");
        assert_eq!(status.borrow().state, ImageState::Ready);
        life.silent("no answer");
        assert_eq!(status.borrow().state, ImageState::Unresponsive);
        life.link_is(LinkState::Down);
        assert_eq!(status.borrow().state, ImageState::Down);
    }

    #[test]
    fn a_new_connection_must_be_heard_anew_though_nobody_saw_the_old_one_go() {
        let life = life();
        let status = life.status();
        life.link_is(UP);
        life.heard(1, "a");
        life.link_is(LinkState::Up { connection: 2 });
        assert!(life.quiet_for(Duration::from_secs(60)));
        assert_eq!(status.borrow().state, ImageState::Connecting);
    }

    #[test]
    fn an_image_whose_evaluator_stands_still_is_busy_and_not_dead() {
        let life = life();
        let status = life.status();
        life.link_is(UP);
        life.heard(1, "a");
        life.ponged(&pong(5_000.0));
        assert_eq!(status.borrow().state, ImageState::Busy);
        life.ponged(&pong(0.0));
        assert_eq!(status.borrow().state, ImageState::Ready);
    }

    #[test]
    fn an_image_that_was_asked_to_save_itself_may_be_silent() {
        let life = life();
        let status = life.status();
        life.link_is(UP);
        life.heard(1, "a");
        let saving = life.begin_saving();
        life.silent("no answer");
        assert_eq!(status.borrow().state, ImageState::Saving);
        life.heard(2, "a");
        drop(saving);
        assert_eq!(status.borrow().state, ImageState::Ready);
    }

    #[test]
    fn an_old_reply_that_is_read_late_does_not_bring_back_the_old_instance() {
        let life = life();
        let status = life.status();
        life.heard(2, "new");
        life.heard(1, "old");
        assert_eq!(status.borrow().instance.as_deref(), Some("new"));
    }
}
