//! How many clients there may be, in all and of one user.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::{ErrorType, Failure};

use crate::limits::{Current, Tally};

/// The places for clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    most: usize,
    /// What would have to be raised for more.
    key: &'static str,
    limits: Current,
    taken: Arc<Mutex<Tally>>,
}

/// One place; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    uid: u32,
    places: Places,
}

impl Places {
    /// As many as are configured, or as there is room for; all free.
    #[must_use]
    pub fn new(configured: usize, room: usize, limits: Current) -> Self {
        let key = match room < configured {
            true => "LimitNOFILE",
            false => "clients.max",
        };
        Self {
            most: room.min(configured),
            key,
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
        if taken.all() >= self.most {
            let limit = self.most;
            let said = format!("{limit} clients are connected: disconnect some");
            return Err(refused(&said, limit, self.key));
        }
        let limit = self.limits.get().clients_per_owner;
        if taken.of(uid) >= limit {
            let said = format!("user {uid} has {limit} clients connected: disconnect some");
            return Err(refused(&said, limit, "limits.clients_per_owner"));
        }
        taken.add(uid, 1);
        drop(taken);
        let places = self.clone();
        Ok(Place { uid, places })
    }

    fn taken(&self) -> MutexGuard<'_, Tally> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().take(self.uid, 1);
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
            9,
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
        assert_eq!(places.taken().all(), 0);
    }

    #[test]
    fn where_files_are_few_it_is_told_that_they_are() {
        let places = Places::new(3, 1, Current::new(Limits::ROOMY));
        let _place = places.take(1000).unwrap();
        let refused = places.take(1000).unwrap_err();
        assert_eq!(refused.details["key"], "LimitNOFILE");
        assert!(refused.error.contains("LimitNOFILE"), "{refused}");
    }
}
