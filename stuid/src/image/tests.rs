//! An image that breaks the protocol costs a socket and never a wrong answer. The image here is a
//! bare ROUTER whose every frame the test chooses.

use std::time::Duration;

use serde_json::{Value, json};
use stui_protocol::Version;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::*;
use crate::limits::Limits;

/// Longer than anything here takes on a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at something that has no way to tell.
async fn look_again() {
    sleep_until(Instant::now() + Duration::from_millis(1)).await;
}

/// The worst image there can be.
struct Rogue {
    router: zmq::Socket,
    endpoint: String,
    _dir: tempfile::TempDir,
}

/// A request as it came: who sent it, its number, its body.
struct Came {
    peer: Vec<u8>,
    number: Vec<u8>,
    body: Value,
}

impl Came {
    fn is(&self, command: &str) -> bool {
        self.body["command"] == command
    }

    fn right(&self) -> Vec<u8> {
        self.answer(&self.body["id"])
    }

    fn answer(&self, id: &Value) -> Vec<u8> {
        let result = json!({
            "message": null, "status": "ready", "uptime": 1.0, "instance": "a",
            "evaluations_running": 0, "evaluator_lag_ms": 0.0, "info": {"of": self.body["id"]},
            "classes": [], "total_count": 0,
        });
        json!({"id": id, "status": "success", "result": result, "instance": "a"})
            .to_string()
            .into_bytes()
    }
}

impl Rogue {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = format!("ipc://{}", dir.path().join("rogue").display());
        let router = zmq::Context::new().socket(zmq::ROUTER).unwrap();
        router.set_linger(0).unwrap();
        router.bind(&endpoint).unwrap();
        Self {
            router,
            endpoint,
            _dir: dir,
        }
    }

    /// The next request for that command; others are answered as they should be.
    async fn asked(&self, command: &str) -> Came {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.come() {
                Some(came) if came.is(command) => return came,
                Some(other) => self.say(&other, &[&other.number, b"", &other.right()]),
                None => look_again().await,
            }
        }
        panic!("nobody asked for {command}")
    }

    fn come(&self) -> Option<Came> {
        let frames = self.router.recv_multipart(zmq::DONTWAIT).ok()?;
        let [peer, number, empty, body] = frames.try_into().expect("a request in its envelope");
        assert!(empty.is_empty());
        let body = serde_json::from_slice(&body).unwrap();
        Some(Came { peer, number, body })
    }

    fn say(&self, came: &Came, frames: &[&[u8]]) {
        let frames = [&[came.peer.as_slice()], frames].concat();
        // A peer that has gone takes nothing.
        let _ = self.router.send_multipart(frames, zmq::DONTWAIT);
    }
}

struct Bridge {
    image: Image,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

type Told = Result<Reply, LinkError>;

impl Bridge {
    fn to(rogue: &Rogue) -> Self {
        let metrics = Arc::new(Metrics::new().unwrap());
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let address = Heartbeat::Auto.at(&rogue.endpoint);
        let limits = Current::new(Limits::ROOMY);
        let image = Image::start(&address, limits, &metrics, &tasks, &stop).unwrap();
        Self {
            image,
            metrics,
            stop,
        }
    }

    /// Asks for something that takes until it is answered, or so long.
    fn ask(&self, limit: Duration) -> JoinHandle<Told> {
        self.ask_for("system_info", limit)
    }

    fn ask_for(&self, command: &str, limit: Duration) -> JoinHandle<Told> {
        let image = self.image.clone();
        let request = Request {
            id: new_id(),
            command: command.to_owned(),
            parameters: serde_json::Map::new(),
            version: Version::CURRENT,
        };
        tokio::spawn(async move { image.call(&request, Instant::now() + limit).await })
    }

    fn replaced(&self, why: &str) -> u64 {
        self.metrics
            .link
            .sockets_replaced
            .with_label_values(&[why])
            .get()
    }

    /// The image answers as it should, and everybody gets his own.
    async fn is_well(&self, rogue: &Rogue) {
        let asking = self.ask(PATIENCE);
        let came = rogue.asked("system_info").await;
        rogue.say(&came, &[&came.number, b"", &came.right()]);
        let reply = asking.await.unwrap().unwrap();
        assert_eq!(reply.outcome.unwrap()["info"]["of"], came.body["id"]);
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn whatever_the_frames_of_a_reply_are_it_is_unknown_and_costs_one_socket() {
    let rogue = Rogue::new();
    let bridge = Bridge::to(&rogue);
    let mut wrong = 0;
    for kind in [
        "no delimiter",
        "a long number",
        "an invented number",
        "more",
    ] {
        let asking = bridge.ask(PATIENCE);
        let came = rogue.asked("system_info").await;
        let (number, right) = (came.number.as_slice(), came.right());
        match kind {
            "no delimiter" => rogue.say(&came, &[number, &right]),
            "a long number" => rogue.say(&came, &[&[number, &[0]].concat(), b"", &right]),
            "an invented number" => rogue.say(&came, &[&[0xff; 8], b"", &right]),
            _ => rogue.say(&came, &[number, b"", &right, b"more"]),
        }
        wrong += 1;
        assert_eq!(asking.await.unwrap(), Err(LinkError::Unknown), "{kind}");
        assert_eq!(bridge.replaced("garbage"), wrong, "{kind}");
        bridge.is_well(&rogue).await;
    }
}

#[tokio::test]
async fn a_body_that_is_no_reply_to_the_request_is_unknown_and_costs_one_socket() {
    let rogue = Rogue::new();
    let bridge = Bridge::to(&rogue);
    let mut wrong = 0;
    for body in [&b"no json"[..], b"", b"{}", b"\xff", b"stranger"] {
        let asking = bridge.ask(PATIENCE);
        let came = rogue.asked("system_info").await;
        let stranger = came.answer(&json!("of somebody else"));
        let body = if body == b"stranger" { &stranger } else { body };
        rogue.say(&came, &[&came.number, b"", body]);
        let told = asking.await.unwrap();
        assert!(matches!(told, Err(LinkError::Nonsense(_))), "{told:?}");
        wrong += 1;
        bridge.is_well(&rogue).await;
        assert_eq!(bridge.replaced("garbage"), wrong);
    }
}

#[tokio::test]
async fn a_second_reply_is_dropped_and_nobody_else_gets_it() {
    let rogue = Rogue::new();
    let bridge = Bridge::to(&rogue);
    let first = bridge.ask(PATIENCE);
    let came = rogue.asked("system_info").await;
    rogue.say(&came, &[&came.number, b"", &came.right()]);
    first.await.unwrap().unwrap();

    let second = bridge.ask(PATIENCE);
    let next = rogue.asked("system_info").await;
    rogue.say(&came, &[&came.number, b"", &came.right()]);
    rogue.say(&next, &[&next.number, b"", &next.right()]);
    let reply = second.await.unwrap().unwrap();
    assert_eq!(reply.outcome.unwrap()["info"]["of"], next.body["id"]);

    bridge.is_well(&rogue).await;
    let dropped = bridge
        .metrics
        .link
        .replies_dropped
        .with_label_values(&["again"]);
    assert_eq!(dropped.get(), 1);
    assert_eq!(bridge.replaced("garbage"), 1);
}

#[tokio::test]
async fn a_reply_that_never_comes_is_unknown_at_the_deadline_and_costs_one_socket() {
    let rogue = Rogue::new();
    let bridge = Bridge::to(&rogue);
    bridge.is_well(&rogue).await;
    let lost = bridge.ask(Duration::from_millis(50));
    rogue.asked("system_info").await;
    let other = bridge.ask(PATIENCE);
    assert_eq!(lost.await.unwrap(), Err(LinkError::TimedOut));

    // The image goes on and has forgotten what it owes.
    let came = rogue.asked("system_info").await;
    rogue.say(&came, &[&came.number, b"", &came.right()]);
    let reply = other.await.unwrap().unwrap();
    assert_eq!(reply.outcome.unwrap()["info"]["of"], came.body["id"]);
    assert_eq!(bridge.replaced("silence"), 1);
}

#[tokio::test]
async fn a_frozen_image_keeps_its_socket_and_its_late_reply_is_dropped() {
    let rogue = Rogue::new();
    let bridge = Bridge::to(&rogue);
    bridge.is_well(&rogue).await;
    let frozen = bridge.ask(Duration::from_millis(50));
    let came = rogue.asked("system_info").await;
    assert_eq!(frozen.await.unwrap(), Err(LinkError::TimedOut));
    let unsent = bridge.ask(Duration::from_millis(50));
    assert_eq!(unsent.await.unwrap(), Err(LinkError::NotSentInTime));

    rogue.say(&came, &[&came.number, b"", &came.right()]);
    let dropped = bridge
        .metrics
        .link
        .replies_dropped
        .with_label_values(&["late"]);
    let until = Instant::now() + PATIENCE;
    while dropped.get() == 0 && Instant::now() < until {
        look_again().await;
    }
    bridge.is_well(&rogue).await;
    assert_eq!((dropped.get(), bridge.replaced("silence")), (1, 0));
}

#[tokio::test]
async fn when_a_socket_is_replaced_what_waits_goes_by_the_new_one() {
    let rogue = Rogue::new();
    let bridge = Bridge::to(&rogue);
    let spoiled = bridge.ask(PATIENCE);
    let came = rogue.asked("system_info").await;
    // An image that stands still gets nothing more.
    sleep_until(Instant::now() + Duration::from_millis(20)).await;
    let waiting = bridge.ask_for("list_classes", PATIENCE);
    rogue.say(&came, &[b"garbage"]);
    assert_eq!(spoiled.await.unwrap(), Err(LinkError::Unknown));
    bridge.is_well(&rogue).await;
    assert!(waiting.await.unwrap().is_ok());
}
