//! The event link: what the image tells without being asked.
//!
//! PUB drops what it cannot deliver, so nothing may rely on an event alone: a hole in the numbers,
//! or a new connection, makes [`Listener::on_loss`] ask for what may have been missed.

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::codec::event::decode_event;
use stui_protocol::{Event, EventName};
use tmq::Multipart;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Image;
use super::address::{Address, Approach};
use super::link::Change;
use super::link::zeromq::{Watched, next_change, set_connection_options};
use crate::metrics::Metrics;

/// Events that ZeroMQ may hold while this task is busy; more are lost and repaired.
const HIGH_WATER_MARK: i32 = 10_000;
const MAX_FRAME_BYTES: i64 = stui_protocol::limits::MAX_MESSAGE_BYTES as i64 + 1024;

/// Before an image that has refused the daemon is asked again.
const REFUSED_AGAIN: Duration = Duration::from_secs(1);

/// Who hears the events.
pub trait Listener: Send + Sync + 'static {
    /// Something happened in the image. Must not wait.
    fn on_event(&self, event: Event);
    /// Something may have happened that was not told: ask. Must not wait.
    fn on_loss(&self);
}

/// Listens until told to stop: at the given endpoint, or where the image says that it publishes.
pub async fn run(
    image: Image,
    configured: Option<String>,
    approach: Approach,
    listener: Arc<impl Listener>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let mut told = image.life.events_endpoint();
    loop {
        let said = told.borrow_and_update().clone();
        let endpoint = configured.clone().or(said);
        let address = endpoint.and_then(|endpoint| reach(&approach, &endpoint));
        tokio::select! {
            () = stop.cancelled() => return,
            // The sender lives as long as the image.
            _ = told.changed(), if configured.is_none() => {}
            () = listen(&image, address.as_ref(), &*listener, &metrics) => {}
        }
        image.life.set_events_live(false);
    }
}

/// The address of an endpoint, unless the image has named one that may not be.
fn reach(approach: &Approach, endpoint: &str) -> Option<Address> {
    if approach.permits(endpoint) {
        return Some(approach.to(endpoint));
    }
    tracing::warn!(
        endpoint,
        "the image publishes its events on another machine without CURVE keys; asking instead"
    );
    None
}

/// Listens at one endpoint until it is refused, or dropped.
async fn listen(
    image: &Image,
    address: Option<&Address>,
    listener: &impl Listener,
    metrics: &Metrics,
) {
    let Some(address) = address else {
        return std::future::pending().await;
    };
    let endpoint = &address.endpoint;
    let mut watched = match open(address) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::warn!(endpoint, %error, "listening for events of the image, asking instead");
            return std::future::pending().await;
        }
    };
    let mut numbers = Numbers::default();
    loop {
        tokio::select! {
            biased;
            change = next_change(&mut watched.monitor, address) => {
                tracing::info!(endpoint, ?change, "the event link");
                image.life.set_events_live(change == Change::Up);
                listener.on_loss();
                if let Change::Refused(_) = change {
                    // ZeroMQ may not come again by itself.
                    return sleep_until(Instant::now() + REFUSED_AGAIN).await;
                }
            }
            frames = watched.socket.receive() => match frames {
                Ok(frames) => hear(image, &frames, &mut numbers, listener, metrics),
                Err(_) => {
                    tracing::error!(endpoint, "the socket for events cannot be read, asking instead");
                    image.life.set_events_live(false);
                    return std::future::pending().await;
                }
            }
        }
    }
}

fn open(address: &Address) -> Result<Watched, tmq::TmqError> {
    let context = zmq::Context::new();
    let socket = context.socket(zmq::SUB)?;
    socket.set_linger(0)?;
    socket.set_rcvhwm(HIGH_WATER_MARK)?;
    socket.set_maxmsgsize(MAX_FRAME_BYTES)?;
    set_connection_options(&socket, address)?;
    let mut watched = Watched::new(&context, socket)?;
    let socket = watched.socket.get();
    socket.connect(&address.endpoint)?;
    socket.set_subscribe(b"")?;
    Ok(watched)
}

fn hear(
    image: &Image,
    frames: &Multipart,
    numbers: &mut Numbers,
    listener: &impl Listener,
    metrics: &Metrics,
) {
    let mut parts = frames.iter();
    let (Some(topic), Some(body)) = (parts.next(), parts.next()) else {
        return;
    };
    let event = match decode_event(topic, body) {
        Ok(event) => event,
        Err(error) => return tracing::warn!(%error, "reading an event of the image"),
    };
    let lost = numbers.lost_before(&event);
    if lost > 0 {
        tracing::warn!(lost, "events of the image were lost, asking instead");
        metrics.link.events_lost.inc_by(lost);
    }
    match event.event {
        EventName::ImageSaving => image.life.saving(true),
        EventName::ImageSaved => image.life.saving(false),
        _ => {}
    }
    listener.on_event(event);
    if lost > 0 {
        listener.on_loss();
    }
}

/// Counts the events of one life of the image.
#[derive(Debug, Default)]
struct Numbers {
    instance: Option<String>,
    last: u64,
}

impl Numbers {
    /// How many events are missing between the last one and this.
    fn lost_before(&mut self, event: &Event) -> u64 {
        let Some(seq) = event.seq else {
            return 0;
        };
        let lost = if self.instance == event.instance {
            seq.saturating_sub(self.last.saturating_add(1))
        } else {
            // Whatever this life told before was not for us: we were not there yet.
            self.instance.clone_from(&event.instance);
            0
        };
        self.last = seq;
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(instance: &str, seq: u64) -> Event {
        let mut event = Event::new(EventName::Heartbeat, &serde_json::json!({}));
        event.instance = Some(instance.to_owned());
        event.seq = Some(seq);
        event
    }

    #[test]
    fn a_hole_in_the_numbers_is_counted() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.lost_before(&event("a", 5)), 0);
        assert_eq!(numbers.lost_before(&event("a", 6)), 0);
        assert_eq!(numbers.lost_before(&event("a", 9)), 2);
    }

    #[test]
    fn another_life_counts_anew() {
        let mut numbers = Numbers::default();
        numbers.lost_before(&event("a", 50));
        assert_eq!(numbers.lost_before(&event("b", 1)), 0);
        assert_eq!(numbers.lost_before(&event("b", 3)), 1);
    }
}
