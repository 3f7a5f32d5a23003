//! Clients that come: new ones, and those of the daemon before this one.

use std::io;
use std::os::unix::net;
use std::path::Path;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio_util::task::TaskTracker;

use super::permission::may_connect;
use super::places::{Place, Places};
use super::refusal::refuse;
use crate::commands::Services;
use crate::connection;
use crate::identity::Peer;
use crate::supervisor;

/// What a client needs to be served.
pub struct Welcome<'d> {
    pub(super) socket: &'d Path,
    pub(super) services: &'d Arc<Services>,
    pub(super) places: &'d Places,
    pub(super) clients: &'d TaskTracker,
}

impl Welcome<'_> {
    /// Serves a new client, or tells it that there is no place.
    pub(super) fn accept(&self, stream: UnixStream, peer: Peer) {
        match self.places.take(peer.uid) {
            Ok(place) => self.serve(stream, peer, place),
            Err(failure) => {
                self.services.metrics.clients.refused.inc();
                refuse(&stream, failure);
            }
        }
    }

    fn serve(&self, stream: UnixStream, peer: Peer, place: Place) {
        let services = Arc::clone(self.services);
        self.clients.spawn(async move {
            connection::serve(stream, peer, services).await;
            drop(place);
        });
    }

    /// Takes up connections that the service manager has kept. Each begins anew, with `hello`. One
    /// that could not be made now is closed: its client may try, and hears why.
    pub fn back(&self, kept: Vec<net::UnixStream>) {
        if kept.is_empty() {
            return;
        }
        let all = kept.len();
        let mut taken_up = 0;
        for stream in kept {
            match self.known(stream) {
                Ok(Some((stream, peer, place))) => {
                    self.serve(stream, peer, place);
                    taken_up += 1;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "taking up a client"),
            }
        }
        supervisor::taken_up();
        tracing::info!(
            kept = all,
            taken_up,
            "took up clients of the daemon before this one"
        );
    }

    fn known(&self, stream: net::UnixStream) -> io::Result<Option<(UnixStream, Peer, Place)>> {
        stream.set_nonblocking(true)?;
        let stream = UnixStream::from_std(stream)?;
        let peer = Peer::of(&stream)?;
        let (uid, pid) = (peer.uid, peer.pid);
        if !may_connect(self.socket, peer) {
            tracing::info!(
                uid,
                pid,
                "a client that may not connect now is not taken up"
            );
            return Ok(None);
        }
        let place = self.places.take(uid);
        if let Err(failure) = &place {
            tracing::info!(uid, pid, %failure, "there is no place to take a client up");
        }
        Ok(place.ok().map(|place| (stream, peer, place)))
    }
}
