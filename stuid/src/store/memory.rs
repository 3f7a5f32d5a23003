//! Memory that the store has used and does not need any more goes back to the system.
//!
//! Lines are in memory until the tables have them, and pass through it when they are read. The
//! allocator keeps what is freed between other things, for ever: after 500 logs of 1 MiB were
//! written while the disk was slow, that was 70 MiB. So when much has passed and nothing passes any
//! more, it is asked to give back what is free.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Bytes that have passed before it is worth while.
const MUCH: u64 = 4 * 1024 * 1024;

/// How long nothing may pass.
const QUIET: Duration = Duration::from_secs(1);

/// Bytes that have passed through memory since some was given back.
#[derive(Debug, Default)]
pub(super) struct Passed(AtomicU64);

impl Passed {
    /// Adds some. True once, when it is much.
    pub(super) fn add(&self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        before < MUCH && before.saturating_add(bytes) >= MUCH
    }
}

/// When memory is to be given back: the checkpoint's thread keeps one.
#[derive(Debug, Default)]
pub(super) struct Settling {
    due: Option<Instant>,
    passed: u64,
}

impl Settling {
    /// When to look again; none when not much has passed.
    pub(super) fn due(&mut self, passed: &Passed, now: Instant) -> Option<Instant> {
        let bytes = passed.0.load(Ordering::Relaxed);
        if bytes < MUCH {
            self.due = None;
        } else if self.due.is_none() || bytes != self.passed {
            (self.due, self.passed) = (Some(now + QUIET), bytes);
        }
        self.due
    }

    /// Gives memory back when it has been quiet for long enough. Takes some milliseconds then, while
    /// other threads may wait for the allocator.
    pub(super) fn settle(&mut self, passed: &Passed, now: Instant) {
        if self.due(passed, now).is_some_and(|due| due <= now) {
            passed.0.store(0, Ordering::Relaxed);
            self.due = None;
            give_back();
        }
    }
}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: `malloc_trim` takes no pointer and gives none. It may be called at any time by any
    // thread (it is MT-Safe by its manual page): it takes the lock of each arena, and hands back to
    // the system only whole pages inside free blocks and at the top of the heap. No block that is in
    // use is moved or changed, so nothing that Rust code can reach is touched. When another
    // allocator than glibc's stands behind Rust's, it finds nothing that is free.
    #[allow(unsafe_code)]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators see to it themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_after_much_has_passed_and_it_is_quiet() {
        let (passed, mut settling) = (Passed::default(), Settling::default());
        let start = Instant::now();
        assert!(!passed.add(3 << 20));
        assert_eq!(settling.due(&passed, start), None);
        assert!(passed.add(1 << 20));
        assert!(!passed.add(1 << 20));
        let due = settling.due(&passed, start).unwrap();
        assert_eq!(due, start + QUIET);
        // More comes: it is not quiet.
        passed.add(1);
        settling.settle(&passed, due);
        let later = settling.due(&passed, due).unwrap();
        assert_eq!(later, due + QUIET);
        settling.settle(&passed, later);
        assert_eq!(settling.due(&passed, later), None);
        assert!(passed.add(4 << 20));
    }
}
