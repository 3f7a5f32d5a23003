//! The bytes of requests that the daemon keeps at a time, of all clients and users together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stui_protocol::{ErrorType, Failure};

use super::Current;

/// All of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RequestBytes(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    bytes: AtomicUsize,
    limits: Current,
}

/// What somebody keeps of them; nothing once it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: RequestBytes,
    own: usize,
}

impl RequestBytes {
    /// None yet, and no more than `limits.request_bytes` says at any time.
    #[must_use]
    pub fn new(limits: Current) -> Self {
        let bytes = AtomicUsize::new(0);
        Self(Arc::new(Kept { bytes, limits }))
    }

    /// A share of nothing.
    pub(crate) fn share(&self) -> Share {
        let all = self.clone();
        Share { all, own: 0 }
    }

    /// How many there are.
    pub(crate) fn kept(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }
}

impl Share {
    /// Keeps so many from now on, whether there is room or not: what cannot be refused any more.
    pub(crate) fn keeps(&mut self, own: usize) {
        let bytes = &self.all.0.bytes;
        match own.checked_sub(self.own) {
            Some(more) => bytes.fetch_add(more, Ordering::Relaxed),
            None => bytes.fetch_sub(self.own - own, Ordering::Relaxed),
        };
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
        let Kept { bytes, limits } = &*self.all.0;
        let limit = limits.get().request_bytes;
        let grown = |kept: usize| kept.checked_add(more).filter(|kept| *kept <= limit);
        let taken = bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown);
        taken.map_err(|_| no_room(limit))?;
        self.own = own;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.keeps(0);
    }
}

fn no_room(limit: usize) -> Failure {
    let said = format!(
        "the requests of all clients have {limit} bytes: nothing was done, try again when some \
         have ended, or raise limits.request_bytes"
    );
    Failure::new(ErrorType::Overloaded, said)
        .with("limit", limit)
        .with("key", "limits.request_bytes")
        .with("sent", false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn room(request_bytes: usize) -> RequestBytes {
        RequestBytes::new(Current::new(Limits {
            request_bytes,
            ..Limits::ROOMY
        }))
    }

    #[test]
    fn all_shares_together_have_no_more_than_the_limit() {
        let all = room(100);
        let (mut one, mut other) = (all.share(), all.share());
        one.claims(60).unwrap();
        let refused = other.claims(41).unwrap_err();
        assert_eq!(refused.error_type, ErrorType::Overloaded);
        assert_eq!(refused.details["key"], "limits.request_bytes");
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
    fn what_cannot_be_refused_leaves_less_for_what_can() {
        let all = room(100);
        let (mut reply, mut request) = (all.share(), all.share());
        reply.keeps(500);
        assert!(request.claims(1).is_err());
        request.claims(0).unwrap();
        reply.keeps(99);
        request.claims(1).unwrap();
    }
}
