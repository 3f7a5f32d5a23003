//! What one client may have under way: so many requests, and so many bytes of requests and replies.
//!
//! A client that sends on without reading its replies fills its places, and then its socket: it
//! waits, and nobody else does. The clients of a user, and all clients, together have a bound, too: a
//! request for whose bytes there is no room among those of the others is refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::Failure;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::limits::{RequestBytes, Share};

/// Requests of one client that may be under way; further ones wait in its socket.
pub(crate) const MOST_REQUESTS: usize = 64;

/// With more bytes than this in requests under way and replies that are not written, no further
/// request begins. One may always be under way, however large.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Bytes that each client has for itself, whatever the others have: small requests, an interrupt
/// above all, are never refused for want of room.
const OWN_BYTES: usize = 64 * 1024;

/// The places of one client.
#[derive(Debug)]
pub(crate) struct Places {
    requests: Arc<Semaphore>,
    bytes: Arc<Weight>,
}

/// Bytes of one client. They change a few times in each request, and hardly ever is anybody told.
#[derive(Debug)]
struct Weight {
    bytes: Mutex<Bytes>,
    /// There is room again. One task at most waits for it: the client's own.
    roomy: Notify,
}

#[derive(Debug)]
struct Bytes {
    all: usize,
    /// Those beyond [`OWN_BYTES`].
    shared: Share,
}

/// One of them, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _request: OwnedSemaphorePermit,
    bytes: Arc<Weight>,
    own_bytes: usize,
}

impl Places {
    /// So many, of a client of that user.
    pub(crate) fn of(requests: usize, bytes: &RequestBytes, owner: u32) -> Self {
        let shared = bytes.share(owner);
        Self {
            requests: Arc::new(Semaphore::new(requests)),
            bytes: Arc::new(Weight {
                bytes: Mutex::new(Bytes { all: 0, shared }),
                roomy: Notify::new(),
            }),
        }
    }

    /// How many requests more may be under way.
    pub(crate) fn free(&self) -> usize {
        self.requests.available_permits()
    }

    /// A place, when there is one now.
    pub(crate) fn try_take(&self) -> Option<Place> {
        let request = Arc::clone(&self.requests).try_acquire_owned().ok()?;
        self.bytes.has_room().then(|| self.place(request))
    }

    /// Waits for a place; none only when there will never be one. Can be cancelled.
    pub(crate) async fn take(&self) -> Option<Place> {
        // The semaphore is never closed.
        let request = Arc::clone(&self.requests).acquire_owned().await.ok()?;
        // Whoever made room between the look and the wait has left a note.
        while !self.bytes.has_room() {
            self.bytes.roomy.notified().await;
        }
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

impl Weight {
    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self) -> bool {
        self.lock().has_room()
    }

    /// Sets how many there are, and tells who waits for room when there is some again.
    fn set(&self, mut bytes: MutexGuard<'_, Bytes>, all: usize) {
        let had_room = bytes.has_room();
        bytes.all = all;
        if !had_room && bytes.has_room() {
            self.roomy.notify_one();
        }
    }
}

impl Bytes {
    fn has_room(&self) -> bool {
        self.all < MOST_BYTES
    }
}

impl Place {
    /// Says how many bytes are kept for it now, of what cannot be refused: of the reply.
    pub(crate) fn weighs(&mut self, own_bytes: usize) {
        let mut bytes = self.bytes.lock();
        let all = bytes.all - self.own_bytes + own_bytes;
        bytes.shared.keeps(all.saturating_sub(OWN_BYTES));
        self.bytes.set(bytes, all);
        self.own_bytes = own_bytes;
    }

    /// Says how many bytes are kept for it now, of a request or what has come of it.
    ///
    /// # Errors
    /// `Overloaded` when there is no room for them among those of the user or of all clients; it
    /// weighs what it did.
    pub(crate) fn claims(&mut self, own_bytes: usize) -> Result<(), Failure> {
        let mut bytes = self.bytes.lock();
        let all = bytes.all - self.own_bytes + own_bytes;
        bytes.shared.claims(all.saturating_sub(OWN_BYTES))?;
        self.bytes.set(bytes, all);
        self.own_bytes = own_bytes;
        Ok(())
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
    use crate::limits::room;

    fn places() -> Places {
        Places::of(MOST_REQUESTS, &room(usize::MAX, usize::MAX), 1)
    }

    /// A place, if there is one now.
    fn taken(places: &Places) -> Option<Place> {
        // Not on the budget of a task, which a loop uses up.
        let taking = tokio::task::unconstrained(places.take());
        taking.now_or_never().flatten()
    }

    #[test]
    fn there_are_only_so_many_places_and_they_are_free_again() {
        let places = places();
        let mut all: Vec<_> = (0..MOST_REQUESTS)
            .map(|_| taken(&places).unwrap())
            .collect();
        assert!(taken(&places).is_none());
        all.pop();
        assert!(taken(&places).is_some());
    }

    #[test]
    fn one_large_request_keeps_others_waiting() {
        let places = places();
        let mut large = taken(&places).unwrap();
        large.weighs(MOST_BYTES);
        assert!(taken(&places).is_none());
        large.weighs(10);
        assert!(taken(&places).is_some());
        large.weighs(MOST_BYTES);
        drop(large);
        assert!(taken(&places).is_some());
    }

    #[test]
    fn what_a_client_has_beyond_its_own_bytes_leaves_less_to_the_others() {
        let all = room(100, 100);
        let (one, other) = (Places::of(9, &all, 1), Places::of(9, &all, 1));
        let mut large = taken(&one).unwrap();
        large.claims(OWN_BYTES + 60).unwrap();
        let (mut first, mut second) = (taken(&other).unwrap(), taken(&other).unwrap());
        first.claims(OWN_BYTES).unwrap();
        assert!(second.claims(41).is_err());
        second.claims(40).unwrap();
        assert_eq!(all.kept(), 100);
        drop((first, large));
        assert_eq!(all.kept(), 0);
        // It was refused nothing that it had.
        second.claims(OWN_BYTES + 100).unwrap();
        drop(second);
        assert_eq!(all.kept(), 0);
    }
}
