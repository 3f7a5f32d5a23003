//! The numbers that the daemon tells about itself, in a registry of its own: several daemons can
//! live in one process.
//!
//! Names begin with `stui_`, units are base units, labels have few values: never a session, a
//! user or a client.

mod frontend;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};
use stui_protocol::daemon::{ImageLevels, ImageState, Level};

pub use frontend::Frontend;

/// Seconds; from a message over the link to an evaluation somebody waits for.
const DURATION_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

const IMAGE_STATES: [(ImageState, &str); 6] = [
    (ImageState::Connecting, "connecting"),
    (ImageState::Ready, "ready"),
    (ImageState::Busy, "busy"),
    (ImageState::Unresponsive, "unresponsive"),
    (ImageState::Down, "down"),
    (ImageState::Saving, "saving"),
];

/// All metrics of one daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests of clients, by command and outcome (`success` or an error type).
    pub requests: IntCounterVec,
    /// Seconds from a client's request to its reply, by command.
    pub request_duration: HistogramVec,
    /// Connected clients.
    pub clients: IntGauge,
    /// Connected clients that do not read what is there for them.
    pub clients_lagging: IntGauge,
    /// Clients that were refused, because there were too many or no files left.
    pub clients_refused: IntCounter,
    /// Clients that were disconnected, because they did not read.
    pub clients_stalled: IntCounter,
    /// Known sessions.
    pub sessions: IntGauge,
    /// Evaluations that wait in their sessions.
    pub evaluations_queued: IntGauge,
    /// Evaluations under way.
    pub evaluations_running: IntGauge,
    /// Evaluations that ended, by outcome.
    pub evaluations: IntCounterVec,
    /// Requests that wait for the link.
    pub link_queue: IntGauge,
    /// Seconds from sending a request to the image to its reply.
    pub link_duration: Histogram,
    /// Times that the link came up.
    pub link_connects: IntCounter,
    /// Times that the link went down.
    pub link_disconnects: IntCounter,
    /// Replies dropped, by reason: `late` (its caller was told a timeout), `unknown` (nobody's),
    /// `again` (of one that was answered), `malformed` (wrong frames).
    pub replies_dropped: IntCounterVec,
    /// Sockets thrown away, by reason: `garbage` (the image broke the protocol), `silence` (it
    /// answered on another one), `broken` (libzmq's word).
    pub sockets_replaced: IntCounterVec,
    /// Whether the event link is up.
    pub events_up: IntGauge,
    /// Events of the image that were lost, seen as holes in their numbers.
    pub events_lost: IntCounter,
    /// Gaps told to clients: lines that were dropped from a log before the client read them.
    pub log_gaps: IntCounter,
    /// The ZeroMQ front end.
    pub frontend: Frontend,
    /// Times that the store could not be written or read.
    pub store_errors: IntCounter,
    /// 1 while the store cannot be written.
    pub store_degraded: IntGauge,
    /// Bytes of the logs of all sessions.
    pub log_bytes: IntGauge,
    image_up: IntGauge,
    image_state: IntGaugeVec,
    image_level: IntGaugeVec,
    image_states: IntCounterVec,
    /// How late low-priority code in the image runs.
    pub evaluator_lag: Gauge,
    resident_bytes: IntGauge,
    /// Whether an operator holds new work back.
    pub paused: IntGauge,
    /// Requests that wait for the end of that.
    pub held_back: IntGauge,
}

impl Metrics {
    /// All metrics, at zero, in a new registry.
    ///
    /// # Errors
    /// When two metrics have one name: a defect that every start would show.
    pub fn new() -> Result<Self, prometheus::Error> {
        let r = Registry::new();
        let build = gauges(&r, "stui_build_info", "Always 1; the version.", "version")?;
        build.with_label_values(&[crate::VERSION]).set(1);
        Ok(Self {
            requests: counters(
                &r,
                "stui_requests_total",
                "Requests of clients.",
                &["command", "outcome"],
            )?,
            request_duration: durations(
                &r,
                "stui_request_duration_seconds",
                "From a client's request to its reply.",
            )?,
            clients: gauge(&r, "stui_clients", "Connected clients.")?,
            clients_lagging: gauge(
                &r,
                "stui_clients_lagging",
                "Connected clients that do not read what is there for them.",
            )?,
            clients_refused: counter(
                &r,
                "stui_clients_refused_total",
                "Clients refused because there were too many, or no files left.",
            )?,
            clients_stalled: counter(
                &r,
                "stui_clients_stalled_total",
                "Clients disconnected because they did not read.",
            )?,
            sessions: gauge(&r, "stui_sessions", "Known sessions.")?,
            evaluations_queued: gauge(
                &r,
                "stui_evaluations_queued",
                "Evaluations that wait in their sessions.",
            )?,
            evaluations_running: gauge(&r, "stui_evaluations_running", "Evaluations under way.")?,
            evaluations: counters(
                &r,
                "stui_evaluations_total",
                "Evaluations that ended.",
                &["outcome"],
            )?,
            link_queue: gauge(
                &r,
                "stui_link_queue",
                "Requests that wait for the link to the image.",
            )?,
            link_duration: link_duration(&r)?,
            link_connects: counter(
                &r,
                "stui_link_connects_total",
                "Times that the link to the image came up.",
            )?,
            link_disconnects: counter(
                &r,
                "stui_link_disconnects_total",
                "Times that the link to the image went down.",
            )?,
            replies_dropped: counters(
                &r,
                "stui_link_replies_dropped_total",
                "Replies of the image that were dropped.",
                &["reason"],
            )?,
            sockets_replaced: counters(
                &r,
                "stui_link_sockets_replaced_total",
                "Sockets to the image that were thrown away.",
                &["reason"],
            )?,
            events_up: gauge(&r, "stui_events_up", "Whether the event link is up.")?,
            events_lost: counter(
                &r,
                "stui_events_lost_total",
                "Events of the image that were lost.",
            )?,
            log_gaps: counter(
                &r,
                "stui_log_gaps_total",
                "Gaps told to clients that fell behind a log.",
            )?,
            frontend: Frontend::new(&r)?,
            store_errors: counter(
                &r,
                "stui_store_errors_total",
                "Times that the store could not be written or read.",
            )?,
            store_degraded: gauge(
                &r,
                "stui_store_degraded",
                "1 while the store cannot be written.",
            )?,
            log_bytes: gauge(&r, "stui_log_bytes", "Bytes of the logs of all sessions.")?,
            image_up: gauge(&r, "stui_image_up", "Whether the image answers.")?,
            image_state: gauges(
                &r,
                "stui_image_state",
                "1 for the state that the image is in.",
                "state",
            )?,
            image_level: gauges(
                &r,
                "stui_image_level",
                "1 for each of link, listener and evaluator that works.",
                "level",
            )?,
            image_states: counters(
                &r,
                "stui_image_states_total",
                "Times that the image came into a state.",
                &["state"],
            )?,
            evaluator_lag: lag(&r)?,
            resident_bytes: gauge(
                &r,
                "process_resident_memory_bytes",
                "Resident memory of the daemon.",
            )?,
            paused: gauge(
                &r,
                "stui_paused",
                "Whether an operator holds new work back.",
            )?,
            held_back: gauge(
                &r,
                "stui_held_back",
                "Requests that wait because new work is held back.",
            )?,
            registry: r,
        })
    }

    /// Tells the state of the image.
    pub fn set_image_state(&self, state: ImageState) {
        let up = matches!(state, ImageState::Ready | ImageState::Busy);
        self.image_up.set(i64::from(up));
        for (each, name) in IMAGE_STATES {
            self.image_state
                .with_label_values(&[name])
                .set(i64::from(each == state));
        }
    }

    /// Counts that the image came into a state.
    pub fn count_image_state(&self, state: ImageState) {
        for (each, name) in IMAGE_STATES {
            let came = u64::from(each == state);
            self.image_states.with_label_values(&[name]).inc_by(came);
        }
    }

    /// Tells how each level of the image is.
    pub fn set_image_levels(&self, levels: ImageLevels) {
        for (level, name) in [
            (levels.link, "link"),
            (levels.listener, "listener"),
            (levels.evaluator, "evaluator"),
        ] {
            let up = i64::from(level == Level::Up);
            self.image_level.with_label_values(&[name]).set(up);
        }
    }

    /// Everything as Prometheus reads it.
    ///
    /// # Errors
    /// When a metric cannot be written as text: a defect.
    pub fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        if let Some(bytes) = resident_bytes() {
            self.resident_bytes.set(bytes);
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// Bytes of memory that the process has: second field of `/proc/self/statm`, in pages.
pub(crate) fn resident_bytes() -> Option<i64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    let page_size = i64::try_from(rustix::param::page_size()).ok()?;
    pages.checked_mul(page_size)
}

type Registered<T> = Result<T, prometheus::Error>;

fn counter(registry: &Registry, name: &str, help: &str) -> Registered<IntCounter> {
    let metric = IntCounter::new(name, help)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Registered<IntCounterVec> {
    let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Registered<IntGauge> {
    let metric = IntGauge::new(name, help)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn gauges(registry: &Registry, name: &str, help: &str, label: &str) -> Registered<IntGaugeVec> {
    let metric = IntGaugeVec::new(Opts::new(name, help), &[label])?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn durations(registry: &Registry, name: &str, help: &str) -> Registered<HistogramVec> {
    let options = HistogramOpts::new(name, help).buckets(DURATION_BUCKETS.to_vec());
    let metric = HistogramVec::new(options, &["command"])?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn link_duration(registry: &Registry) -> Registered<Histogram> {
    let options = HistogramOpts::new(
        "stui_link_duration_seconds",
        "From sending a request to the image to its reply.",
    );
    let metric = Histogram::with_opts(options.buckets(DURATION_BUCKETS.to_vec()))?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn lag(registry: &Registry) -> Registered<Gauge> {
    let metric = Gauge::new(
        "stui_image_evaluator_lag_seconds",
        "How late low-priority code in the image runs.",
    )?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_daemons_in_one_process_count_apart() {
        let (one, other) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        one.clients.inc();
        assert_eq!(other.clients.get(), 0);
    }

    #[test]
    fn exactly_one_image_state_is_told() {
        let metrics = Metrics::new().unwrap();
        metrics.set_image_state(ImageState::Ready);
        metrics.set_image_state(ImageState::Down);
        let text = String::from_utf8(metrics.text().unwrap()).unwrap();
        assert!(
            text.contains("stui_image_state{state=\"down\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("stui_image_state{state=\"ready\"} 0"),
            "{text}"
        );
        assert!(text.contains("stui_image_up 0"), "{text}");
    }
}
