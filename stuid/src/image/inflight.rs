//! What has been sent to the image and not been answered: a pure table, without sockets or clocks.
//!
//! A request whose caller was told "too late" keeps its place until its reply or a disconnect
//! comes: the image serves one request after the other, so another one sent now would only wait
//! behind the first, and its own timeout would lie. When the image answers one that was sent later
//! it has passed this one over: then there is nothing to wait behind.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// A number that is never used twice in the life of a daemon; it travels in front of the body.
pub(crate) type Correlation = u64;

/// Requests under way.
#[derive(Debug)]
pub(crate) struct Inflight<T> {
    /// There are never more than so many, passed over or not.
    most: usize,
    next: Correlation,
    /// The newest that was answered.
    answered: Correlation,
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
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            next: 1,
            answered: 0,
            entries: BTreeMap::new(),
        }
    }

    /// Whether another one may be sent when so many may be under way at the same time.
    pub(crate) fn has_room(&self, window: usize) -> bool {
        self.places() < window && self.entries.len() < self.most
    }

    /// Places that are taken.
    pub(crate) fn places(&self) -> usize {
        self.entries.range(self.answered..).count()
    }

    /// Those who wait, with how many places before theirs are taken.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (u64, &T)> {
        let taken = self.entries.range(self.answered..);
        (0..)
            .zip(taken)
            .filter_map(|(before, (_, entry))| match entry {
                Entry::Waiting { caller, .. } => Some((before, caller)),
                Entry::Overdue => None,
            })
    }

    /// Whether the image has nothing to do, as far as it is not lost.
    pub(crate) fn is_idle(&self) -> bool {
        self.places() == 0
    }

    /// Whether the image has passed one over whose caller was told a timeout.
    pub(crate) fn has_lost_one(&self) -> bool {
        let is_overdue = |entry: &Entry<T>| matches!(entry, Entry::Overdue);
        self.entries
            .range(..self.answered)
            .any(|(_, entry)| is_overdue(entry))
    }

    /// Whether places are taken and nobody waits for them any more.
    pub(crate) fn is_stuck(&self) -> bool {
        !self.entries.is_empty() && !self.is_awaited()
    }

    /// Whether anybody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited() > 0
    }

    /// How many wait.
    pub(crate) fn awaited(&self) -> usize {
        let waits = |entry: &&Entry<T>| matches!(entry, Entry::Waiting { .. });
        self.entries.values().filter(waits).count()
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
        let entry = self.entries.remove(&correlation);
        if entry.is_some() {
            self.answered = self.answered.max(correlation);
        }
        match entry {
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
        (Inflight::new(9), Instant::now())
    }

    #[test]
    fn a_reply_goes_to_the_one_who_asked_and_to_nobody_twice() {
        let (mut table, now) = table();
        let id = table.insert("a", now);
        assert!(!table.has_room(1));
        assert_eq!(table.settle(id), Settled::Waiting("a"));
        assert_eq!(table.settle(id), Settled::Again);
        assert_eq!(table.settle(id + 1), Settled::Unknown);
        assert!(table.has_room(1));
    }

    #[test]
    fn a_place_stays_taken_after_a_timeout_until_the_late_reply() {
        let (mut table, now) = table();
        let id = table.insert("a", now + Duration::from_secs(1));
        assert_eq!(table.expire(now), Vec::<&str>::new());
        assert_eq!(table.expire(now + Duration::from_secs(1)), ["a"]);
        assert!(!table.has_room(1) && table.is_stuck());
        assert_eq!(table.next_deadline(), None);
        assert_eq!(
            table.expire(now + Duration::from_secs(9)),
            Vec::<&str>::new()
        );
        assert_eq!(table.settle(id), Settled::Late);
        assert!(table.has_room(1));
    }

    #[test]
    fn one_that_is_passed_over_holds_nobody_up_and_is_known_to_be_lost_when_its_time_is_over() {
        let (mut table, now) = table();
        let lost = table.insert("lost", now + Duration::from_secs(1));
        let next = table.insert("next", now + Duration::from_secs(9));
        assert!(!table.has_room(2));
        assert_eq!(table.settle(next), Settled::Waiting("next"));
        assert!(table.has_room(1) && table.is_idle());
        assert!(table.is_awaited() && !table.has_lost_one());
        assert_eq!(table.expire(now + Duration::from_secs(1)), ["lost"]);
        assert!(table.has_lost_one());
        assert_eq!(table.settle(lost), Settled::Late);
        assert!(!table.has_lost_one());
    }

    #[test]
    fn an_image_that_loses_everything_does_not_fill_the_table() {
        let mut table = Inflight::new(3);
        let now = Instant::now();
        for _ in 0..2 {
            table.insert("lost", now);
            let answered = table.insert("answered", now);
            table.settle(answered);
        }
        assert!(table.has_room(1));
        table.insert("the last", now);
        assert!(!table.has_room(9));
    }

    #[test]
    fn a_disconnect_frees_every_place_and_tells_only_those_who_wait() {
        let mut table = Inflight::new(9);
        let now = Instant::now();
        table.insert("late", now);
        table.insert("waiting", now + Duration::from_secs(9));
        assert_eq!(table.expire(now), ["late"]);
        assert_eq!(table.disconnect(), ["waiting"]);
        assert!(table.has_room(1));
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
