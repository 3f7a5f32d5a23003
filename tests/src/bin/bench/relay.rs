//! A relay between the daemon and its image that notes when each request reaches the image and
//! when its outcome leaves it. With the client's own times that is the daemon's share.
//!
//! All times are of one process, so they can be compared. What the relay itself costs counts as
//! the image's time, what ZeroMQ costs between it and the daemon counts as the daemon's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

/// Between two looks whether it should end, in milliseconds.
const TICK_MS: i64 = 50;

/// When something was in the image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stay {
    pub(crate) came: Instant,
    /// None while its outcome has not left the image.
    pub(crate) left: Option<Instant>,
}

/// Stays by what tells requests apart: the id of an evaluation, the message of a ping.
type Stays = Arc<Mutex<HashMap<String, Stay>>>;

/// A running relay; it ends when dropped.
pub(crate) struct Relay {
    pub(crate) endpoint: String,
    pub(crate) events_endpoint: String,
    stays: Stays,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _dir: TempDir,
}

impl Relay {
    pub(crate) fn start(image: &str, image_events: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the relay");
        let place = |name: &str| format!("ipc://{}", dir.path().join(name).display());
        let (endpoint, events_endpoint) = (place("relay.ipc"), place("events.ipc"));
        let context = zmq::Context::new();
        let bound = |kind, endpoint: &str| {
            let socket = context.socket(kind).expect("a socket");
            socket.set_linger(0).expect("no linger");
            socket.bind(endpoint).expect("binding the relay");
            socket
        };
        let connected = |kind, endpoint: &str| {
            let socket = context.socket(kind).expect("a socket");
            socket.set_linger(0).expect("no linger");
            socket.connect(endpoint).expect("an image");
            socket
        };
        let stays = Stays::default();
        let stop = Arc::new(AtomicBool::new(false));
        let events = connected(zmq::SUB, image_events);
        events.set_subscribe(b"").expect("subscribing");
        let inside = Inside {
            daemon: bound(zmq::ROUTER, &endpoint),
            image: connected(zmq::DEALER, image),
            events,
            publisher: bound(zmq::PUB, &events_endpoint),
            keys: HashMap::new(),
            stays: Arc::clone(&stays),
        };
        let told = Arc::clone(&stop);
        Self {
            endpoint,
            events_endpoint,
            stays,
            stop,
            thread: Some(thread::spawn(move || inside.run(&told))),
            _dir: dir,
        }
    }

    /// When that was in the image, if it was; it is forgotten then.
    pub(crate) fn take(&self, key: &str) -> Option<Stay> {
        let mut stays = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        stays.remove(key)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a relay that ended well");
        }
    }
}

/// What the relay's thread has.
struct Inside {
    daemon: zmq::Socket,
    image: zmq::Socket,
    events: zmq::Socket,
    publisher: zmq::Socket,
    /// The keys of requests under way, by all that stands before their bodies: that comes back.
    keys: HashMap<Vec<Vec<u8>>, String>,
    stays: Stays,
}

impl Inside {
    fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let mut items = [&self.daemon, &self.image, &self.events]
                .map(|socket| socket.as_poll_item(zmq::POLLIN));
            if zmq::poll(&mut items, TICK_MS).is_err() {
                continue;
            }
            let [request, reply, event] = items.map(|item| item.is_readable());
            if request {
                self.pass_request();
            }
            if reply {
                self.pass_reply();
            }
            if event {
                self.pass_event();
            }
        }
    }

    fn pass_request(&mut self) {
        let came = Instant::now();
        let mut frames = self.daemon.recv_multipart(0).expect("a request");
        self.image.send_multipart(&frames, 0).expect("passing it");
        let body = frames.pop().unwrap_or_default();
        let Some(key) = key_of(&body) else {
            return;
        };
        let mut stays = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        let stay = Stay { came, left: None };
        stays.entry(key.clone()).or_insert(stay);
        self.keys.insert(frames, key);
    }

    fn pass_reply(&mut self) {
        let frames = self.image.recv_multipart(0).expect("a reply");
        let left = Instant::now();
        // Noted before it is passed: its client asks when it was.
        let envelope = &frames[..frames.len() - 1];
        let goes_on = contains(&frames[frames.len() - 1], "\"state\":\"running\"");
        if let Some(key) = self.keys.remove(envelope)
            && !goes_on
        {
            self.leaves(&key, left);
        }
        self.daemon.send_multipart(&frames, 0).expect("passing it");
    }

    fn pass_event(&mut self) {
        let frames = self.events.recv_multipart(0).expect("an event");
        let left = Instant::now();
        if frames[0] == b"evaluation_finished"
            && let Ok(event) = serde_json::from_slice::<Value>(&frames[1])
            && let Some(key) = event["evaluation_id"].as_str()
        {
            self.leaves(key, left);
        }
        self.publisher
            .send_multipart(&frames, 0)
            .expect("passing it");
    }

    /// The first that tells the end counts.
    fn leaves(&self, key: &str, at: Instant) {
        let mut stays = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stay) = stays.get_mut(key) {
            stay.left.get_or_insert(at);
        }
    }
}

/// What tells a request of a measuring client from others.
fn key_of(body: &[u8]) -> Option<String> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let key = match request["command"].as_str()? {
        "ping" => &request["parameters"]["message"],
        "evaluate" => &request["id"],
        _ => return None,
    };
    key.as_str().map(str::to_owned)
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}
