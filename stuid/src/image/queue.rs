//! What waits for the link: control before reading before evaluations, and within one priority
//! every session in turn, so that one busy session does not keep the others waiting.

use std::collections::{BTreeMap, VecDeque};

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
}

/// A bounded queue with priorities and lanes. A lane is a session's id, or empty.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    capacity: usize,
    len: usize,
    levels: [Level<T>; 3],
}

#[derive(Debug)]
struct Level<T> {
    lanes: BTreeMap<String, VecDeque<T>>,
    /// Lanes that are not empty, in the order of their turns.
    turns: VecDeque<String>,
}

impl<T> Default for Level<T> {
    fn default() -> Self {
        Self {
            lanes: BTreeMap::new(),
            turns: VecDeque::new(),
        }
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            len: 0,
            levels: Default::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds something at the end of its lane.
    ///
    /// # Errors
    /// Gives it back when the queue has its full length.
    pub(crate) fn push(&mut self, priority: Priority, lane: &str, item: T) -> Result<(), T> {
        if self.len >= self.capacity {
            return Err(item);
        }
        self.len += 1;
        let level = &mut self.levels[priority as usize];
        if let Some(items) = level.lanes.get_mut(lane) {
            items.push_back(item);
        } else {
            level.lanes.insert(lane.to_owned(), [item].into());
            level.turns.push_back(lane.to_owned());
        }
        Ok(())
    }

    /// Takes out whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let level = self
            .levels
            .iter_mut()
            .find(|level| !level.turns.is_empty())?;
        let lane = level.turns.pop_front()?;
        let items = level.lanes.get_mut(&lane)?;
        let item = items.pop_front();
        if items.is_empty() {
            level.lanes.remove(&lane);
        } else {
            level.turns.push_back(lane);
        }
        self.len -= usize::from(item.is_some());
        item
    }

    /// Takes out all for which `is_it` holds.
    pub(crate) fn take(&mut self, mut is_it: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for level in &mut self.levels {
            for items in level.lanes.values_mut() {
                for item in std::mem::take(items) {
                    if is_it(&item) {
                        taken.push(item);
                    } else {
                        items.push_back(item);
                    }
                }
            }
            level.lanes.retain(|_, items| !items.is_empty());
            level.turns.retain(|lane| level.lanes.contains_key(lane));
        }
        self.len -= taken.len();
        taken
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.levels
            .iter()
            .flat_map(|level| level.lanes.values().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn control_goes_before_reading_before_evaluations() {
        let mut queue = Queue::new(9);
        for (command, item) in [
            ("evaluate", "evaluate"),
            ("inspect", "inspect"),
            ("interrupt", "interrupt"),
            ("run_tests", "run_tests"),
        ] {
            queue.push(Priority::of(command), "s", item).unwrap();
        }
        assert_eq!(
            drain(&mut queue),
            ["interrupt", "inspect", "evaluate", "run_tests"]
        );
    }

    #[test]
    fn sessions_take_turns() {
        let mut queue = Queue::new(9);
        for (lane, item) in [
            ("a", "a1"),
            ("a", "a2"),
            ("a", "a3"),
            ("b", "b1"),
            ("c", "c1"),
        ] {
            queue.push(Priority::Reading, lane, item).unwrap();
        }
        assert_eq!(drain(&mut queue), ["a1", "b1", "c1", "a2", "a3"]);
    }

    #[test]
    fn a_full_queue_gives_back_what_it_cannot_take() {
        let mut queue = Queue::new(1);
        queue.push(Priority::Reading, "", "a").unwrap();
        assert_eq!(queue.push(Priority::Control, "", "b"), Err("b"));
        assert_eq!(queue.pop(), Some("a"));
        assert_eq!(queue.push(Priority::Control, "", "b"), Ok(()));
    }

    #[test]
    fn what_is_taken_out_leaves_the_order_of_the_rest() {
        let mut queue = Queue::new(9);
        for (lane, item) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1")] {
            queue.push(Priority::Reading, lane, item).unwrap();
        }
        assert_eq!(
            queue.take(|item| item.ends_with("b1") || *item == "a1"),
            ["a1", "b1"]
        );
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.iter().count(), 2);
        assert_eq!(drain(&mut queue), ["a2", "c1"]);
        assert_eq!(queue.len(), 0);
    }
}
