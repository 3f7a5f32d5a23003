//! How much is measured.

use std::time::Duration;

/// Sizes of all parts.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Round trips: clients at a time.
    pub(crate) clients: &'static [usize],
    /// How long each way is measured in its turn.
    pub(crate) turn: Duration,
    /// Turns of each way.
    pub(crate) turns: usize,
    /// How often the image goes away and comes back.
    pub(crate) returns: usize,
    /// How often a client attaches.
    pub(crate) attachments: usize,
    /// How often an evaluation is interrupted.
    pub(crate) interrupts: usize,
    /// How long the neighbours are noisy.
    pub(crate) noise: Duration,
    /// Clients that do nothing.
    pub(crate) idle: usize,
    /// How long clients evaluate while the memory is watched.
    pub(crate) evaluating: Duration,
}

/// What docs/performance.md shows.
pub(crate) const WHOLE: Plan = Plan {
    clients: &[1, 10, 100, 1000],
    turn: Duration::from_millis(500),
    turns: 15,
    returns: 50,
    attachments: 500,
    interrupts: 200,
    noise: Duration::from_secs(20),
    idle: 400,
    evaluating: Duration::from_secs(10),
};

/// Seconds.
pub(crate) const QUICK: Plan = Plan {
    clients: &[1, 10],
    turn: Duration::from_millis(100),
    turns: 5,
    returns: 5,
    attachments: 20,
    interrupts: 10,
    noise: Duration::from_secs(1),
    idle: 100,
    evaluating: Duration::from_secs(1),
};
