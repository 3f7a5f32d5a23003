//! The client link: what is no request, who does not read, who comes and goes.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::json;
use stui_protocol::daemon::{Attach, Detach, ListSessions, Log, Submit};
use stui_protocol::image::Ping;
use stui_protocol::{ErrorType, Event, EventName};
use stui_tests::{Asking, Client, Scripted, patience};

use crate::support::Daemon;

/// Clients that stall are not waited for long.
const IMPATIENT: &str = "[clients]\nstall_timeout_ms = 2000\n";

#[test]
fn garbage_of_each_kind_is_answered_and_the_connection_stays() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (client, other) = (daemon.client(), daemon.client());
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for garbage in [
        &b"no json"[..],
        b"\xff\xfe\xfd",
        b"[]",
        b"{\"id\":1}",
        deep.as_bytes(),
    ] {
        client.send_bytes(garbage).unwrap();
        client.send_bytes(b"\n").unwrap();
        let reply = client.next_reply().unwrap();
        assert_eq!(reply.id, None);
        assert_eq!(
            reply.outcome.unwrap_err().error_type,
            ErrorType::InvalidRequest
        );
        other.ask::<Ping>(json!({}));
    }
    client.ask::<Ping>(json!({}));
}

#[test]
fn a_line_that_is_too_long_is_told_and_the_next_one_served() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (client, other) = (daemon.client(), daemon.client());
    client.send_bytes(&vec![b'x'; 11 * 1024 * 1024]).unwrap();
    client.send_bytes(b"\n").unwrap();
    let failure = client.next_reply().unwrap().outcome.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::MessageTooLarge);
    other.ask::<Ping>(json!({}));
    client.ask::<Ping>(json!({}));
}

#[test]
fn half_a_message_and_then_silence_ends_in_a_closed_connection() {
    let image = Scripted::start();
    let daemon = Daemon::configured(&image, IMPATIENT);
    let (client, other) = (daemon.client(), daemon.client());
    client.send_bytes(b"{\"id\": \"half\", \"comm").unwrap();
    other.ask::<Ping>(json!({}));
    let failure = client.next_reply().unwrap().outcome.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::InvalidRequest);
    assert!(client.next_reply().is_none());
    other.ask::<Ping>(json!({}));
}

#[test]
fn who_never_asks_for_anything_is_disconnected_and_who_waits_after_that_is_not() {
    let image = Scripted::start();
    let daemon = Daemon::configured(&image, IMPATIENT);
    let waiting = daemon.client();
    waiting.ask::<Ping>(json!({}));
    // They connect later, so that by their end the first has waited as long.
    let silent: Vec<_> = (0..10).map(|_| daemon.client()).collect();
    for client in &silent {
        let failure = client.next_reply().unwrap().outcome.unwrap_err();
        assert_eq!(failure.error_type, ErrorType::InvalidRequest);
        assert!(client.next_reply().is_none());
    }
    waiting.ask::<Ping>(json!({}));
}

#[test]
fn who_stops_sending_gets_all_answers_before_the_end() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    client.send(&json!({"id": "1", "command": "evaluate", "parameters": {"session": "main", "code": "hold it"}}));
    client.stop_sending();
    image.wait_for_code("hold it");
    image.finish("hold it", "42");
    assert_eq!(
        client.next_reply().unwrap().outcome.unwrap()["result"],
        "42"
    );
    assert!(client.next_reply().is_none());
}

#[test]
fn a_client_that_left_finds_the_log_as_it_was() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    session.value("one");
    let position = client.ask::<Log>(json!({"session": "main"})).position;
    assert_eq!(
        client.ask::<Detach>(json!({})).session.as_deref(),
        Some("main")
    );
    session.value("two");
    let back = daemon.client();
    back.ask::<Attach>(json!({"session": "main", "since": position}));
    back.wait_for("the second", |event| {
        event.data.get("code") == Some(&json!("two"))
    });
    let first: Vec<_> = back
        .events()
        .iter()
        .filter_map(|event| event.position)
        .take(1)
        .collect();
    assert_eq!(first, [position + 1]);
}

#[test]
fn lines_that_were_dropped_are_one_gap_and_positions_go_on() {
    let image = Scripted::start();
    let daemon = Daemon::with(&[
        "--image",
        image.endpoint(),
        "--image-events",
        image.events_endpoint(),
    ]);
    let client = daemon.client();
    let session = client.attach("main");
    let code = format!("'{}'", "x".repeat(300_000));
    for _ in 0..6 {
        session.value(&code);
    }
    let late = daemon.client();
    let joined = late.ask::<Attach>(json!({"session": "main", "mode": "watch", "since": 0}));
    late.wait_for("the newest line", |event| {
        event.position == Some(joined.position)
    });
    let events = late.events();
    let gaps: Vec<&Event> = events
        .iter()
        .filter(|event| event.event == EventName::Gap)
        .collect();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].data["from"], 1);
    let to = gaps[0].data["to"].as_u64().unwrap();
    let positions: Vec<u64> = events
        .iter()
        .skip(1)
        .filter_map(|event| event.position)
        .collect();
    assert_eq!(positions, (to + 1..=joined.position).collect::<Vec<_>>());
}

#[test]
fn who_does_not_read_at_all_is_disconnected_and_slows_nobody() {
    let image = Scripted::start();
    let daemon = Daemon::configured(&image, IMPATIENT);
    let client = daemon.client();
    let session = client.attach("main");
    let deaf = daemon.client();
    deaf.ask::<Attach>(json!({"session": "main", "mode": "watch"}));
    let code = format!("'{}'", "x".repeat(400_000));
    session.value(&code);
    patience::until("the end of the deaf client", || {
        let sessions = client.ask::<ListSessions>(json!({})).sessions;
        (sessions[0].attached.len() == 1).then_some(())
    });
    assert_eq!(daemon.metric("stui_clients_stalled_total"), Some(1.0));
}

#[test]
fn a_client_too_many_is_told_so() {
    let image = Scripted::start();
    let daemon = Daemon::configured(&image, "[clients]\nmax = 2\n");
    let connect = || patience::until("a place", || Client::try_connect(&daemon.socket()));
    let (one, _other) = (connect(), connect());
    patience::until("a refusal", || {
        let mut third = UnixStream::connect(daemon.socket()).unwrap();
        third
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let mut text = String::new();
        third.read_to_string(&mut text).ok()?;
        text.contains("Overloaded").then_some(())
    });
    one.ask::<Ping>(json!({}));
}

#[test]
fn a_watcher_looks_on_only() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (driver, watcher) = (daemon.client(), daemon.client());
    driver.attach("main");
    watcher.ask::<Attach>(json!({"session": "main", "mode": "watch"}));
    let failure = watcher.refused::<Submit>(json!({"session": "main", "code": "1"}));
    assert_eq!(failure.error_type, ErrorType::PermissionDenied);
}

#[test]
fn many_requests_at_once_are_all_answered() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    for number in 0..500 {
        client.send(&json!({"id": number.to_string(), "command": "ping"}));
    }
    let mut ids: Vec<u32> = (0..500)
        .map(|_| client.next_reply().unwrap().id.unwrap().parse().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..500).collect::<Vec<_>>());
}
