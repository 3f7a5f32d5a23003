//! How many requests are at the image at the same time: the one that it works on, and as many as it
//! answers in about two milliseconds. So it need not wait for the next one, and what must go first
//! waits no longer than that behind what nothing can overtake any more.
//!
//! What one answer takes is measured while others wait behind it. With one request at a time it
//! would be the round trip that is measured, and where that is long nothing would ever be sent
//! ahead.

use std::time::Duration;

use tokio::time::Instant;

/// What is sent ahead of the next answer is what the image answers in this time.
const AHEAD: Duration = Duration::from_millis(2);

/// An image that says nothing for this long gets nothing more: it may have stopped.
const STILL: Duration = Duration::from_millis(5);

/// The newest answer counts one part in so many.
const MEMORY: u32 = 16;

/// What is known about the speed of the image. A pure value, without a clock.
#[derive(Debug)]
pub(crate) struct Pace {
    widest: usize,
    /// Mean time from one answer to the next.
    per_answer: Duration,
    /// When the image last answered, or was given something while it had nothing to do.
    since: Instant,
}

impl Pace {
    /// Of an image that has never answered.
    pub(crate) fn new(widest: usize, now: Instant) -> Self {
        Self {
            widest,
            per_answer: 2 * AHEAD,
            since: now,
        }
    }

    /// Something was sent to it while it had nothing to do.
    pub(crate) fn began(&mut self, now: Instant) {
        self.since = now;
    }

    /// It answered.
    pub(crate) fn answered(&mut self, now: Instant) {
        let took = now.saturating_duration_since(self.since);
        self.per_answer = (self.per_answer * (MEMORY - 1) + took) / MEMORY;
        self.since = now;
    }

    /// Somebody else may be at the other end: one at a time until it is known better.
    pub(crate) fn forget(&mut self) {
        self.per_answer = 2 * AHEAD;
    }

    /// How many requests may be under way.
    pub(crate) fn width(&self, now: Instant) -> usize {
        if now.saturating_duration_since(self.since) > STILL {
            return 1;
        }
        let ahead = AHEAD.as_nanos() / self.per_answer.as_nanos().max(1);
        usize::try_from(ahead)
            .unwrap_or(usize::MAX)
            .saturating_add(1)
            .min(self.widest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image that has given that many answers, each after so many microseconds.
    fn image(answers: usize, micros: u64) -> (Pace, Instant) {
        let mut now = Instant::now();
        let mut pace = Pace::new(32, now);
        for _ in 0..answers {
            now += Duration::from_micros(micros);
            pace.answered(now);
        }
        (pace, now)
    }

    #[test]
    fn an_image_that_nobody_knows_gets_one_request_at_a_time() {
        let (mut pace, now) = image(0, 0);
        assert_eq!(pace.width(now), 1);
        (pace, _) = image(1000, 10);
        pace.forget();
        assert_eq!(pace.width(pace.since), 1);
    }

    #[test]
    fn as_much_is_sent_ahead_as_the_image_answers_in_two_milliseconds() {
        for (micros, width) in [(10, 32), (100, 21), (300, 7), (600, 4), (5_000, 1)] {
            let (pace, now) = image(1000, micros);
            assert_eq!(pace.width(now), width, "{micros} µs");
        }
    }

    #[test]
    fn one_long_answer_ends_the_sending_ahead_and_short_ones_begin_it_again() {
        let (mut pace, mut now) = image(1000, 20);
        now += Duration::from_millis(50);
        pace.answered(now);
        assert_eq!(pace.width(now), 1);
        for _ in 0..100 {
            now += Duration::from_micros(20);
            pace.answered(now);
        }
        assert!(pace.width(now) > 8);
    }

    #[test]
    fn an_image_that_stands_still_gets_nothing_more() {
        let (mut pace, now) = image(1000, 10);
        assert_eq!(pace.width(now + STILL), 32);
        let later = now + STILL + Duration::from_micros(1);
        assert_eq!(pace.width(later), 1);
        // Time in which it had nothing to do does not count.
        pace.began(later);
        assert_eq!(pace.width(later), 32);
    }
}
