//! A count with a part for each user.

use std::collections::HashMap;

/// How much there is of something, and how much of it each user has.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    all: usize,
    /// Users without any are not in it.
    by_owner: HashMap<u32, usize>,
}

impl Tally {
    /// Of all users.
    pub(crate) fn all(&self) -> usize {
        self.all
    }

    /// Of one user.
    pub(crate) fn of(&self, owner: u32) -> usize {
        self.by_owner.get(&owner).copied().unwrap_or(0)
    }

    /// A user has so much more.
    pub(crate) fn add(&mut self, owner: u32, more: usize) {
        if more > 0 {
            self.all += more;
            *self.by_owner.entry(owner).or_default() += more;
        }
    }

    /// A user has so much less: not more than was added for him.
    pub(crate) fn take(&mut self, owner: u32, less: usize) {
        self.all -= less;
        if let Some(own) = self.by_owner.get_mut(&owner) {
            *own -= less;
            if *own == 0 {
                self.by_owner.remove(&owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_without_any_leave_nothing_behind() {
        let mut tally = Tally::default();
        tally.add(1, 3);
        tally.add(2, 4);
        tally.add(3, 0);
        tally.take(1, 2);
        assert_eq!((tally.of(1), tally.of(2), tally.all()), (1, 4, 5));
        tally.take(1, 1);
        tally.take(2, 4);
        assert_eq!((tally.of(1), tally.all()), (0, 0));
        assert!(tally.by_owner.is_empty());
    }
}
