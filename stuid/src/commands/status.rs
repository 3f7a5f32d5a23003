//! `status`: how the daemon and the image are.

use std::cmp::Reverse;
use std::sync::Arc;

use stui_protocol::daemon::{DaemonStatus, MOST_RUNNING_TOLD, RunningInSession, StatusResult};

use super::{Asked, Services};
use crate::identity::Peer;
use crate::session::Session;

pub(super) fn serve(asked: Asked) {
    let outcome = Ok(look(&asked.services, asked.client.peer));
    asked.responder.result(outcome);
}

fn look(services: &Services, peer: Peer) -> StatusResult {
    services.count();
    StatusResult {
        daemon: DaemonStatus {
            version: crate::VERSION.to_owned(),
            pid: std::process::id(),
            started_at: services.started_at,
            socket: services.socket.clone(),
            admin: services.admin.clone(),
            frontend: services.frontend.clone(),
        },
        image: services.image.status(),
        queue: services.sessions.queue_status(&services.metrics),
        running: running(services, peer),
        clients: services.metrics.clients.get().try_into().unwrap_or(0),
        lagging: services
            .metrics
            .clients_lagging
            .get()
            .try_into()
            .unwrap_or(0),
        sessions: services.metrics.sessions.get().try_into().unwrap_or(0),
        paused: services.gate.closed(),
        store: Some(services.store.status()),
    }
}

/// What runs in the sessions that the peer may use, the longest first.
fn running(services: &Services, peer: Peer) -> Vec<RunningInSession> {
    let sessions = services.sessions.visible_to(peer);
    let of = |session: &Arc<Session>| {
        Some(RunningInSession {
            evaluation: session.run()?,
            session: session.name(),
            owner: session.owner,
        })
    };
    let mut running: Vec<_> = sessions.iter().filter_map(of).collect();
    running.sort_by_key(|each| Reverse(each.evaluation.running_ms));
    running.truncate(MOST_RUNNING_TOLD);
    running
}

impl Services {
    /// Brings the metrics up to date that are counted when somebody looks.
    pub fn count(&self) {
        let queue = self.sessions.queue_status(&self.metrics);
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let sessions = self.sessions.all();
        self.metrics.sessions.set(gauge(sessions.len() as u64));
        let log_bytes = sessions.iter().map(|session| session.log.bytes()).sum();
        self.metrics.log_bytes.set(gauge(log_bytes));
        self.metrics
            .evaluations_queued
            .set(gauge(queue.evaluations));
        self.metrics.evaluations_running.set(gauge(queue.running));
        let paused = self.gate.closed();
        self.metrics.paused.set(i64::from(paused.is_some()));
        let held_back = paused.map_or(0, |paused| paused.waiting);
        self.metrics.held_back.set(gauge(held_back));
    }
}
