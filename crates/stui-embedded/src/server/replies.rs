//! What makes a request idempotent: the replies that were given, and the requests under way.
//!
//! A repeat of a finished request is answered with the kept bytes, a repeat of one under way
//! joins it. Nothing here knows what a reply says.

use std::collections::{HashMap, VecDeque};

use stui_protocol::limits::{KEPT_REPLIES, KEPT_REPLY_BYTES};

/// Where a reply has to go: names one received message on the link.
pub(super) type Ticket = u64;

/// What to do with a request that has just come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival<'a> {
    /// Never seen (or forgotten): do it.
    New,
    /// It is being done: the ticket is answered with the others.
    Joined,
    /// It was done: answer this.
    Kept(&'a [u8]),
}

/// Requests that may wait for something at a time. The link takes somewhat more, so that there is
/// always room for those that are answered at once.
const MAX_WAITING: usize = 800;

/// Replies by request id.
#[derive(Debug, Default)]
pub(super) struct Replies {
    under_way: HashMap<String, Vec<Ticket>>,
    /// Tickets in `under_way`.
    waiting: usize,
    kept: HashMap<String, Vec<u8>>,
    /// Ids of `kept`, oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

impl Replies {
    /// Notes a request. After `New`, `settle` must follow some time.
    pub(super) fn arrive(&mut self, id: &str, ticket: Ticket) -> Arrival<'_> {
        if let Some(tickets) = self.under_way.get_mut(id) {
            tickets.push(ticket);
            self.waiting += 1;
            return Arrival::Joined;
        }
        if let Some(bytes) = self.kept.get(id) {
            return Arrival::Kept(bytes);
        }
        self.under_way.insert(id.to_owned(), vec![ticket]);
        self.waiting += 1;
        Arrival::New
    }

    /// Whether so many requests wait that no more should be made to.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting > MAX_WAITING
    }

    /// Keeps the reply of a request and answers who waits for it; nobody when it was settled
    /// before (the first reply counts).
    pub(super) fn settle(&mut self, id: &str, reply: &[u8]) -> Vec<Ticket> {
        let Some(tickets) = self.under_way.remove(id) else {
            return Vec::new();
        };
        self.waiting -= tickets.len();
        self.bytes += id.len() + reply.len();
        self.kept.insert(id.to_owned(), reply.to_vec());
        self.order.push_back(id.to_owned());
        while self.order.len() > KEPT_REPLIES || self.bytes > KEPT_REPLY_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(bytes) = self.kept.remove(&oldest) {
                self.bytes -= oldest.len() + bytes.len();
            }
        }
        tickets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_gets_the_kept_reply_and_a_repeat_under_way_joins() {
        let mut replies = Replies::default();
        assert_eq!(replies.arrive("a", 1), Arrival::New);
        assert_eq!(replies.arrive("a", 2), Arrival::Joined);
        assert_eq!(replies.waiting, 2);
        assert_eq!(replies.settle("a", b"done"), [1, 2]);
        assert_eq!(replies.arrive("a", 3), Arrival::Kept(b"done"));
        assert_eq!(replies.waiting, 0);
    }

    #[test]
    fn repeats_that_join_make_a_crowd_too() {
        let mut replies = Replies::default();
        for ticket in 0..=MAX_WAITING as u64 {
            assert!(!replies.is_crowded());
            replies.arrive("a", ticket);
        }
        assert!(replies.is_crowded());
    }

    #[test]
    fn the_first_reply_counts() {
        let mut replies = Replies::default();
        replies.arrive("a", 1);
        replies.settle("a", b"first");
        assert!(replies.settle("a", b"second").is_empty());
        assert_eq!(replies.arrive("a", 2), Arrival::Kept(b"first"));
    }

    #[test]
    fn the_newest_replies_are_kept_by_count() {
        let mut replies = Replies::default();
        for n in 0..=KEPT_REPLIES {
            replies.arrive(&n.to_string(), 1);
            replies.settle(&n.to_string(), b"x");
        }
        assert_eq!(replies.arrive("0", 1), Arrival::New);
        assert_eq!(replies.arrive("1", 1), Arrival::Kept(b"x"));
    }

    #[test]
    fn the_newest_replies_are_kept_by_bytes() {
        let mut replies = Replies::default();
        let large = vec![0; KEPT_REPLY_BYTES / 3];
        for id in ["a", "b", "c"] {
            replies.arrive(id, 1);
            replies.settle(id, &large);
        }
        assert_eq!(replies.arrive("a", 1), Arrival::New);
        assert!(matches!(replies.arrive("c", 1), Arrival::Kept(_)));
        assert!(replies.bytes <= KEPT_REPLY_BYTES);
    }
}
