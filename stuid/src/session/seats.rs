//! Places for evaluations that wait, over all sessions: each owner and the daemon have only so
//! many, and there is only so much room for their code.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::Failure;

use crate::limits::{Current, RequestBytes, Share};

/// All places. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    pub(crate) limits: Current,
    bytes: RequestBytes,
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
    _code: Share,
}

impl Seats {
    pub(crate) fn new(limits: Current, bytes: RequestBytes) -> Self {
        Self {
            limits,
            bytes,
            taken: Arc::default(),
        }
    }

    /// Takes a place for an evaluation whose code has so many bytes.
    ///
    /// # Errors
    /// The limit that leaves none.
    pub(crate) fn take(&self, owner: u32, code_bytes: usize) -> Result<Seat, Failure> {
        let mut code = self.bytes.share();
        code.claims(code_bytes)?;
        let mut taken = self.taken();
        let own = taken.by_owner.get(&owner).copied().unwrap_or(0);
        if let Some(reached) = self.limits.get().of_queue(own, taken.all) {
            return Err(reached.into());
        }
        taken.all += 1;
        taken.by_owner.insert(owner, own + 1);
        drop(taken);
        Ok(Seat {
            seats: self.clone(),
            owner,
            _code: code,
        })
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
    use crate::limits::Limits;

    #[test]
    fn one_owner_cannot_take_the_places_of_the_others() {
        let limits = Current::new(Limits {
            queue_per_owner: 2,
            queue: 3,
            request_bytes: 100,
            ..Limits::ROOMY
        });
        let seats = Seats::new(limits.clone(), RequestBytes::new(limits));
        let scope = |taken: Result<Seat, Failure>| taken.unwrap_err().details["scope"].clone();
        let own: Vec<_> = (0..2).map(|_| seats.take(1, 10).unwrap()).collect();
        assert_eq!(scope(seats.take(1, 10)), "owner");
        let other = seats.take(2, 10).unwrap();
        assert_eq!(scope(seats.take(2, 10)), "daemon");
        drop(own);
        let again = (seats.take(1, 10).unwrap(), seats.take(2, 10).unwrap());
        drop((other, again));
        let refused = seats.take(1, 101).unwrap_err();
        assert_eq!(refused.details["key"], "limits.request_bytes");
        assert!(seats.taken().by_owner.is_empty());
        assert_eq!((seats.taken().all, seats.bytes.kept()), (0, 0));
    }
}
