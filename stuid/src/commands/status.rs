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
        clients: services.clients.count() as u64,
        lagging: services
            .metrics
            .clients
            .lagging
            .get()
            .try_into()
            .unwrap_or(0),
        sessions: services.sessions.count() as u64,
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
