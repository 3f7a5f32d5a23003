//! What waits for the link: control before reading before evaluations. Within one priority owners
//! take turns, and the sessions of an owner take his, so that one busy session does not keep the
//! others waiting, nor a busy user other users.

use std::collections::{BTreeMap, VecDeque};

use crate::limits::{Current, Reached};

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// `ping`, `interrupt`, `close_session`: what an operator needs when something is stuck.
    Control = 0,
    /// Everything that the image answers at once.
    Reading = 1,
    /// `evaluate` and `run_tests`.
    Evaluation = 2,
}

impl Priority {
    pub(crate) fn of(command: &str) -> Self {
        match command {
            "ping" | "interrupt" | "close_session" => Self::Control,
            "evaluate" | "run_tests" => Self::Evaluation,
            _ => Self::Reading,
        }
    }

    /// As metrics have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Reading => "reading",
            Self::Evaluation => "evaluation",
        }
    }
}

/// Whose turn a request takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lane {
    /// A user; none is the daemon itself.
    pub(crate) owner: Option<u32>,
    /// A session's id, or empty.
    pub(crate) session: String,
}

/// A bounded queue with priorities and lanes.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    limits: Current,
    len: usize,
    /// Of each owner who has any.
    lens: BTreeMap<Option<u32>, usize>,
    levels: [Level<T>; 3],
}

/// One priority: owners, their sessions, what these wait for.
type Level<T> = Turns<Option<u32>, Turns<String, VecDeque<T>>>;

/// Something that gives one item after the other.
trait Line<T>: Default {
    fn give(&mut self) -> Option<T>;
    fn is_over(&self) -> bool;
}

impl<T> Line<T> for VecDeque<T> {
    fn give(&mut self) -> Option<T> {
        self.pop_front()
    }

    fn is_over(&self) -> bool {
        self.is_empty()
    }
}

/// Lines that take turns. None of them is over.
#[derive(Debug)]
struct Turns<K, L> {
    lines: BTreeMap<K, L>,
    order: VecDeque<K>,
}

impl<K, L> Default for Turns<K, L> {
    fn default() -> Self {
        Self {
            lines: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Ord + Clone, L: Default> Turns<K, L> {
    /// The line of that key; a new one takes its turn last.
    fn line(&mut self, key: &K) -> &mut L {
        if !self.lines.contains_key(key) {
            self.order.push_back(key.clone());
        }
        self.lines.entry(key.clone()).or_default()
    }

    /// The same turns, of other lines.
    fn seen<'a, M>(&'a self, see: impl Fn(&'a L) -> M) -> Turns<K, M> {
        let lines = self.lines.iter();
        Turns {
            lines: lines.map(|(key, line)| (key.clone(), see(line))).collect(),
            order: self.order.clone(),
        }
    }

    /// Changes all lines and forgets those for which that answers true.
    fn change(&mut self, mut over_after: impl FnMut(&mut L) -> bool) {
        self.lines.retain(|_, line| !over_after(line));
        self.order.retain(|key| self.lines.contains_key(key));
    }
}

impl<T, K: Ord + Clone, L: Line<T>> Line<T> for Turns<K, L> {
    fn give(&mut self) -> Option<T> {
        let key = self.order.pop_front()?;
        let line = self.lines.get_mut(&key)?;
        let item = line.give();
        if line.is_over() {
            self.lines.remove(&key);
        } else {
            self.order.push_back(key);
        }
        item
    }

    fn is_over(&self) -> bool {
        self.order.is_empty()
    }
}

impl<T: InLane> Queue<T> {
    pub(crate) fn new(limits: Current) -> Self {
        Self {
            limits,
            len: 0,
            lens: BTreeMap::new(),
            levels: Default::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds something at the end of its lane.
    ///
    /// # Errors
    /// Gives it back with the limit that leaves no room for it.
    pub(crate) fn push(&mut self, priority: Priority, item: T) -> Result<(), (T, Reached)> {
        let lane = item.lane();
        let own = self.lens.get(&lane.owner).copied().unwrap_or(0);
        if let Some(reached) = self.limits.get().of_requests(own, self.len) {
            return Err((item, reached));
        }
        self.len += 1;
        self.lens.insert(lane.owner, own + 1);
        let owner = self.levels[priority as usize].line(&lane.owner);
        let session = owner.line(&lane.session);
        session.push_back(item);
        Ok(())
    }

    /// Takes out whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.levels.iter_mut().find_map(Line::give)?;
        self.gone(&item);
        Some(item)
    }

    /// Takes out all for which `is_it` holds.
    pub(crate) fn take(&mut self, mut is_it: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for level in &mut self.levels {
            level.change(|owner| {
                owner.change(|items| {
                    for item in std::mem::take(items) {
                        if is_it(&item) {
                            taken.push(item);
                        } else {
                            items.push_back(item);
                        }
                    }
                    items.is_empty()
                });
                owner.order.is_empty()
            });
        }
        for item in &taken {
            self.gone(item);
        }
        taken
    }

    /// All that waits, in the order of its turns.
    pub(crate) fn in_turn(&self) -> Vec<&T> {
        let mut found = Vec::with_capacity(self.len);
        for level in &self.levels {
            let mut level: Level<&T> =
                level.seen(|owner| owner.seen(|items| items.iter().collect()));
            found.extend(std::iter::from_fn(|| level.give()));
        }
        found
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let owners = self.levels.iter().flat_map(|level| level.lines.values());
        owners.flat_map(|owner| owner.lines.values().flatten())
    }

    fn gone(&mut self, item: &T) {
        self.len -= 1;
        let owner = item.lane().owner;
        if let Some(own) = self.lens.get_mut(&owner) {
            *own -= 1;
            if *own == 0 {
                self.lens.remove(&owner);
            }
        }
    }
}

/// What can wait in a [`Queue`].
pub(crate) trait InLane {
    fn lane(&self) -> &Lane;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[derive(Debug, PartialEq)]
    struct Item(&'static str, Lane);

    impl InLane for Item {
        fn lane(&self) -> &Lane {
            &self.1
        }
    }

    /// `1a2` is the second of session a of user 1.
    fn item(name: &'static str) -> Item {
        let owner = name[..1].parse().ok();
        let session = name[1..2].to_owned();
        Item(name, Lane { owner, session })
    }

    fn queue(names: &[&'static str], limits: Limits) -> Queue<Item> {
        let mut queue = Queue::new(Current::new(limits));
        for name in names {
            queue.push(Priority::Reading, item(name)).unwrap();
        }
        queue
    }

    fn drain(queue: &mut Queue<Item>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop().map(|item| item.0)).collect()
    }

    #[test]
    fn control_goes_before_reading_before_evaluations() {
        let mut queue = queue(&[], Limits::ROOMY);
        for (command, name) in [
            ("evaluate", "1a1"),
            ("inspect", "1a2"),
            ("interrupt", "1a3"),
            ("run_tests", "1a4"),
        ] {
            queue.push(Priority::of(command), item(name)).unwrap();
        }
        assert_eq!(drain(&mut queue), ["1a3", "1a2", "1a1", "1a4"]);
    }

    #[test]
    fn sessions_take_turns() {
        let mut queue = queue(&["1a1", "1a2", "1a3", "1b1", "1c1"], Limits::ROOMY);
        assert_eq!(drain(&mut queue), ["1a1", "1b1", "1c1", "1a2", "1a3"]);
    }

    #[test]
    fn owners_take_turns_however_many_sessions_they_have() {
        let mut queue = queue(&["1a1", "1b1", "1c1", "1d1", "2a1", "2a2"], Limits::ROOMY);
        let order = ["1a1", "2a1", "1b1", "2a2", "1c1", "1d1"];
        assert_eq!(drain(&mut queue), order);
    }

    #[test]
    fn the_order_is_known_before() {
        let mut queue = queue(&["1a1", "1b1", "1a2", "2a1", "2a2"], Limits::ROOMY);
        queue.push(Priority::Control, item("3a1")).unwrap();
        let known: Vec<_> = queue.in_turn().iter().map(|item| item.0).collect();
        assert_eq!(known, drain(&mut queue));
    }

    #[test]
    fn a_full_queue_gives_back_what_it_cannot_take_and_says_why() {
        let limits = Limits {
            requests_per_owner: 1,
            requests: 2,
            ..Limits::ROOMY
        };
        let mut queue = queue(&["1a1"], limits);
        let (_, reached) = queue.push(Priority::Control, item("1b1")).unwrap_err();
        assert_eq!((reached.scope, reached.limit), ("owner", 1));
        queue.push(Priority::Reading, item("2a1")).unwrap();
        let (back, reached) = queue.push(Priority::Control, item("3a1")).unwrap_err();
        assert_eq!((back.0, reached.scope, reached.limit), ("3a1", "daemon", 2));
        assert_eq!(reached.key, "limits.requests");
        assert_eq!(drain(&mut queue), ["1a1", "2a1"]);
        queue.push(Priority::Control, item("1b1")).unwrap();
    }

    #[test]
    fn what_is_taken_out_leaves_the_order_of_the_rest() {
        let mut queue = queue(&["1a1", "1b1", "1a2", "1c1", "2a1"], Limits::ROOMY);
        let taken = queue.take(|item| ["1a1", "1b1", "2a1"].contains(&item.0));
        assert_eq!(taken.len(), 3);
        assert_eq!((queue.len(), queue.iter().count()), (2, 2));
        assert_eq!(drain(&mut queue), ["1a2", "1c1"]);
        assert_eq!((queue.len(), queue.lens.len()), (0, 0));
    }
}
