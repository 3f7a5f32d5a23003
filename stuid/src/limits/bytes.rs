//! The bytes of requests that the daemon keeps at a time: of each user, and of all together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::{ErrorType, Failure};

use super::{Current, Reached, Tally};

/// All of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RequestBytes {
    kept: Arc<Mutex<Tally>>,
    limits: Current,
}

/// What somebody keeps of them; nothing once it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: RequestBytes,
    owner: u32,
    own: usize,
}

impl RequestBytes {
    /// None yet, and no more than `limits.request_bytes` and `limits.request_bytes_per_owner` say
    /// at any time.
    #[must_use]
    pub fn new(limits: Current) -> Self {
        let kept = Arc::default();
        Self { kept, limits }
    }

    /// A share of nothing, of a user.
    pub(crate) fn share(&self, owner: u32) -> Share {
        let all = self.clone();
        Share { all, owner, own: 0 }
    }

    /// How many there are.
    pub(crate) fn kept(&self) -> usize {
        self.lock().all()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Keeps so many from now on, whether there is room or not: what cannot be refused any more.
    pub(crate) fn keeps(&mut self, own: usize) {
        // Small requests keep nothing here: most changes are none.
        match own.checked_sub(self.own) {
            Some(0) => {}
            Some(more) => self.all.lock().add(self.owner, more),
            None => self.all.lock().take(self.owner, self.own - own),
        }
        self.own = own;
    }

    /// Keeps so many from now on.
    ///
    /// # Errors
    /// `Overloaded` when there is no room for more than before; it keeps what it did.
    pub(crate) fn claims(&mut self, own: usize) -> Result<(), Failure> {
        let Some(more) = own.checked_sub(self.own).filter(|more| *more > 0) else {
            self.keeps(own);
            return Ok(());
        };
        let limits = self.all.limits.get();
        let mut kept = self.all.lock();
        let of_owner = kept.of(self.owner).saturating_add(more);
        let of_all = kept.all().saturating_add(more);
        if let Some(reached) = limits.of_bytes(of_owner, of_all) {
            return Err(no_room(reached));
        }
        kept.add(self.owner, more);
        drop(kept);
        self.own = own;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.keeps(0);
    }
}

fn no_room(reached: Reached) -> Failure {
    let whose = match reached.scope {
        "owner" => "this user",
        _ => "all users",
    };
    let Reached { scope, limit, key } = reached;
    let said = format!(
        "the requests of {whose} may have {limit} bytes: nothing was done, try again when some \
         have ended, or raise {key}"
    );
    Failure::new(ErrorType::Overloaded, said)
        .with("scope", scope)
        .with("limit", limit)
        .with("key", key)
        .with("sent", false)
}

/// Room for so many bytes of each user, and of all.
#[cfg(test)]
pub(crate) fn room(of_owner: usize, of_all: usize) -> RequestBytes {
    RequestBytes::new(Current::new(super::Limits {
        request_bytes_per_owner: of_owner,
        request_bytes: of_all,
        ..super::Limits::ROOMY
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(refused: Result<(), Failure>) -> String {
        let refused = refused.unwrap_err();
        assert_eq!(refused.error_type, ErrorType::Overloaded);
        refused.details["key"].as_str().unwrap().to_owned()
    }

    #[test]
    fn all_shares_together_have_no_more_than_the_limit() {
        let all = room(100, 100);
        let (mut one, mut other) = (all.share(1), all.share(2));
        one.claims(60).unwrap();
        assert_eq!(key(other.claims(41)), "limits.request_bytes");
        other.claims(40).unwrap();
        assert_eq!(all.kept(), 100);
        assert!(one.claims(61).is_err());
        one.claims(10).unwrap();
        drop(other);
        assert_eq!(all.kept(), 10);
        drop(one);
        assert_eq!(all.kept(), 0);
    }

    #[test]
    fn one_user_cannot_take_the_room_of_the_others() {
        let all = room(60, 100);
        let (mut one, mut same, mut other) = (all.share(1), all.share(1), all.share(2));
        one.claims(40).unwrap();
        assert_eq!(key(same.claims(21)), "limits.request_bytes_per_owner");
        same.claims(20).unwrap();
        other.claims(40).unwrap();
        assert_eq!(key(other.claims(41)), "limits.request_bytes");
        drop(one);
        same.claims(60).unwrap();
    }

    #[test]
    fn what_cannot_be_refused_leaves_less_for_what_can() {
        let all = room(100, 100);
        let (mut reply, mut request) = (all.share(1), all.share(1));
        reply.keeps(500);
        assert!(request.claims(1).is_err());
        request.claims(0).unwrap();
        reply.keeps(99);
        request.claims(1).unwrap();
    }
}
