//! Whether a client has fallen behind, and who is told: the client itself when it reads again,
//! those who subscribed, whoever lists the sessions, and the metrics.

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::codec::client::encode_event;
use stui_protocol::daemon::LaggingData;
use stui_protocol::{Event, EventName};

use crate::commands::{Client, Services};

/// A client lags when something was there for it so long and it took none of it.
pub(crate) const LAGS_AFTER: Duration = Duration::from_secs(1);

/// The state of one client.
pub(crate) struct Lag {
    client: Arc<Client>,
    services: Arc<Services>,
    is_lagging: bool,
    /// The client itself has not been told.
    untold: bool,
}

impl Lag {
    pub(crate) fn new(client: &Arc<Client>, services: &Arc<Services>) -> Self {
        Self {
            client: Arc::clone(client),
            services: Arc::clone(services),
            is_lagging: false,
            untold: false,
        }
    }

    pub(crate) fn is_lagging(&self) -> bool {
        self.is_lagging
    }

    /// It takes nothing. `behind` is how many lines of a log wait for it.
    pub(crate) fn begin(&mut self, behind: u64) {
        if std::mem::replace(&mut self.is_lagging, true) {
            return;
        }
        self.untold = true;
        self.change(behind);
    }

    /// It has got everything.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.is_lagging, false) {
            self.change(0);
        }
    }

    /// The line that tells the client that it was lagging, once, after what it was late to read.
    pub(crate) fn notice(&mut self, behind: u64) -> Option<Vec<u8>> {
        let untold = std::mem::replace(&mut self.untold, false);
        untold.then(|| encode_event(&self.event(behind)))
    }

    fn change(&self, behind: u64) {
        let metrics = &self.services.metrics;
        metrics
            .clients
            .lagging
            .add(if self.is_lagging { 1 } else { -1 });
        self.client.set_lagging(self.is_lagging);
        let (announcements, event) = (&self.services.announcements, self.event(behind));
        let session = self.client.attached().clone();
        match session {
            Some(session) => announcements.announce_to(session.right(), &event),
            None => announcements.announce(&event),
        }
        tracing::debug!(
            client = self.client.number,
            pid = self.client.peer.pid,
            lagging = self.is_lagging,
            behind,
            "a client has fallen behind or caught up"
        );
    }

    fn event(&self, behind: u64) -> Event {
        Event::new(
            EventName::Lagging,
            &LaggingData {
                client: self.client.number,
                pid: self.client.peer.pid,
                lagging: self.is_lagging,
                behind,
            },
        )
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        self.end();
    }
}
