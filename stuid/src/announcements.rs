//! What happens to the daemon as a whole, for clients that subscribed.

use std::sync::Arc;

use stui_protocol::codec::client::encode_event;
use stui_protocol::{Event, EventName};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::identity::Peer;
use crate::image::Image;
use crate::session::{Access, Right};
use crate::store::Store;

/// Announcements that a slow subscriber may be behind; then it is told that it lags.
const CAPACITY: usize = 256;

/// An announcement.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// Its line.
    pub line: Arc<[u8]>,
    /// Whose session it is about; none when it is about the daemon or the image.
    right: Option<Right>,
}

impl Announcement {
    /// One about the daemon or the image.
    #[must_use]
    pub fn for_all(event: &Event) -> Self {
        Self {
            line: encode_event(event).into(),
            right: None,
        }
    }

    /// Whether it is for the peer: what happens to a session is for those who may see that.
    #[must_use]
    pub fn is_for(&self, peer: Peer) -> bool {
        let may_see = |right: &Right| right.of(peer) > Access::Nothing;
        self.right.as_ref().is_none_or(may_see)
    }
}

/// The way to everybody who subscribed.
#[derive(Clone, Debug)]
pub struct Announcements(broadcast::Sender<Announcement>);

impl Default for Announcements {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Announcements {
    /// Tells all subscribers.
    pub fn announce(&self, event: &Event) {
        // No receiver is no error: nobody has subscribed.
        let _ = self.0.send(Announcement::for_all(event));
    }

    /// Tells those subscribers who may see a session.
    pub fn announce_to(&self, right: Right, event: &Event) {
        let _ = self.0.send(Announcement {
            right: Some(right),
            ..Announcement::for_all(event)
        });
    }

    /// Everything announced from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Announcement> {
        self.0.subscribe()
    }
}

/// Announces each change of the store's state until told to stop.
pub async fn store_states(store: Store, announcements: Announcements, stop: CancellationToken) {
    let mut status = store.watch();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = status.changed() => if changed.is_err() { return },
        }
        let now = status.borrow_and_update().clone();
        announcements.announce(&Event::new(EventName::StoreState, &now));
    }
}

/// Announces each change of the image's state until told to stop.
pub async fn image_states(image: Image, announcements: Announcements, stop: CancellationToken) {
    let mut status = image.watch();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = status.changed() => if changed.is_err() { return },
        }
        let now = status.borrow_and_update().clone();
        announcements.announce(&Event::new(EventName::ImageState, &now));
    }
}
