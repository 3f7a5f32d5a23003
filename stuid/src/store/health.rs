//! How the store is, and who is told.

use std::path::Path;
use std::sync::Arc;

use stui_protocol::daemon::{StoreState, StoreStatus};
use stui_protocol::time;
use tokio::sync::watch;

use crate::metrics::Metrics;

#[derive(Debug)]
pub(super) struct Health {
    status: watch::Sender<StoreStatus>,
    metrics: Arc<Metrics>,
}

impl Health {
    pub(super) fn new(state: StoreState, dir: Option<&Path>, metrics: Arc<Metrics>) -> Self {
        let status = StoreStatus {
            state,
            since: time::now(),
            path: dir.map(|dir| dir.display().to_string()),
            reason: None,
            set_aside: None,
        };
        Self {
            status: watch::Sender::new(status),
            metrics,
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<StoreStatus> {
        self.status.subscribe()
    }

    /// Something could not be written.
    pub(super) fn degrade(&self, reason: &str) {
        self.metrics.store.errors.inc();
        self.metrics.store.degraded.set(1);
        self.status.send_if_modified(|status| {
            let news = status.state != StoreState::Degraded;
            if news {
                tracing::error!(
                    path = status.path,
                    reason,
                    "the store cannot be written: what happens from now on is in memory until it can"
                );
                status.state = StoreState::Degraded;
                status.since = time::now();
                status.reason = Some(reason.to_owned());
            }
            news
        });
    }

    /// Everything is on disk.
    pub(super) fn recover(&self) {
        self.metrics.store.degraded.set(0);
        self.status.send_if_modified(|status| {
            let news = status.state == StoreState::Degraded;
            if news {
                tracing::warn!(
                    path = status.path,
                    "the store is written again, nothing is missing"
                );
                status.state = StoreState::Ok;
                status.since = time::now();
                status.reason = None;
            }
            news
        });
    }

    /// The tables were damaged and have another name now.
    pub(super) fn set_aside(&self, aside: &Path, why: &str) {
        self.metrics.store.errors.inc();
        tracing::error!(
            aside = %aside.display(),
            why,
            "the store was damaged and is set aside, a new one is begun: older logs are missing"
        );
        self.status
            .send_modify(|status| status.set_aside = Some(aside.display().to_string()));
    }
}
