//! Lines for one client that stand in no log: its place in a queue, events of the daemon.

use stui_protocol::Event;
use stui_protocol::codec::client::encode_event;
use tokio::sync::mpsc;

/// Notes that may wait for a client. One that does not read loses further ones: each is only the
/// newest news of something that it can ask for.
pub const CAPACITY: usize = 16;

/// The way to one client.
#[derive(Clone, Debug)]
pub struct Notes(mpsc::Sender<Vec<u8>>);

impl Notes {
    /// A way to a client, and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Vec<u8>>) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        (Self(sender), receiver)
    }

    /// Tells the client, unless too much waits for it already.
    pub fn note(&self, event: &Event) {
        if self.0.try_send(encode_event(event)).is_err() {
            tracing::debug!(event = ?event.event, "a note was dropped, its client does not read");
        }
    }
}
