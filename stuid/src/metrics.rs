//! The numbers that the daemon tells about itself, in a registry of its own: several daemons can
//! live in one process.
//!
//! Names begin with `stui_`, but for those of the process, which are the same everywhere; units are
//! base units, labels have few values: never a session, a user or a client. A series that an alert
//! counts is there from the start, so that its first step is seen.

mod clients;
mod evaluations;
mod frontend;
mod image;
mod link;
mod making;
mod process;
mod requests;
mod store;

use prometheus::{IntGauge, Registry, TextEncoder};

pub use clients::Clients;
pub use evaluations::Evaluations;
pub use frontend::Frontend;
pub use image::Image;
pub use link::Link;
pub use requests::Requests;
pub use store::Store;

use making::{Making, Registered};
use process::Process;
pub(crate) use process::resident_bytes;

/// All metrics of one daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    process: Process,
    /// What clients ask for.
    pub requests: Requests,
    /// Who is connected.
    pub clients: Clients,
    /// Sessions and what is evaluated in them.
    pub evaluations: Evaluations,
    /// The link to the image.
    pub link: Link,
    /// The image.
    pub image: Image,
    /// Where sessions and logs are kept.
    pub store: Store,
    /// The ZeroMQ front end.
    pub frontend: Frontend,
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
    pub fn new() -> Registered<Self> {
        let registry = Registry::new();
        let make = Making(&registry);
        let build = make.gauges("stui_build_info", "Always 1; the version.", "version")?;
        build.with_label_values(&[crate::VERSION]).set(1);
        Ok(Self {
            process: Process::new(&make)?,
            requests: Requests::new(&make)?,
            clients: Clients::new(&make)?,
            evaluations: Evaluations::new(&make)?,
            link: Link::new(&make)?,
            image: Image::new(&make)?,
            store: Store::new(&make)?,
            frontend: Frontend::new(&make)?,
            paused: make.gauge("stui_paused", "Whether an operator holds new work back.")?,
            held_back: make.gauge(
                "stui_held_back",
                "Requests that wait because new work is held back.",
            )?,
            registry,
        })
    }

    /// Everything as Prometheus reads it.
    ///
    /// # Errors
    /// When a metric cannot be written as text: a defect.
    pub fn text(&self) -> Registered<String> {
        self.process.look();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

#[cfg(test)]
mod tests {
    use stui_protocol::daemon::ImageState;

    use super::*;

    #[test]
    fn two_daemons_in_one_process_count_apart() {
        let (one, other) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        one.clients.refused.inc();
        assert_eq!(other.clients.refused.get(), 0);
    }

    #[test]
    fn exactly_one_image_state_is_told() {
        let metrics = Metrics::new().unwrap();
        metrics.image.set_state(ImageState::Ready);
        metrics.image.set_state(ImageState::Down);
        let text = metrics.text().unwrap();
        for line in [
            "stui_image_state{state=\"down\"} 1\n",
            "stui_image_state{state=\"ready\"} 0\n",
            "stui_image_up 0\n",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
    }

    #[test]
    fn what_alerts_count_is_there_before_it_happens() {
        let text = Metrics::new().unwrap().text().unwrap();
        for line in [
            "stui_requests_total{command=\"evaluate\",outcome=\"OutcomeUnknown\"} 0\n",
            "stui_requests_total{command=\"ping\",outcome=\"InternalError\"} 0\n",
            "stui_link_disconnects_total 0\n",
            "stui_link_replies_dropped_total{reason=\"late\"} 0\n",
            "stui_image_states_total{state=\"down\"} 0\n",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
    }

    #[test]
    fn the_process_is_told_about() {
        let text = Metrics::new().unwrap().text().unwrap();
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes ") > 1e6);
        assert!(value("process_virtual_memory_bytes ") > 1e6);
        assert!(value("process_open_fds ") >= 3.0);
        assert!(value("process_max_fds ") >= 3.0);
        assert!(value("process_threads ") >= 1.0);
        assert!(value("process_cpu_seconds_total ") >= 0.0);
        assert!(value("process_start_time_seconds ") > 1.7e9);
    }
}
