//! Places for evaluations that wait, over all sessions: each owner and the daemon have only so
//! many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::{Limits, Reached};

/// All places. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    pub(crate) limits: Limits,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Owners without any are not in it.
    by_owner: HashMap<u32, usize>,
}

/// A place that is taken, until this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    owner: u32,
}

impl Seats {
    pub(crate) fn new(limits: Limits) -> Self {
        let taken = Arc::default();
        Self { limits, taken }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// The limit that leaves none.
    pub(crate) fn take(&self, owner: u32) -> Result<Seat, Reached> {
        let mut taken = self.taken();
        let own = taken.by_owner.get(&owner).copied().unwrap_or(0);
        if let Some(reached) = self.limits.of_queue(own, taken.all) {
            return Err(reached);
        }
        taken.all += 1;
        taken.by_owner.insert(owner, own + 1);
        drop(taken);
        let seats = self.clone();
        Ok(Seat { seats, owner })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all -= 1;
        if let Some(own) = taken.by_owner.get_mut(&self.owner) {
            *own -= 1;
            if *own == 0 {
                taken.by_owner.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_cannot_take_the_places_of_the_others() {
        let seats = Seats::new(Limits {
            queue_per_session: 9,
            queue_per_owner: 2,
            queue: 3,
            requests_per_owner: 9,
            requests: 9,
            sessions_per_owner: 1,
            clients_per_owner: 1,
        });
        let scope = |taken: Result<Seat, Reached>| taken.map_err(|reached| reached.scope);
        let own: Vec<_> = (0..2).map(|_| seats.take(1).unwrap()).collect();
        assert_eq!(scope(seats.take(1)).unwrap_err(), "owner");
        let other = seats.take(2).unwrap();
        assert_eq!(scope(seats.take(2)).unwrap_err(), "daemon");
        drop(own);
        let again = (seats.take(1).unwrap(), seats.take(2).unwrap());
        drop((other, again));
        assert!(seats.taken().by_owner.is_empty());
        assert_eq!(seats.taken().all, 0);
    }
}
