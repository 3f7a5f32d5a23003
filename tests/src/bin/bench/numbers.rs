//! From many times to a few numbers.

use std::time::Duration;

/// Times of one thing that was done again and again, sorted.
#[derive(Debug)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// # Panics
    /// When there are none: nothing was measured.
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// That many in a hundred took no longer.
    pub(crate) fn percentile(&self, percent: f64) -> Duration {
        let last = self.0.len() - 1;
        self.0[(last as f64 * percent / 100.0).round() as usize]
    }

    pub(crate) fn p50(&self) -> Duration {
        self.percentile(50.0)
    }

    pub(crate) fn p99(&self) -> Duration {
        self.percentile(99.0)
    }

    pub(crate) fn longest(&self) -> Duration {
        self.percentile(100.0)
    }

    /// How many, p50, p99 and the longest, as a table shows them.
    pub(crate) fn cells(&self) -> [String; 4] {
        let times = [self.p50(), self.p99(), self.longest()];
        let [p50, p99, longest] = times.map(shown);
        [self.count().to_string(), p50, p99, longest]
    }
}

/// The middle one.
///
/// # Panics
/// When there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// As a table shows it.
pub(crate) fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 9_950.0 {
        format!("{micros:.0} µs")
    } else {
        format!("{:.1} ms", micros / 1e3)
    }
}
