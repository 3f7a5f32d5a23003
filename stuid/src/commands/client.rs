//! A client that is connected: who it is, where it is attached, whether it keeps up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::image::Requester;
use stui_protocol::time::{self, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::identity::Peer;
use crate::notes::Notes;
use crate::session::Session;

/// Who asks.
#[derive(Debug)]
pub struct Client {
    /// The daemon's number for the connection.
    pub number: u64,
    /// The process at the other end.
    pub peer: Peer,
    /// Since when it is connected.
    pub connected_at: Timestamp,
    /// For what is no reply.
    pub notes: Notes,
    lagging: AtomicBool,
    /// The next daemon may take its connection up.
    pub(super) handover: AtomicBool,
    /// Why it is to be disconnected, once it is.
    kicked: watch::Sender<Option<String>>,
    /// Its connection is closed.
    pub(crate) gone: CancellationToken,
    attached: Mutex<Option<Arc<Session>>>,
}

impl Client {
    /// A client that is attached to nothing.
    #[must_use]
    pub fn new(number: u64, peer: Peer, notes: Notes) -> Self {
        Self {
            number,
            peer,
            connected_at: time::now(),
            notes,
            lagging: AtomicBool::new(false),
            handover: AtomicBool::new(false),
            kicked: watch::Sender::new(None),
            gone: CancellationToken::new(),
            attached: Mutex::new(None),
        }
    }

    /// As the one who asks for an evaluation.
    #[must_use]
    pub fn requester(&self) -> Requester {
        Requester {
            client: self.number,
            pid: self.peer.pid,
            uid: self.peer.uid,
        }
    }

    /// Leaves the session that it is attached to, and answers which that was.
    pub fn leave(&self) -> Option<Arc<Session>> {
        self.change_to(None)
    }

    /// Whether the next daemon may take its connection up: it understands that and was not sent away.
    pub(crate) fn may_be_handed_over(&self) -> bool {
        self.handover.load(Ordering::Relaxed) && self.kicked.borrow().is_none()
    }

    /// Disconnects it, with a last line that says why.
    pub(crate) fn kick(&self, reason: String) {
        self.kicked.send_replace(Some(reason));
    }

    /// Why it is to be disconnected; none while it is not.
    pub(crate) fn kicked(&self) -> watch::Receiver<Option<String>> {
        self.kicked.subscribe()
    }

    /// Says whether it has fallen behind with reading; those who look at its session see it.
    pub(crate) fn set_lagging(&self, lagging: bool) {
        self.lagging.store(lagging, Ordering::Relaxed);
        let attached = self.attached().clone();
        if let Some(session) = attached {
            session.set_lagging(self.number, lagging);
        }
    }

    /// It is attached to that session no more, and has been told.
    pub(crate) fn forget(&self, session: &Session) {
        self.attached().take_if(|there| there.key == session.key);
    }

    pub(super) fn join(&self, session: &Arc<Session>) {
        self.change_to(Some(Arc::clone(session)));
        session.set_lagging(self.number, self.lagging.load(Ordering::Relaxed));
    }

    pub(crate) fn attached(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_to(&self, next: Option<Arc<Session>>) -> Option<Arc<Session>> {
        let mut attached = self.attached();
        let stays = next.as_ref().map(|session| session.key);
        let before = std::mem::replace(&mut *attached, next);
        drop(attached);
        if let Some(before) = &before
            && stays != Some(before.key)
        {
            before.detach(self.number);
        }
        before
    }
}
