//! Tells a client that its request waits, and why.

use stui_protocol::daemon::{Paused, QueuePositionData};
use stui_protocol::{Event, EventName};

use crate::gate;
use crate::image::Teller;
use crate::notes::Notes;

/// The request that waits and the way to its client.
pub(super) struct Notice {
    request_id: String,
    notes: Notes,
}

impl Notice {
    pub(super) fn new(request_id: &str, notes: &Notes) -> Self {
        Self {
            request_id: request_id.to_owned(),
            notes: notes.clone(),
        }
    }

    /// Says how many requests go before it.
    pub(super) fn teller(self) -> Teller {
        Teller::new(move |before| {
            let data = QueuePositionData {
                position: before,
                reason: None,
                request_id: Some(self.request_id.clone()),
            };
            self.notes
                .note(&Event::new(EventName::QueuePosition, &data));
        })
    }

    /// Says who holds new work back.
    pub(super) fn tell(&self, paused: &Paused) {
        let data = QueuePositionData {
            position: paused.waiting.saturating_sub(1),
            reason: Some(gate::describe(paused)),
            request_id: Some(self.request_id.clone()),
        };
        self.notes
            .note(&Event::new(EventName::QueuePosition, &data));
    }
}
