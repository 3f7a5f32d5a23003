//! What is known about the image: its state, since when, which instance, what it calls itself.
//!
//! Three levels are kept apart: the link (ZeroMQ connected), the listener (`ping` is answered),
//! the evaluator (low-priority code makes progress). The worker and [`super::health`] tell what
//! they see; this decides what it means and announces changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stui_protocol::daemon::{ImageLevels, ImageState, ImageStatus, Level};
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
    /// How late the evaluator runs; none until a `ping` has told.
    lag_ms: Option<f64>,
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
            levels: ImageLevels::default(),
        };
        metrics.image.set_state(status.state);
        Self {
            facts: Mutex::new(Facts {
                link: LinkState::Connecting,
                heard_at: None,
                order: 0,
                silent: false,
                saving: false,
                asked_to_save: false,
                lag_ms: None,
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
                facts.lag_ms = None;
            }
            facts.link = link;
        });
        if let LinkState::Refused(why) = link {
            self.status.send_if_modified(|status| {
                let reason = Some(why.explain(&status.endpoint));
                let before = std::mem::replace(&mut status.reason, reason);
                before != status.reason
            });
        }
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
                self.metrics.image.instances.inc();
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
            .image
            .evaluator_lag
            .set(pong.evaluator_lag_ms / 1000.0);
        self.note(None, |facts| {
            facts.lag_ms = Some(pong.evaluator_lag_ms);
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
        self.metrics.link.events_up.set(i64::from(live));
    }

    fn note(&self, why: Option<&str>, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut facts);
        let (state, levels) = (facts.state(), facts.levels());
        // Under the lock, so that two changes are announced in their order.
        self.status.send_if_modified(|status| {
            let before = std::mem::replace(&mut status.levels, levels);
            if status.state == state && same_levels(before, levels) {
                return false;
            }
            self.metrics.image.set_levels(levels);
            if status.state != state {
                tracing::info!(from = ?status.state, to = ?state, ?levels, why, "the image's state changes");
                self.metrics.image.set_state(state);
                self.metrics.image.count_state(state);
                status.state = state;
                status.since = time::now();
                status.reason = reason(state, why, &status.endpoint);
            }
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

/// Whether they are the same but for the exact lag.
fn same_levels(before: ImageLevels, now: ImageLevels) -> bool {
    let parts = |levels: ImageLevels| (levels.link, levels.listener, levels.evaluator);
    parts(before) == parts(now)
}

impl Facts {
    fn is_late(&self) -> bool {
        self.lag_ms.is_some_and(|lag_ms| lag_ms > BUSY_LAG_MS)
    }

    fn state(&self) -> ImageState {
        match self.link {
            LinkState::Connecting => ImageState::Connecting,
            LinkState::Down | LinkState::Refused(_) => ImageState::Down,
            LinkState::Up { .. } if self.saving || self.asked_to_save => ImageState::Saving,
            LinkState::Up { .. } if self.silent => ImageState::Unresponsive,
            LinkState::Up { .. } if self.heard_at.is_none() => ImageState::Connecting,
            LinkState::Up { .. } if self.is_late() => ImageState::Busy,
            LinkState::Up { .. } => ImageState::Ready,
        }
    }

    fn levels(&self) -> ImageLevels {
        let link = match self.link {
            LinkState::Connecting => Level::Unknown,
            LinkState::Up { .. } => Level::Up,
            LinkState::Down | LinkState::Refused(_) => Level::Down,
        };
        let listener = match link {
            Level::Up if self.silent => Level::Down,
            Level::Up if self.heard_at.is_some() => Level::Up,
            _ => Level::Unknown,
        };
        let evaluator = match (listener, self.lag_ms) {
            (Level::Up, Some(_)) if self.is_late() => Level::Down,
            (Level::Up, Some(_)) => Level::Up,
            _ => Level::Unknown,
        };
        ImageLevels {
            link,
            listener,
            evaluator,
            evaluator_lag_ms: self.lag_ms.filter(|_| listener == Level::Up),
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
    fn each_level_is_told_apart_and_none_is_guessed() {
        let life = life();
        let status = life.status();
        let levels = || {
            let levels = status.borrow().levels;
            (levels.link, levels.listener, levels.evaluator)
        };
        use Level::{Down, Unknown, Up};
        assert_eq!(levels(), (Unknown, Unknown, Unknown));
        life.link_is(UP);
        assert_eq!(levels(), (Up, Unknown, Unknown));
        life.heard(1, "a");
        assert_eq!(levels(), (Up, Up, Unknown));
        life.ponged(&pong(5_000.0));
        assert_eq!(levels(), (Up, Up, Down));
        assert_eq!(status.borrow().levels.evaluator_lag_ms, Some(5_000.0));
        life.silent("no answer");
        assert_eq!(levels(), (Up, Down, Unknown));
        life.link_is(LinkState::Down);
        assert_eq!(levels(), (Down, Unknown, Unknown));
    }

    #[test]
    fn another_lag_alone_is_no_news() {
        let life = life();
        life.link_is(UP);
        life.heard(1, "a");
        life.ponged(&pong(1.0));
        let mut status = life.status();
        status.mark_unchanged();
        life.ponged(&pong(2.0));
        assert!(!status.has_changed().unwrap());
        assert_eq!(status.borrow().levels.evaluator_lag_ms, Some(2.0));
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
