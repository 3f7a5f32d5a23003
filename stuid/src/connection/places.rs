//! What one client may have under way: so many requests, and so many bytes of requests and replies.
//!
//! A client that sends on without reading its replies fills its places, and then its socket: it
//! waits, and nobody else does.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Requests of one client that may be under way; further ones wait in its socket.
pub(crate) const MOST_REQUESTS: usize = 64;

/// With more bytes than this in requests under way and replies that are not written, no further
/// request begins. One may always be under way, however large.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The places of one client.
#[derive(Debug)]
pub(crate) struct Places {
    requests: Arc<Semaphore>,
    bytes: Arc<watch::Sender<usize>>,
}

/// One of them, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _request: OwnedSemaphorePermit,
    bytes: Arc<watch::Sender<usize>>,
    own_bytes: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self::of(MOST_REQUESTS)
    }
}

impl Places {
    /// So many.
    pub(crate) fn of(requests: usize) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(requests)),
            bytes: Arc::new(watch::Sender::new(0)),
        }
    }

    /// How many requests more may be under way.
    pub(crate) fn free(&self) -> usize {
        self.requests.available_permits()
    }

    /// A place, when there is one now.
    pub(crate) fn try_take(&self) -> Option<Place> {
        let request = Arc::clone(&self.requests).try_acquire_owned().ok()?;
        let room = *self.bytes.borrow() < MOST_BYTES;
        room.then(|| self.place(request))
    }

    /// Waits for a place; none only when there will never be one. Can be cancelled.
    pub(crate) async fn take(&self) -> Option<Place> {
        // Neither the semaphore nor the sender is ever closed.
        let request = Arc::clone(&self.requests).acquire_owned().await.ok()?;
        let mut bytes = self.bytes.subscribe();
        bytes.wait_for(|bytes| *bytes < MOST_BYTES).await.ok()?;
        Some(self.place(request))
    }

    fn place(&self, request: OwnedSemaphorePermit) -> Place {
        Place {
            _request: request,
            bytes: Arc::clone(&self.bytes),
            own_bytes: 0,
        }
    }
}

impl Place {
    /// Says how many bytes are kept for it now: those of the request, later those of the reply.
    pub(crate) fn weighs(&mut self, own_bytes: usize) {
        let before = std::mem::replace(&mut self.own_bytes, own_bytes);
        self.bytes
            .send_modify(|bytes| *bytes = *bytes - before + own_bytes);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.weighs(0);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// A place, if there is one now.
    fn taken(places: &Places) -> Option<Place> {
        // Not on the budget of a task, which a loop uses up.
        let taking = tokio::task::unconstrained(places.take());
        taking.now_or_never().flatten()
    }

    #[test]
    fn there_are_only_so_many_places_and_they_are_free_again() {
        let places = Places::default();
        let mut all: Vec<_> = (0..MOST_REQUESTS)
            .map(|_| taken(&places).unwrap())
            .collect();
        assert!(taken(&places).is_none());
        all.pop();
        assert!(taken(&places).is_some());
    }

    #[test]
    fn one_large_request_keeps_others_waiting() {
        let places = Places::default();
        let mut large = taken(&places).unwrap();
        large.weighs(MOST_BYTES);
        assert!(taken(&places).is_none());
        large.weighs(10);
        assert!(taken(&places).is_some());
        large.weighs(MOST_BYTES);
        drop(large);
        assert!(taken(&places).is_some());
    }
}
