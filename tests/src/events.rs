//! Somebody who listens to an image's event link.

use std::fmt;
use std::time::Instant;

use serde_json::json;
use stui_protocol::codec::event::decode_event;
use stui_protocol::image::CloseSession;
use stui_protocol::{Event, EventName};

use crate::asking::{Asking, new_id};
use crate::image::Image;
use crate::patience::PATIENCE;

/// One wait for an event, in milliseconds; patience is many of them.
const WAIT_MS: i32 = 50;

/// A subscription to all events of an image. All that it has heard is kept.
pub struct Events {
    socket: zmq::Socket,
    heard: Vec<Event>,
}

impl Events {
    /// Listens to an image. When this returns, the subscription is in force: an event has been
    /// heard.
    ///
    /// Answers none when the image publishes no events.
    pub fn listen(image: &Image) -> Option<Self> {
        let endpoint = image.events_endpoint()?;
        let socket = zmq::Context::new().socket(zmq::SUB).expect("a SUB socket");
        socket.set_rcvtimeo(WAIT_MS).expect("a receive timeout");
        socket.set_rcvhwm(0).expect("no bound on what waits");
        socket.set_subscribe(b"").expect("subscribing");
        socket.connect(&endpoint).expect("an endpoint");
        let mut events = Self {
            socket,
            heard: Vec::new(),
        };
        events.wait_for_the_subscription(image);
        Some(events)
    }

    /// Makes and closes sessions until something of it is heard.
    fn wait_for_the_subscription(&mut self, image: &Image) {
        let client = image.client();
        let began = Instant::now();
        while self.heard.is_empty() {
            assert!(began.elapsed() < PATIENCE, "no event was ever heard");
            let parameters = json!({"client_id": new_id("listener"), "timeout": 60});
            let made = client.ask::<stui_protocol::image::CreateSession>(parameters);
            client.ask::<CloseSession>(json!({"session_id": made.session_id}));
            self.hear();
        }
    }

    /// Waits a short while for one event.
    fn hear(&mut self) -> Option<&Event> {
        let frames = self.socket.recv_multipart(0).ok()?;
        let [topic, body] = frames.as_slice() else {
            panic!("an event has two frames: {frames:?}");
        };
        let event = decode_event(topic, body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)));
        self.heard.push(event);
        self.heard.last()
    }

    /// Waits until an event for which `is_it` holds was heard, now or before.
    pub fn wait_for(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) -> Event {
        if let Some(event) = self.heard.iter().find(|event| is_it(event)) {
            return event.clone();
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(event) = self.hear()
                && is_it(event)
            {
                return event.clone();
            }
        }
        panic!("never heard {what}, only {:#?}", self.heard);
    }

    /// Waits for the end of an evaluation and answers its events, in the order of their arrival.
    pub fn of_evaluation(&mut self, evaluation_id: &str) -> Vec<Event> {
        let is_its = |event: &Event| event.evaluation_id.as_deref() == Some(evaluation_id);
        self.wait_for(&format!("the end of {evaluation_id}"), |event| {
            is_its(event) && event.event == EventName::EvaluationFinished
        });
        self.heard
            .iter()
            .filter(|event| is_its(event))
            .cloned()
            .collect()
    }

    /// All events heard so far.
    #[must_use]
    pub fn heard(&self) -> &[Event] {
        &self.heard
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("heard", &self.heard)
            .finish_non_exhaustive()
    }
}
