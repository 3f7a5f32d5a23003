//! Tells callers who wait for the link how many requests go before theirs.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::message::Message;
use super::queue::Queue;

/// Whoever waits longer is told, and again when it changes. They are looked at as often.
pub(super) const UNTOLD: Duration = Duration::from_secs(1);

/// Tells one caller how many requests go before his. It must not block.
#[derive(Clone)]
pub(crate) struct Teller(Arc<dyn Fn(u64) + Send + Sync>);

impl Teller {
    pub(crate) fn new(tell: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

/// What is known of a request's place while it waits.
#[derive(Debug)]
pub(crate) struct Place {
    /// None when nobody wants to know.
    teller: Option<Teller>,
    since: Instant,
    told: Cell<Option<u64>>,
}

impl Place {
    /// That of a request that begins to wait.
    pub(super) fn new(teller: Option<Teller>) -> Self {
        Self {
            teller,
            since: Instant::now(),
            told: Cell::new(None),
        }
    }

    fn is_of_interest(&self, now: Instant) -> bool {
        self.teller.is_some() && self.since + UNTOLD <= now
    }

    /// Tells that so many go before, when he has waited for long and it is news.
    pub(super) fn tell(&self, before: u64, now: Instant) {
        let Some(Teller(tell)) = self.teller.as_ref().filter(|_| self.is_of_interest(now)) else {
            return;
        };
        if self.told.replace(Some(before)) != Some(before) {
            tell(before);
        }
    }
}

impl Queue<Message> {
    /// Tells those who have waited for long; `ahead` requests are at the image.
    pub(super) fn tell_places(&self, now: Instant, ahead: u64) {
        if self.iter().any(|message| message.place.is_of_interest(now)) {
            for (before, message) in (ahead..).zip(self.in_turn()) {
                message.place.tell(before, now);
            }
        }
    }
}
