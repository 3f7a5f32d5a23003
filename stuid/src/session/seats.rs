//! Places for evaluations that wait, over all sessions: each owner and the daemon have only so
//! many, and there is only so much room for their code.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::Failure;

use crate::limits::{Current, RequestBytes, Share, Tally};

/// All places. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    pub(crate) limits: Current,
    bytes: RequestBytes,
    taken: Arc<Mutex<Tally>>,
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
        let mut code = self.bytes.share(owner);
        code.claims(code_bytes)?;
        let mut taken = self.taken();
        let (own, all) = (taken.of(owner), taken.all());
        if let Some(reached) = self.limits.get().of_queue(own, all) {
            return Err(reached.into());
        }
        taken.add(owner, 1);
        drop(taken);
        Ok(Seat {
            seats: self.clone(),
            owner,
            _code: code,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Tally> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().take(self.owner, 1);
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
        assert_eq!((seats.taken().all(), seats.bytes.kept()), (0, 0));
    }
}
