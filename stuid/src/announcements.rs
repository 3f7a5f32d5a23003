//! What happens to the daemon as a whole, for clients that subscribed.

use std::sync::Arc;

use stui_protocol::codec::client::encode_event;
use stui_protocol::{Event, EventName};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::image::Image;
use crate::store::Store;

/// Announcements that a slow subscriber may be behind; then it is told that it lags.
const CAPACITY: usize = 256;

/// An announcement as its line.
pub type Line = Arc<[u8]>;

/// The way to everybody who subscribed.
#[derive(Clone, Debug)]
pub struct Announcements(broadcast::Sender<Line>);

impl Default for Announcements {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Announcements {
    /// Tells all subscribers.
    pub fn announce(&self, event: &Event) {
        // No receiver is no error: nobody has subscribed.
        let _ = self.0.send(encode_event(event).into());
    }

    /// Everything announced from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Line> {
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
