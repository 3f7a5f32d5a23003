//! The metrics that are counted when somebody looks.

use stui_protocol::daemon::SessionState;

use super::{Client, Services};

/// The states of a client, as metrics have them.
const CLIENT_STATES: [&str; 3] = ["attached", "watching", "unattached"];

/// The states of a session, as metrics have them.
const SESSION_STATES: [(SessionState, &str); 3] = [
    (SessionState::Idle, "idle"),
    (SessionState::Busy, "busy"),
    (SessionState::Lost, "lost"),
];

impl Services {
    /// Brings them up to date.
    pub fn count(&self) {
        self.count_clients();
        self.count_sessions();
        let bytes = self.request_bytes.kept() as u64;
        self.metrics.requests.bytes.set(gauge(bytes));
        let paused = self.gate.closed();
        self.metrics.paused.set(i64::from(paused.is_some()));
        let held_back = paused.map_or(0, |paused| paused.waiting);
        self.metrics.held_back.set(gauge(held_back));
    }

    fn count_clients(&self) {
        let clients = self.clients.all();
        let states: Vec<_> = clients.iter().map(|each| state_of(each)).collect();
        for state in CLIENT_STATES {
            let there = states.iter().filter(|each| **each == state);
            let connected = self.metrics.clients.connected.with_label_values(&[state]);
            connected.set(gauge(there.count() as u64));
        }
    }

    fn count_sessions(&self) {
        let metrics = &self.metrics.evaluations;
        let sessions = self.sessions.all();
        let states: Vec<_> = sessions.iter().map(|each| each.state()).collect();
        for (state, name) in SESSION_STATES {
            let there = states.iter().filter(|each| **each == state);
            let known = metrics.sessions.with_label_values(&[name]);
            known.set(gauge(there.count() as u64));
        }
        let log_bytes = sessions.iter().map(|session| session.log.bytes()).sum();
        metrics.log_bytes.set(gauge(log_bytes));
        let queue = self.sessions.queue_status(&self.metrics);
        metrics.queued.set(gauge(queue.evaluations));
        metrics.running.set(gauge(queue.running));
        #[allow(clippy::cast_precision_loss)] // after 285,000 years
        metrics.oldest.set(queue.oldest_ms as f64 / 1000.0);
    }
}

fn state_of(client: &Client) -> &'static str {
    let attached = client.attached().clone();
    let [drives, watches, neither] = CLIENT_STATES;
    match attached {
        Some(session) if session.is_watcher(client.number) => watches,
        Some(_) => drives,
        None => neither,
    }
}

fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
