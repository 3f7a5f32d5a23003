//! Metrics in a registry, with one line for each.

use prometheus::core::Collector;
use prometheus::{
    Counter, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

/// Seconds; from a message over the link to an evaluation somebody waits for.
const DURATION_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Seconds; evaluations may take hours.
const LONG_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0,
];

/// Fails when a name is taken or is none.
pub(super) type Registered<T> = Result<T, prometheus::Error>;

/// Makes metrics in that registry.
pub(super) struct Making<'a>(pub(super) &'a Registry);

impl Making<'_> {
    fn add<M: Collector + Clone + 'static>(&self, metric: M) -> Registered<M> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> Registered<IntCounter> {
        self.add(IntCounter::new(name, help)?)
    }

    pub(super) fn seconds_counter(&self, name: &str, help: &str) -> Registered<Counter> {
        self.add(Counter::new(name, help)?)
    }

    pub(super) fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Registered<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    /// Counters by reason, at zero for each that there is.
    pub(super) fn reasons(
        &self,
        name: &str,
        help: &str,
        reasons: &[&str],
    ) -> Registered<IntCounterVec> {
        let counters = self.counters(name, help, &["reason"])?;
        for reason in reasons {
            counters.with_label_values(&[reason]);
        }
        Ok(counters)
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Registered<IntGauge> {
        self.add(IntGauge::new(name, help)?)
    }

    pub(super) fn seconds(&self, name: &str, help: &str) -> Registered<Gauge> {
        self.add(Gauge::new(name, help)?)
    }

    pub(super) fn gauges(&self, name: &str, help: &str, label: &str) -> Registered<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help), &[label])?)
    }

    pub(super) fn duration(&self, name: &str, help: &str) -> Registered<Histogram> {
        self.histogram(name, help, DURATION_BUCKETS)
    }

    pub(super) fn long_duration(&self, name: &str, help: &str) -> Registered<Histogram> {
        self.histogram(name, help, LONG_BUCKETS)
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Registered<Histogram> {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.add(Histogram::with_opts(options)?)
    }

    pub(super) fn durations(
        &self,
        name: &str,
        help: &str,
        label: &str,
    ) -> Registered<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(DURATION_BUCKETS.to_vec());
        self.add(HistogramVec::new(options, &[label])?)
    }
}
