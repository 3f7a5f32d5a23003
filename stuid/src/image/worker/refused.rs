//! Somebody is at the other end and the two do not come together: what is told, and asking again.

use std::time::Duration;

use tokio::time::Instant;

use super::super::link::{Link, Refusal};
use super::{LinkState, Worker};

/// Before the other end is asked again. libzmq does not do so itself after some refusals.
const AGAIN: Duration = Duration::from_secs(1);

impl Worker {
    pub(super) fn on_refused(&mut self, why: Refusal) {
        self.again_at.get_or_insert(Instant::now() + AGAIN);
        if self.state() == LinkState::Refused(why) {
            return;
        }
        tracing::warn!(
            why = why.explain(&self.address.endpoint),
            "no link to the image"
        );
        self.state.send_replace(LinkState::Refused(why));
        self.settle_all(&self.down());
    }

    /// Asks again who has refused the daemon.
    pub(super) fn ask_again(&mut self) {
        if self.again_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.again_at = None;
        match Link::open(&self.context, &self.address) {
            Ok(link) => self.link = link,
            Err(error) => {
                tracing::error!(%error, "opening a new socket to the image");
                self.again_at = Some(Instant::now() + AGAIN);
            }
        }
    }
}
