//! Garbage on the daemon's socket: it is answered or the connection is closed, and everybody else
//! is served on. (Garbage on the image link is told among the conformance stories.)

use serde_json::json;
use stui_protocol::daemon::{Attach, Await, Submit};
use stui_protocol::image::Job;
use stui_protocol::{ErrorType, EventName};
use stui_tests::asking::{new_id, request};
use stui_tests::{Asking, Client, Daemon};

/// Sends bytes; the daemon must answer with that error or close the connection.
fn refused(daemon: &Daemon, bytes: &[u8], error_type: ErrorType) {
    let client = daemon.client();
    // The daemon may close before it has read everything.
    let _ = client.send_bytes(bytes);
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
    if let Some(reply) = client.next_reply() {
        let failure = reply.outcome.expect_err(&shown);
        assert_eq!(failure.error_type, error_type, "{shown}");
    }
}

/// Somebody who was there before the garbage came, and is still served.
struct Bystander<'a> {
    client: &'a Client,
}

impl Bystander<'_> {
    fn is_served(&self) {
        assert!(self.client.reply("ping", json!({})).outcome.is_ok());
        assert_eq!(self.client.session().value("3 + 4"), "7");
    }
}

#[test]
fn lines_that_are_no_requests_are_answered_and_the_connection_stays() {
    let daemon = Daemon::start();
    let client = daemon.client();

    for line in [
        "no json",
        "[]",
        "42",
        "null",
        "{\"id\": \"1\"",
        "{}",
        "{\"id\": 7}",
    ] {
        client
            .send_bytes(format!("{line}\n").as_bytes())
            .expect("sending");
        let reply = client.next_reply().expect("an answer");
        assert_eq!(reply.id, None, "{line}");
        let failure = reply.outcome.expect_err(line);
        assert_eq!(failure.error_type, ErrorType::InvalidRequest, "{line}");
    }
    client.send_bytes(b"\n  \r\n").expect("sending blank lines");
    assert!(client.reply("ping", json!({})).outcome.is_ok());
}

#[test]
fn bytes_that_are_not_utf_8_and_depth_without_measure_are_refused() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let bystander = Bystander { client: &client };
    let arrays = format!("{}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}\n", "{\"a\":".repeat(10_000));

    refused(&daemon, b"\xff\xfe\x00\x01\n", ErrorType::InvalidRequest);
    refused(&daemon, arrays.as_bytes(), ErrorType::InvalidRequest);
    refused(&daemon, objects.as_bytes(), ErrorType::InvalidRequest);

    bystander.is_served();
}

#[test]
fn a_line_of_11_mib_is_too_large_and_the_next_one_is_read() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let bystander = Bystander { client: &client };
    let large = daemon.client();
    let code = "x".repeat(11 * 1024 * 1024);
    let line = format!("{}\n", request("large", "evaluate", &json!({"code": code})));

    large.send_bytes(line.as_bytes()).expect("sending");
    let reply = large.next_reply().expect("an answer");

    let failure = reply.outcome.expect_err("too large");
    assert_eq!(failure.error_type, ErrorType::MessageTooLarge);
    assert!(
        large.reply("ping", json!({})).outcome.is_ok(),
        "the link stays up"
    );
    bystander.is_served();
}

#[test]
fn a_line_that_never_ends_is_told_so_before_its_end() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let endless = daemon.client();

    endless
        .send_bytes(&vec![b'x'; 11 * 1024 * 1024])
        .expect("sending");
    let reply = endless.next_reply().expect("an answer");

    assert_eq!(
        reply.outcome.expect_err("too large").error_type,
        ErrorType::MessageTooLarge
    );
    Bystander { client: &client }.is_served();
}

#[test]
fn half_a_message_and_then_silence_holds_up_nobody() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let silent: Vec<_> = (0..20).map(|_| daemon.client()).collect();
    for half in &silent {
        half.send_bytes(b"{\"id\": \"half\", \"command\": \"eval")
            .expect("sending");
    }

    Bystander { client: &client }.is_served();

    // The other half may still come; or the end of the connection, which is no request.
    silent[0]
        .send_bytes(b"uate\", \"parameters\": {\"code\": \"3 + 4\", \"wait_ms\": 9000}}\n")
        .expect("sending");
    assert!(silent[0].next_reply().expect("an answer").outcome.is_ok());
    silent[1].stop_sending();
    drop(silent);
    Bystander { client: &client }.is_served();
}

#[test]
fn a_client_that_never_reads_slows_nobody() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let deaf = daemon.client();
    let name = new_id("s");
    deaf.ask::<Attach>(json!({"session": name, "create": true, "mode": "watch"}));
    let reader = daemon.client();
    let session = reader.attach(&name);
    let code = "s := String new: 1000 withAll: $x. 20000 timesRepeat: [Transcript show: s]. 42";

    // Megabytes of output for a client that reads nothing of it.
    let id = session.ask::<Submit>(json!({"code": code})).evaluation_id;

    Bystander { client: &client }.is_served();
    let ended = client.ask::<Await>(json!({"evaluation_id": id}));
    assert!(matches!(ended, Job::Finished(evaluated) if evaluated.result == "42"));
    Bystander { client: &client }.is_served();
    // It hears again, from where it was: nothing twice, and what the log dropped is told.
    deaf.wait_for("the end, at last", |event| {
        event.event == EventName::EvaluationFinished
    });
    let events = deaf.events();
    let positions: Vec<u64> = events.iter().filter_map(|event| event.position).collect();
    assert!(
        positions.windows(2).all(|pair| pair[0] < pair[1]),
        "{positions:?}"
    );
    let holes = positions.windows(2).any(|pair| pair[0] + 1 != pair[1]);
    let told = [EventName::Gap, EventName::Lagging];
    assert!(!holes || events.iter().any(|event| told.contains(&event.event)));
}

#[test]
fn clients_that_come_and_go_at_any_moment_are_no_trouble() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let name = new_id("s");
    client.attach(&name);

    for turn in 0..50 {
        let passing = daemon.client();
        if turn % 2 == 0 {
            passing.send(&request(
                "a",
                "attach",
                &json!({"session": name, "mode": "watch"}),
            ));
        }
        passing.send(&request("e", "evaluate", &json!({"code": "3 + 4"})));
    }

    Bystander { client: &client }.is_served();
}
