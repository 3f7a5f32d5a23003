//! The image link without ZeroMQ: lines of JSON over TCP.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stui_protocol::ErrorType;
use stui_protocol::daemon::ImageState;
use stui_protocol::image::{Evaluate, Job};
use stui_tests::process::Process;
use stui_tests::{Asking, patience};
use tempfile::TempDir;

use crate::support::Daemon;

fn daemon_before(endpoint: &str) -> (Daemon, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("stuid.toml");
    let text = format!("[image]\nprotocol = \"tcp\"\nendpoint = \"{endpoint}\"\n");
    std::fs::write(&config, text).unwrap();
    (Daemon::with(&["--config", config.to_str().unwrap()]), dir)
}

#[test]
fn an_embedded_image_is_driven_through_lines() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| format!("ipc://{}", dir.path().join(name).display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_stuid"));
    command.args(["embedded-image", "--tcp", "127.0.0.1:0"]);
    command.args(["--bind", &place("image"), "--events", &place("events")]);
    let image = Process::start("image", &mut command, dir.path());
    let address = patience::until("an image that serves lines", || {
        let log = image.log();
        let line = log.lines().find(|line| line.contains("lines over TCP"))?;
        Some(line.split("address=").nth(1)?.trim().to_owned())
    });
    let (daemon, _dir) = daemon_before(&format!("tcp://{address}"));
    daemon.wait_for_image(ImageState::Ready);

    let client = daemon.client();
    let session = client.session();
    assert_eq!(session.value("x := 3 + 4"), "7");
    assert_eq!(session.value("x * 2"), "14");
    let large = format!("'{}' size", "x".repeat(512 * 1024));
    let evaluated = client.ask::<Evaluate>(json!({"code": large}));
    assert!(matches!(evaluated, Job::Finished(done) if done.result == "524288"));
}

/// An image that keeps to itself what `system_info` was asked and hangs up, once.
struct Rude {
    endpoint: String,
    connections: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Rude {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        let (connections, asked) = (Arc::default(), Arc::default());
        let rude = Self {
            endpoint,
            connections: Arc::clone(&connections),
            asked: Arc::clone(&asked),
        };
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let first = connections.fetch_add(1, Ordering::SeqCst) == 0;
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                for line in lines.map_while(Result::ok) {
                    let request: Value = serde_json::from_str(&line).unwrap();
                    let command = request["command"].as_str().unwrap().to_owned();
                    asked.lock().unwrap().push(command.clone());
                    if command == "system_info" && first {
                        break;
                    }
                    let reply = json!({
                        "id": request["id"], "status": "success", "instance": "rude",
                        "timestamp": "2026-01-01T00:00:00Z", "result": result_of(&command),
                    });
                    if writeln!(stream, "{reply}").is_err() {
                        break;
                    }
                }
            }
        });
        rude
    }

    fn count(&self, command: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|each| *each == command).count()
    }
}

fn result_of(command: &str) -> Value {
    match command {
        "ping" => json!({
            "status": "ready", "uptime": 1.0, "instance": "rude", "evaluations_running": 0,
            "evaluator_lag_ms": 0.0,
        }),
        "list_sessions" => json!({"sessions": []}),
        "system_info" => json!({"info": {}}),
        // As protocol 1.0 has it.
        "evaluate" => json!({
            "result": "7", "result_type": "SmallInteger", "execution_time": 1, "has_error": false,
        }),
        other => json!({"echo": other}),
    }
}

#[test]
fn what_was_sent_when_the_connection_ends_is_unknown_and_not_sent_again() {
    let image = Rude::start();
    let (daemon, _dir) = daemon_before(&image.endpoint);
    daemon.wait_for_image(ImageState::Ready);
    let client = daemon.client();

    let failure = client.reply("system_info", json!({})).outcome.unwrap_err();

    assert_eq!(failure.error_type, ErrorType::OutcomeUnknown);
    daemon.wait_for_image(ImageState::Ready);
    assert_eq!(
        image.connections.load(Ordering::SeqCst),
        2,
        "it has come again"
    );
    assert_eq!(image.count("system_info"), 1);
    assert!(client.reply("system_info", json!({})).outcome.is_ok());
}

#[test]
fn an_image_that_names_no_evaluations_is_understood() {
    let image = Rude::start();
    let (daemon, _dir) = daemon_before(&image.endpoint);
    daemon.wait_for_image(ImageState::Ready);
    let evaluated = daemon.client().ask::<Evaluate>(json!({"code": "3 + 4"}));
    assert!(matches!(evaluated, Job::Finished(done) if done.result == "7"));
}

#[test]
fn an_image_that_only_babbles_is_asked_less_and_less_often() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                if writeln!(stream, "what?").is_err() {
                    break;
                }
            }
        }
    });
    let began = Instant::now();
    let (_daemon, _dir) = daemon_before(&endpoint);
    patience::until("some connections", || {
        (connections.load(Ordering::SeqCst) >= 9).then_some(())
    });
    let took = began.elapsed();
    assert!(took > Duration::from_secs(1), "{took:?} for nine sockets");
}

#[test]
fn lines_are_served_to_this_machine_only() {
    let output = Command::new(env!("CARGO_BIN_EXE_stuid"))
        .args(["embedded-image", "--tcp", "0.0.0.0:0"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("use 127.0.0.1"), "{said}");
}
