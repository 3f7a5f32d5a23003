//! How late evaluations are: the longest time of the last second or two that code which could
//! run did not, because the VM's thread did something else or a slice took longer than it should.
//!
//! That processes take turns is no lag.

use std::time::{Duration, Instant};

/// The lag is the worst of this window and the one before.
const WINDOW: Duration = Duration::from_secs(1);

/// A gauge that the loop of the VM's thread feeds.
#[derive(Debug)]
pub(super) struct Lag {
    slice: Duration,
    /// Since when code that could run waits for the loop.
    waiting_since: Option<Instant>,
    window_start: Instant,
    worst: Duration,
    worst_before: Duration,
}

impl Lag {
    /// A gauge for slices of that length.
    pub(super) fn new(slice: Duration, now: Instant) -> Self {
        Self {
            slice,
            waiting_since: None,
            window_start: now,
            worst: Duration::ZERO,
            worst_before: Duration::ZERO,
        }
    }

    /// A slice begins.
    pub(super) fn slice_begins(&mut self, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.note(now.saturating_duration_since(since), now);
        }
    }

    /// A slice is over and has left code that could run, or not.
    pub(super) fn slice_ends(&mut self, begun: Instant, runnable: bool, now: Instant) {
        let took = now.saturating_duration_since(begun);
        self.note(took.saturating_sub(self.slice), now);
        self.waiting_since = runnable.then_some(now);
    }

    fn note(&mut self, late: Duration, now: Instant) {
        self.turn_window(now);
        self.worst = self.worst.max(late);
    }

    fn turn_window(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.window_start);
        if age < WINDOW {
            return;
        }
        self.worst_before = if age < 2 * WINDOW {
            self.worst
        } else {
            Duration::ZERO
        };
        self.worst = Duration::ZERO;
        self.window_start = now;
    }

    /// The lag in milliseconds.
    pub(super) fn millis(&mut self, now: Instant) -> f64 {
        self.turn_window(now);
        let waiting = self
            .waiting_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let worst = self.worst.max(self.worst_before).max(waiting);
        (worst.as_secs_f64() * 1_000_000.0).round() / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLICE: Duration = Duration::from_millis(1);
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_worst_wait_and_the_worst_overrun_count_for_a_while() {
        let start = Instant::now();
        let mut lag = Lag::new(SLICE, start);
        lag.slice_ends(start, true, start + SLICE);
        assert!(lag.millis(start + SLICE) < 0.001);
        lag.slice_begins(start + SLICE + 30 * MS);
        assert!((lag.millis(start + 40 * MS) - 30.0).abs() < 0.001);
        lag.slice_ends(start + 50 * MS, false, start + 100 * MS);
        assert!((lag.millis(start + 100 * MS) - 49.0).abs() < 0.001);
        assert!((lag.millis(start + 1500 * MS) - 49.0).abs() < 0.001);
        assert!(lag.millis(start + 5000 * MS) < 0.001);
    }

    #[test]
    fn an_idle_image_has_no_lag() {
        let start = Instant::now();
        let mut lag = Lag::new(SLICE, start);
        lag.slice_ends(start, false, start);
        lag.slice_begins(start + 700 * MS);
        assert!(lag.millis(start + 700 * MS) < 0.001);
    }
}
