//! The front end: plain ZeroMQ clients before the daemon.

mod owners;

use std::net::TcpListener;

use serde_json::{Value, json};
use stui_keys::{KeyPair, PublicKey};
use stui_protocol::codec::image::decode_reply;
use stui_protocol::daemon::{ListSessions, Status};
use stui_protocol::image::{Evaluate, Job, Ping};
use stui_protocol::{ErrorType, Reply};
use stui_tests::asking::{new_id, request};
use stui_tests::patience::{self, PATIENCE};
use stui_tests::{Asking, ImageClient, Scripted};
use tempfile::TempDir;

use crate::support::Daemon;

/// A daemon with a front end before a scripted image.
struct Front {
    endpoint: String,
    daemon: Daemon,
    image: Scripted,
    _dir: TempDir,
}

impl Front {
    fn open() -> Self {
        Self::with("")
    }

    /// With more lines in the section `[frontend]`.
    fn with(lines: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let endpoint = format!("ipc://{}", dir.path().join("front").display());
        let config = dir.path().join("stuid.toml");
        let text = format!("[frontend]\nendpoint = \"{endpoint}\"\n{lines}\n");
        std::fs::write(&config, text).unwrap();
        let image = Scripted::start();
        let daemon = Daemon::with(&[
            "--config",
            config.to_str().unwrap(),
            "--image",
            image.endpoint(),
            "--image-events",
            image.events_endpoint(),
        ]);
        Self {
            endpoint,
            daemon,
            image,
            _dir: dir,
        }
    }

    fn client(&self) -> ImageClient {
        ImageClient::connect(&self.endpoint)
    }

    /// A socket that is set up by the story before it connects.
    fn socket(&self, kind: zmq::SocketType, set_up: impl FnOnce(&zmq::Socket)) -> zmq::Socket {
        let socket = zmq::Context::new().socket(kind).unwrap();
        socket
            .set_rcvtimeo(i32::try_from(PATIENCE.as_millis()).unwrap())
            .unwrap();
        socket.set_linger(0).unwrap();
        set_up(&socket);
        socket.connect(&self.endpoint).unwrap();
        socket
    }

    /// A REQ of that name.
    fn named(&self, name: &str) -> zmq::Socket {
        self.socket(zmq::REQ, |socket| {
            socket.set_identity(name.as_bytes()).unwrap();
        })
    }

    /// A REQ that holds a key and knows the front end's.
    fn keyed(&self, own: &KeyPair, front: &PublicKey) -> zmq::Socket {
        self.socket(zmq::REQ, |socket| protect(socket, own, front))
    }

    fn wait_for_metric(&self, line: &str, wanted: f64) {
        patience::until(&format!("{line} {wanted}"), || {
            (self.daemon.metric(line) == Some(wanted)).then_some(())
        });
    }
}

/// Gives a socket its keys.
fn protect(socket: &zmq::Socket, own: &KeyPair, front: &PublicKey) {
    socket.set_curve_serverkey(front.bytes()).unwrap();
    socket.set_curve_publickey(own.public.bytes()).unwrap();
    socket.set_curve_secretkey(own.secret.bytes()).unwrap();
}

fn send(socket: &zmq::Socket, command: &str, parameters: &Value) -> String {
    let id = new_id("request");
    let body = request(&id, command, parameters).to_string();
    socket.send(body.as_str(), 0).unwrap();
    id
}

fn ask(socket: &zmq::Socket, command: &str, parameters: &Value) -> Reply {
    let id = send(socket, command, parameters);
    let reply = decode_reply(&socket.recv_bytes(0).unwrap()).unwrap();
    assert_eq!(reply.id, Some(id));
    reply
}

#[test]
fn a_plain_client_speaks_to_the_daemon_as_to_an_image() {
    let front = Front::open();
    let client = front.client();

    client.ask::<Ping>(json!({"message": "hello"}));
    let session = client.session();
    let finished = client.ask::<Evaluate>(session.with(json!({"code": "3 + 4"})));
    assert!(matches!(finished, Job::Finished(done) if done.result == "3 + 4"));
    let seen = front.daemon.client().ask::<ListSessions>(json!({}));
    assert_eq!(seen.sessions.len(), 1, "it is a session like any other");
    let status = client.ask::<Status>(json!({}));
    assert_eq!(status.daemon.frontend.as_deref(), Some(&front.endpoint[..]));
    let history = client.reply("history", json!({"session": session.id}));
    assert_eq!(history.outcome.unwrap()["evaluations"][0]["code"], "3 + 4");
}

#[test]
fn an_evaluation_blocks_its_client_and_no_other() {
    let front = Front::open();
    let waiting = front.socket(zmq::REQ, |_| ());
    // Without a version: a client of protocol 1.0.
    let body = json!({"id": "1", "command": "evaluate", "parameters": {"code": "hold on"}});
    waiting.send(body.to_string().as_str(), 0).unwrap();
    front.image.wait_for_code("hold on");

    front.client().ask::<Ping>(json!({}));
    assert_eq!(waiting.poll(zmq::POLLIN, 0).unwrap(), 0, "it waits");
    front.image.finish("hold on", "done");

    let reply = decode_reply(&waiting.recv_bytes(0).unwrap()).unwrap();
    let result = reply.outcome.unwrap();
    assert_eq!(
        (&result["state"], &result["result"]),
        (&json!("finished"), &json!("done"))
    );
    let asked = front.image.asked();
    let evaluate = asked
        .iter()
        .find(|asked| asked.command == "evaluate")
        .unwrap();
    // As in 1.0, less what it took to get there.
    let left = evaluate.parameters["timeout_ms"].as_u64().unwrap();
    assert!((1..=30_000).contains(&left), "{left}");
}

#[test]
fn what_needs_a_stream_is_refused_and_says_where_to_go() {
    let front = Front::open();
    let client = front.client();
    let session = client.session();
    for (command, parameters) in [
        ("attach", json!({"session": session.id})),
        ("subscribe", json!({})),
        ("detach", json!({})),
        ("admin", json!({"operation": "show"})),
    ] {
        let failure = client.reply(command, parameters).outcome.unwrap_err();
        assert_eq!(failure.error_type, ErrorType::UnsupportedOperation);
        let socket = front.daemon.socket();
        assert!(
            failure.error.contains(socket.to_str().unwrap()),
            "{failure}"
        );
    }
}

#[test]
fn garbage_of_each_kind_is_answered_and_the_next_request_served() {
    let front = Front::open();
    let client = front.client();
    for garbage in [&b""[..], b"no json", b"\xff\xfe", b"[]", b"{\"id\":1}"] {
        let reply = client.send_bytes(garbage);
        assert_eq!(reply.id, None);
        assert_eq!(
            reply.outcome.unwrap_err().error_type,
            ErrorType::InvalidRequest
        );
    }
    let failure = client.send_frames(&[b"{}", b"{}"]).outcome.unwrap_err();
    assert!(failure.error.contains("more than one frame"), "{failure}");
    let large = vec![b'x'; 10 * 1024 * 1024 + 1];
    let failure = client.send_bytes(&large).outcome.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::MessageTooLarge);
    client.ask::<Ping>(json!({}));

    let dealer = front.socket(zmq::DEALER, |_| ());
    dealer.send("{}", 0).unwrap();
    let answer = dealer.recv_multipart(0).unwrap();
    let failure = decode_reply(&answer[0]).unwrap().outcome.unwrap_err();
    assert!(failure.error.contains("no empty frame"), "{failure}");
}

#[test]
fn a_frame_beyond_all_bounds_costs_its_own_connection_only() {
    let front = Front::open();
    let client = front.client();
    let flood = front.socket(zmq::REQ, |_| ());
    flood.send(vec![b'x'; 12 * 1024 * 1024], 0).unwrap();
    client.ask::<Ping>(json!({}));
    assert_eq!(flood.poll(zmq::POLLIN, 0).unwrap(), 0);
    client.ask::<Ping>(json!({}));
}

#[test]
fn a_dealer_may_have_several_requests_under_way_and_not_too_many() {
    const MOST: usize = 16;
    let front = Front::open();
    let dealer = front.socket(zmq::DEALER, |_| ());
    let begin = |code: &str| {
        let id = new_id("request");
        let body = request(&id, "evaluate", &json!({"code": code})).to_string();
        dealer
            .send_multipart(["mark".as_bytes(), b"", body.as_bytes()], 0)
            .unwrap();
        id
    };
    let end = || {
        let answer = dealer.recv_multipart(0).unwrap();
        assert_eq!(
            answer[..2],
            [b"mark".to_vec(), b"".to_vec()],
            "what is its own comes back"
        );
        decode_reply(&answer[2]).unwrap()
    };
    let ids: Vec<_> = (0..MOST)
        .map(|number| begin(&format!("hold {number}")))
        .collect();
    for number in 0..MOST {
        front.image.wait_for_code(&format!("hold {number}"));
    }

    let one_more = begin("3");
    let refused = end();
    assert_eq!(refused.id, Some(one_more));
    let failure = refused.outcome.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::Overloaded);
    assert_eq!(failure.details["limit"], MOST);

    front.client().ask::<Ping>(json!({}));
    for (number, id) in ids.iter().enumerate().rev() {
        front.image.finish(&format!("hold {number}"), "done");
        let reply = end();
        assert_eq!(reply.id.as_ref(), Some(id), "answered as they end");
        assert!(reply.outcome.is_ok());
    }
    begin("3");
    assert!(end().outcome.is_ok(), "there is room again");
}

#[test]
fn a_client_that_has_gone_costs_a_reply_and_nobody_waits_for_it() {
    let front = Front::open();
    let client = front.client();
    let leaving = front.named("leaving");
    send(&leaving, "evaluate", &json!({"code": "hold on"}));
    front.image.wait_for_code("hold on");
    drop(leaving);
    front.wait_for_metric("stui_frontend_connections", 1.0);

    front.image.finish("hold on", "done");

    front.wait_for_metric("stui_frontend_replies_dropped_total{reason=\"gone\"}", 1.0);
    client.ask::<Ping>(json!({}));
    let back = front.named("leaving");
    assert!(ask(&back, "ping", &json!({})).outcome.is_ok());
}

#[test]
fn one_client_more_than_may_be_waits_until_another_leaves() {
    let front = Front::with("max_clients = 2");
    let (one, two) = (front.named("one"), front.named("two"));
    for socket in [&one, &two] {
        assert!(ask(socket, "ping", &json!({})).outcome.is_ok());
    }
    let third = front.named("third");
    send(&third, "ping", &json!({}));
    patience::until("a client that is refused", || {
        let refused = front
            .daemon
            .metric("stui_frontend_refused_total{reason=\"full\"}");
        refused.filter(|count| *count >= 1.0)
    });
    assert!(ask(&two, "ping", &json!({})).outcome.is_ok());
    drop(one);
    let reply = decode_reply(&third.recv_bytes(0).unwrap()).unwrap();
    assert!(reply.outcome.is_ok(), "it came again by itself");
}

#[test]
fn an_endpoint_that_cannot_be_bound_keeps_the_daemon_from_starting() {
    let front = Front::with("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp://{}", listener.local_addr().unwrap());
    for (endpoint, advice) in [
        ("ipc:///no/such/place/front", "name a place such as"),
        ("tcp://localhost:5560", "host names are not looked up"),
        (taken.as_str(), "something else is there"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let arguments = ["--image", front.image.endpoint()].map(str::to_owned);
        let mut command = crate::support::command(dir.path(), &arguments);
        command.env("STUID_FRONTEND__ENDPOINT", endpoint);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("frontend.endpoint"), "{said}");
        assert!(said.contains(advice), "{said}");
    }
}
