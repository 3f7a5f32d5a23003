//! How many clients there may be, in all and of one user.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::{ErrorType, Failure};

use crate::limits::Current;

/// The places for clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    most: usize,
    limits: Current,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_user: HashMap<u32, usize>,
}

/// One place; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    uid: u32,
    places: Places,
}

impl Places {
    /// So many, all free.
    #[must_use]
    pub fn new(most: usize, limits: Current) -> Self {
        Self {
            most,
            limits,
            taken: Arc::default(),
        }
    }

    /// A place for a client of that user.
    ///
    /// # Errors
    /// `Overloaded` with the limit and the key that sets it.
    pub fn take(&self, uid: u32) -> Result<Place, Failure> {
        let mut taken = self.taken();
        if taken.all >= self.most {
            let limit = self.most;
            let said = format!("{limit} clients are connected: disconnect some");
            return Err(refused(&said, limit, "clients.max"));
        }
        let own = taken.of_user.entry(uid).or_default();
        let limit = self.limits.get().clients_per_owner;
        if *own >= limit {
            let said = format!("user {uid} has {limit} clients connected: disconnect some");
            return Err(refused(&said, limit, "limits.clients_per_owner"));
        }
        *own += 1;
        taken.all += 1;
        drop(taken);
        let places = self.clone();
        Ok(Place { uid, places })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(own) = taken.of_user.get_mut(&self.uid) {
            *own -= 1;
            if *own == 0 {
                taken.of_user.remove(&self.uid);
            }
        }
    }
}

fn refused(said: &str, limit: usize, key: &str) -> Failure {
    Failure::new(ErrorType::Overloaded, format!("{said}, or raise {key}"))
        .with("limit", limit)
        .with("key", key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn one_user_cannot_take_all_places() {
        let places = Places::new(
            3,
            Current::new(Limits {
                clients_per_owner: 2,
                ..Limits::ROOMY
            }),
        );
        let mine: Vec<_> = (0..2).map(|_| places.take(1000).unwrap()).collect();
        let refused = places.take(1000).unwrap_err();
        assert_eq!(refused.details["key"], "limits.clients_per_owner");
        let theirs = places.take(1001).unwrap();
        let refused = places.take(1002).unwrap_err();
        assert_eq!(refused.details["key"], "clients.max");
        drop((mine, theirs));
        assert!(places.take(1000).is_ok());
        assert!(places.taken().of_user.is_empty(), "nobody is remembered");
    }
}
