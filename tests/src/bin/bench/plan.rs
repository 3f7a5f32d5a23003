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
    /// Sessions with a long log.
    pub(crate) logged: usize,
    /// How often the daemon is started before them, for each kind of end.
    pub(crate) starts: usize,
    /// How often one of their logs is read.
    pub(crate) replays: usize,
    /// Bytes that a session is flooded with.
    pub(crate) flood: usize,
    /// How often the sessions are listed while nothing happens.
    pub(crate) looks: usize,
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
    logged: 500,
    starts: 10,
    replays: 1000,
    flood: 100_000_000,
    looks: 200,
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
    logged: 20,
    starts: 3,
    replays: 40,
    flood: 10_000_000,
    looks: 20,
};
