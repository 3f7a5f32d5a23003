//! Stopping code in tiers: signal, then terminate, then abandon.
//!
//! A pure clock: whoever owns the VM asks what is due and does it.

use std::time::{Duration, Instant};

use crate::vm::InterruptReason;

/// How long a signalled process may take to unwind before it is terminated. Its `ensure:` blocks
/// run in that time; a person waits for the prompt.
pub(super) const SIGNAL_PATIENCE: Duration = Duration::from_millis(250);

/// How long a terminated process may take with its `ensure:` blocks before it is abandoned.
pub(super) const TERMINATE_PATIENCE: Duration = Duration::from_millis(250);

/// What to do to the process next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Push {
    /// Unwind it from outside.
    Terminate,
    /// Drop its frames.
    Abandon,
}

/// How far the stopping of one process has come.
#[derive(Debug)]
pub(super) struct Escalation {
    /// Why it is stopped.
    pub(super) reason: InterruptReason,
    next: Option<(Push, Instant)>,
}

impl Escalation {
    /// The process was just signalled.
    pub(super) fn signalled(reason: InterruptReason, now: Instant) -> Self {
        Self {
            reason,
            next: Some((Push::Terminate, now + SIGNAL_PATIENCE)),
        }
    }

    /// The process was just terminated without a signal before.
    pub(super) fn terminated(reason: InterruptReason, now: Instant) -> Self {
        Self {
            reason,
            next: Some((Push::Abandon, now + TERMINATE_PATIENCE)),
        }
    }

    /// What is due at `now`; each push is answered once.
    pub(super) fn due(&mut self, now: Instant) -> Option<Push> {
        let (push, at) = self.next?;
        if now < at {
            return None;
        }
        self.next = match push {
            Push::Terminate => Some((Push::Abandon, now + TERMINATE_PATIENCE)),
            Push::Abandon => None,
        };
        Some(push)
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next.map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_does_not_end_is_terminated_and_then_abandoned() {
        let start = Instant::now();
        let mut escalation = Escalation::signalled(InterruptReason::User, start);
        assert_eq!(escalation.due(start), None);
        let later = start + SIGNAL_PATIENCE;
        assert_eq!(escalation.deadline(), Some(later));
        assert_eq!(escalation.due(later), Some(Push::Terminate));
        assert_eq!(escalation.due(later), None);
        let later = later + TERMINATE_PATIENCE;
        assert_eq!(escalation.due(later), Some(Push::Abandon));
        assert_eq!(escalation.due(later), None);
        assert_eq!(escalation.deadline(), None);
    }
}
