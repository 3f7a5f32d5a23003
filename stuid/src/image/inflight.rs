//! What has been sent to the image and not been answered: a pure table, without sockets or clocks.
//!
//! A request whose caller was told "too late" keeps its place until its reply or a disconnect
//! comes: the image serves one request after the other, so a second one sent now would only wait
//! behind the first, and its own timeout would lie.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// A number that is never used twice in the life of a daemon; it travels in front of the body.
pub(crate) type Correlation = u64;

/// Requests under way, at most as many as the window is wide.
#[derive(Debug)]
pub(crate) struct Inflight<T> {
    window: usize,
    next: Correlation,
    entries: BTreeMap<Correlation, Entry<T>>,
}

#[derive(Debug)]
enum Entry<T> {
    /// Somebody waits.
    Waiting { caller: T, deadline: Instant },
    /// Nobody waits any more; the place is still taken.
    Overdue,
}

/// Whose reply it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled<T> {
    /// Of somebody who waits.
    Waiting(T),
    /// Of somebody who was told a timeout.
    Late,
    /// Of somebody who has been answered: the peer answers twice, or gives a wrong number.
    Again,
    /// Of nobody: the peer makes up numbers.
    Unknown,
}

impl<T> Inflight<T> {
    pub(crate) fn new(window: usize) -> Self {
        Self {
            window,
            next: 1,
            entries: BTreeMap::new(),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.entries.len() < self.window
    }

    /// Whether places are taken and nobody waits for them any more.
    pub(crate) fn is_stuck(&self) -> bool {
        !self.entries.is_empty() && !self.is_awaited()
    }

    /// Whether anybody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        let waits = |entry: &Entry<T>| matches!(entry, Entry::Waiting { .. });
        self.entries.values().any(waits)
    }

    /// The number that the next [`Self::insert`] answers.
    pub(crate) fn next_correlation(&self) -> Correlation {
        self.next
    }

    /// A number for a request that takes no place.
    pub(crate) fn spend_correlation(&mut self) -> Correlation {
        let spent = self.next;
        self.next += 1;
        spent
    }

    /// Notes a request that has been sent.
    pub(crate) fn insert(&mut self, caller: T, deadline: Instant) -> Correlation {
        let correlation = self.spend_correlation();
        self.entries
            .insert(correlation, Entry::Waiting { caller, deadline });
        correlation
    }

    /// Takes out what the reply of that number belongs to.
    pub(crate) fn settle(&mut self, correlation: Correlation) -> Settled<T> {
        match self.entries.remove(&correlation) {
            Some(Entry::Waiting { caller, .. }) => Settled::Waiting(caller),
            Some(Entry::Overdue) => Settled::Late,
            None if correlation < self.next => Settled::Again,
            None => Settled::Unknown,
        }
    }

    /// Takes out those whose deadline has passed. Their places stay taken.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<T> {
        let mut expired = Vec::new();
        for entry in self.entries.values_mut() {
            if matches!(entry, Entry::Waiting { deadline, .. } if *deadline <= now)
                && let Entry::Waiting { caller, .. } = std::mem::replace(entry, Entry::Overdue)
            {
                expired.push(caller);
            }
        }
        expired
    }

    /// Takes out everybody; all places are free again.
    pub(crate) fn disconnect(&mut self) -> Vec<T> {
        std::mem::take(&mut self.entries)
            .into_values()
            .filter_map(|entry| match entry {
                Entry::Waiting { caller, .. } => Some(caller),
                Entry::Overdue => None,
            })
            .collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.entries
            .values()
            .filter_map(|entry| match entry {
                Entry::Waiting { deadline, .. } => Some(*deadline),
                Entry::Overdue => None,
            })
            .min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn table() -> (Inflight<&'static str>, Instant) {
        (Inflight::new(1), Instant::now())
    }

    #[test]
    fn a_reply_goes_to_the_one_who_asked_and_to_nobody_twice() {
        let (mut table, now) = table();
        let id = table.insert("a", now);
        assert!(!table.has_room());
        assert_eq!(table.settle(id), Settled::Waiting("a"));
        assert_eq!(table.settle(id), Settled::Again);
        assert_eq!(table.settle(id + 1), Settled::Unknown);
        assert!(table.has_room());
    }

    #[test]
    fn a_place_stays_taken_after_a_timeout_until_the_late_reply() {
        let (mut table, now) = table();
        let id = table.insert("a", now + Duration::from_secs(1));
        assert_eq!(table.expire(now), Vec::<&str>::new());
        assert_eq!(table.expire(now + Duration::from_secs(1)), ["a"]);
        assert!(!table.has_room() && table.is_stuck());
        assert_eq!(table.next_deadline(), None);
        assert_eq!(
            table.expire(now + Duration::from_secs(9)),
            Vec::<&str>::new()
        );
        assert_eq!(table.settle(id), Settled::Late);
        assert!(table.has_room());
    }

    #[test]
    fn a_disconnect_frees_every_place_and_tells_only_those_who_wait() {
        let mut table = Inflight::new(2);
        let now = Instant::now();
        table.insert("late", now);
        table.insert("waiting", now + Duration::from_secs(9));
        assert_eq!(table.expire(now), ["late"]);
        assert_eq!(table.disconnect(), ["waiting"]);
        assert!(table.has_room());
    }

    #[test]
    fn numbers_are_never_used_again() {
        let (mut table, now) = table();
        let first = table.insert("a", now);
        table.disconnect();
        assert_eq!(table.next_correlation(), first + 1);
        assert_eq!(table.insert("b", now), first + 1);
        assert_eq!(table.settle(first), Settled::Again);
    }
}
