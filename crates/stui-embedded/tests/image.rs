//! A whole embedded image through its API and its link: what the stories of every image cannot
//! say, because it is about this one: its life, its processes, its folder.
#![allow(
    clippy::expect_used,
    reason = "an expectation that fails is a failed test"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stui_embedded::{Config, EmbeddedImage, StartError};
use stui_protocol::codec::image::decode_reply;
use stui_protocol::{ErrorType, Outcome};
use zmq::{Context, Socket};

/// Patience for a reply that must come, in milliseconds.
const PATIENCE_MS: i32 = 20_000;

/// A client that asks one thing after the other.
struct Client {
    socket: Socket,
    asked: u32,
    name: &'static str,
}

impl Client {
    fn of(image: &EmbeddedImage, name: &'static str) -> Self {
        let socket = Context::new().socket(zmq::REQ).expect("a socket");
        socket.set_rcvtimeo(PATIENCE_MS).expect("a patience");
        socket.set_linger(0).expect("no linger");
        socket.connect(image.endpoint()).expect("a connection");
        Self {
            socket,
            asked: 0,
            name,
        }
    }

    /// Sends a request; answers its id.
    fn send(&mut self, version: &str, command: &str, parameters: &Value) -> String {
        self.asked += 1;
        let id = format!("{}-{}", self.name, self.asked);
        let request =
            json!({"id": id, "command": command, "parameters": parameters, "version": version});
        self.socket
            .send(request.to_string().as_str(), 0)
            .expect("a request on its way");
        id
    }

    fn receive(&self) -> Outcome {
        let body = self.socket.recv_bytes(0).expect("a reply");
        decode_reply(&body)
            .expect("a reply that can be read")
            .outcome
    }

    fn ask(&mut self, command: &str, parameters: &Value) -> Outcome {
        self.send("1.1", command, parameters);
        self.receive()
    }

    fn session(&mut self, name: &str) -> String {
        let made = self.ask("create_session", &json!({"client_id": "c", "name": name}));
        text(&made.expect("a session")["session_id"])
    }

    /// Evaluates to the end.
    fn evaluate(&mut self, session: &str, code: &str) -> Outcome {
        let parameters = json!({"session_id": session, "code": code, "wait_ms": 15_000});
        self.ask("evaluate", &parameters)
    }

    fn value(&mut self, session: &str, code: &str) -> String {
        text(&self.evaluate(session, code).expect("a value")["result"])
    }

    /// Starts an evaluation; answers its id.
    fn start(&mut self, session: &str, code: &str) -> String {
        let id = self.send(
            "1.1",
            "evaluate",
            &json!({"session_id": session, "code": code}),
        );
        self.receive().expect("a running evaluation");
        id
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn image() -> EmbeddedImage {
    EmbeddedImage::start(Config::default()).expect("an image")
}

fn image_in(folder: &Path) -> EmbeddedImage {
    EmbeddedImage::start(Config {
        state_dir: Some(folder.to_owned()),
        save_on_stop: true,
        ..Config::default()
    })
    .expect("an image with a state directory")
}

#[test]
fn pings_are_answered_while_twenty_sessions_loop() {
    let image = image();
    let mut client = Client::of(&image, "c");
    for _ in 0..20 {
        let session = client.session("loops");
        client.start(&session, "[true] whileTrue");
    }
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let begun = Instant::now();
            client.ask("ping", &json!({})).expect("a pong");
            begun.elapsed()
        })
        .collect();
    times.sort();
    // The machine may be busy with other tests: the median is what the image is answerable for.
    assert!(times[100] < Duration::from_millis(10), "{:?}", times[100]);
}

#[test]
fn an_evaluation_that_took_too_long_says_where_it_was() {
    let image = image();
    let mut client = Client::of(&image, "c");
    let session = client.session("loops");
    let parameters = json!({
        "session_id": session, "code": "#(1) do: [ :each |\n[ true ] whileTrue ]",
        "timeout_ms": 100, "wait_ms": 15_000,
    });

    let failure = client.ask("evaluate", &parameters).expect_err("a timeout");

    assert_eq!(failure.error_type, ErrorType::Timeout);
    let stack = failure.details["stack"].as_array().expect("a stack");
    assert_eq!(stack[0]["method"], "[ ... ] in UndefinedObject>>DoIt");
    assert_eq!(stack[0]["line"], 2);
    assert_eq!(stack[stack.len() - 1]["method"], "UndefinedObject>>DoIt");
}

#[test]
fn an_old_client_that_waits_holds_up_nobody() {
    let image = image();
    let (mut old, mut new) = (Client::of(&image, "old"), Client::of(&image, "new"));
    let session = new.session("s");
    let loops = json!({"session_id": session, "code": "[true] whileTrue"});
    let waiting = old.send("1.0", "evaluate", &loops);
    new.ask("ping", &json!({})).expect("a pong");
    // The evaluation may not have arrived yet: ask until it is known.
    let stopped = loop {
        match new.ask("interrupt", &json!({"evaluation_id": waiting})) {
            Err(failure) if failure.error_type == ErrorType::EvaluationNotFound => {}
            other => break other,
        }
    };
    assert_eq!(stopped.expect("a tier")["evaluation_id"], json!(waiting));
    let failure = old.receive().expect_err("an interrupt");
    assert_eq!(failure.error_type, ErrorType::Interrupted);
}

#[test]
fn forked_processes_go_on_in_their_session_and_end_with_an_interrupt() {
    let image = image();
    let mut client = Client::of(&image, "c");
    let session = client.session("s");
    let fork = "ticks := 0. [[ticks := ticks + 1. (Delay forMilliseconds: 1) wait] repeat] fork. 3";
    assert_eq!(client.value(&session, fork), "3");
    let begun = Instant::now();
    while client.value(&session, "ticks") == "0" {
        assert!(begun.elapsed() < Duration::from_secs(10), "it never ticks");
    }
    let interrupt = client.ask("interrupt", &json!({"session_id": session}));
    assert_eq!(interrupt.expect("a tier")["tier"], "terminate");
    let wait = "before := ticks. (Delay forMilliseconds: 50) wait. ticks = before";
    assert_eq!(client.value(&session, wait), "true");
    let interrupt = client.ask("interrupt", &json!({"session_id": session}));
    assert_eq!(interrupt.expect("a tier")["tier"], "idle");
}

#[test]
fn an_image_that_was_stopped_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image_in(folder.path());
    let before = image.instance().to_owned();
    let mut client = Client::of(&image, "c");
    let session = client.session("work");
    for code in [
        "Object subclass: #Above instanceVariableNames: 'a' classVariableNames: '' package: 'P'",
        "(Smalltalk at: #Above) subclass: #Below instanceVariableNames: 'b' classVariableNames: '' package: 'P'",
        "(Smalltalk at: #Below) compile: 'b ^ b ifNil: [b := 7]'",
        "(Smalltalk at: #Below) class compile: 'make ^ self new b; yourself'",
        "Integer compile: 'doubled ^ self * 2'",
        "Object variableSubclass: #Row instanceVariableNames: '' classVariableNames: '' package: 'P'",
        "kept := Below make. number := 6 factorial",
    ] {
        client.evaluate(&session, code).expect("no failure");
    }
    image.stop();

    let image = image_in(folder.path());
    assert_ne!(image.instance(), before);
    let mut client = Client::of(&image, "c");
    assert_eq!(client.value(&session, "Below make b doubled"), "14");
    assert_eq!(client.value(&session, "Below superclass"), "Above");
    assert_eq!(client.value(&session, "(Row new: 3) size"), "3");
    assert_eq!(client.value(&session, "kept b + number"), "727");
    let summary = client.ask("get_context_summary", &json!({"session_id": session}));
    let history = &summary.expect("a summary")["history"];
    assert_eq!(history.as_array().map(Vec::len), Some(11));
}

#[test]
fn a_snapshot_that_is_damaged_is_told_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image.snapshot");
    std::fs::write(&path, "garbage").expect("a damaged snapshot");
    let started = EmbeddedImage::start(Config {
        state_dir: Some(folder.path().to_owned()),
        ..Config::default()
    });
    let Err(StartError::Snapshot { path: told, .. }) = started else {
        panic!("{started:?}");
    };
    assert_eq!(Path::new(&told), path);
    assert_eq!(std::fs::read(&path).expect("the file"), b"garbage");
}

#[test]
fn an_image_stops_soon_whatever_runs_in_it() {
    let image = image();
    let mut client = Client::of(&image, "c");
    let session = client.session("s");
    client.start(&session, "[[true] whileTrue] ensure: [[true] whileTrue]");
    let begun = Instant::now();
    image.stop();
    assert!(begun.elapsed() < Duration::from_secs(5));
}
