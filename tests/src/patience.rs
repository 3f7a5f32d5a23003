//! Waiting for facts, with a limit to patience.
//!
//! Sockets and channels wait for their next message by themselves; [`until`] is for facts that
//! nobody announces, such as a file or the end of a process.

use std::time::{Duration, Instant};

/// How long a story waits for anything before it fails. Generous: it is only paid on failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a fact that nobody announces.
const TICK: Duration = Duration::from_millis(5);

/// Looks again and again until `look` answers something.
///
/// # Panics
/// When that takes longer than [`PATIENCE`]; `what` is what was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, &mut look).unwrap_or_else(|| panic!("waited in vain for {what}"))
}

/// Looks again and again, at most for `limit`.
pub fn until_within<T>(limit: Duration, look: &mut impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::park_timeout(TICK);
    }
}
