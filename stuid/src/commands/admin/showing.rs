//! `show`: what an operator can look at.

use stui_protocol::daemon::{
    AdminResult, AttachMode, AttachedClient, Shown, ShownClient, ShownImage, ShownMemory, Subject,
};

use super::super::{Asked, Client, Services};
use crate::metrics;

pub(super) fn show(asked: &Asked, what: Subject) -> AdminResult {
    let services = &asked.services;
    let shown = match what {
        Subject::Clients => Shown::Clients(services.clients.all().iter().map(client).collect()),
        Subject::Sessions => {
            let peer = asked.client.peer;
            let sessions = services.sessions.listed_to(peer);
            Shown::Sessions(sessions.iter().map(|each| each.describe_to(peer)).collect())
        }
        Subject::Queue => Shown::Queue(services.sessions.under_way()),
        Subject::Image => Shown::Image(image(services)),
        Subject::Config => Shown::Config(services.config.keys()),
        Subject::Memory => Shown::Memory(memory(services)),
    };
    AdminResult {
        shown: Some(shown),
        ..AdminResult::done("shown")
    }
}

fn client(client: &std::sync::Arc<Client>) -> ShownClient {
    let attached = client.attached().clone();
    let session = attached.map(|session| session.describe());
    let own = |each: &&AttachedClient| each.client == client.number;
    let mode: Option<AttachMode> = session
        .as_ref()
        .and_then(|session| session.attached.iter().find(own))
        .map(|each| each.mode);
    ShownClient {
        client: client.number,
        pid: client.peer.pid,
        uid: client.peer.uid,
        connected_at: client.connected_at,
        session: session.map(|session| session.name),
        mode,
    }
}

fn image(services: &Services) -> ShownImage {
    let metrics = &services.metrics;
    ShownImage {
        status: services.image.status(),
        events: services.image.events_are_live(),
        waiting: metrics.link.queue.get().try_into().unwrap_or(0),
        connects: metrics.link.connects.get(),
        disconnects: metrics.link.disconnects.get(),
        evaluator_lag_ms: metrics.image.evaluator_lag.get() * 1000.0,
    }
}

fn memory(services: &Services) -> ShownMemory {
    let resident = metrics::resident_bytes().unwrap_or(0);
    let mut memory = ShownMemory {
        resident_bytes: resident.try_into().unwrap_or(0),
        ..ShownMemory::default()
    };
    for session in services.sessions.all() {
        let (history, queue) = session.weight();
        memory.log_bytes += session.log.memory_bytes() as u64;
        memory.history_bytes += history as u64;
        memory.queue_bytes += queue as u64;
    }
    memory
}
