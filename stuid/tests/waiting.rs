//! Who waits: for whom there is room, how long, and what he is told meanwhile.

use rustix::process::Signal;
use serde_json::{Value, json};
use stui_protocol::daemon::{Await, ImageState, Status, Submit};
use stui_protocol::image::{Evaluate, Job, Ping};
use stui_protocol::{ErrorType, Event, EventName};
use stui_tests::{Asking, Client, Scripted, patience};

use crate::support::Daemon;

fn submit(client: &Client, session: &str, code: &str) -> String {
    let submit = json!({"session": session, "code": code});
    client.ask::<Submit>(submit).evaluation_id
}

fn parameter(image: &Scripted, code: &str, name: &str) -> Option<Value> {
    let asked = image.asked();
    let of_it = |each: &&stui_protocol::Request| each.parameters.get("code") == Some(&json!(code));
    asked.iter().find(of_it)?.parameters.get(name).cloned()
}

#[test]
fn the_time_of_an_evaluation_is_over_though_it_only_waited() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    submit(&client, "main", "hold it");
    image.wait_for_code("hold it");
    let failure = session.refused::<Evaluate>(json!({"code": "never", "timeout_ms": 100}));
    assert_eq!(failure.error_type, ErrorType::Timeout);
    assert_eq!(failure.details["sent"], false);
    image.finish("hold it", "42");
    assert_eq!(session.value("next"), "next");
    assert_eq!(
        parameter(&image, "never", "code"),
        None,
        "it was sent all the same"
    );
}

#[test]
fn the_image_is_told_the_time_that_is_left() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    submit(&client, "main", "hold it");
    image.wait_for_code("hold it");
    let later = json!({"session": "main", "code": "later", "timeout_ms": 600_000});
    let later = client.ask::<Submit>(later).evaluation_id;
    patience::until("a wait that can be measured", || {
        (client.ask::<Status>(json!({})).queue.oldest_ms >= 20).then_some(())
    });
    image.finish("hold it", "42");
    client.ask::<Await>(json!({"evaluation_id": later}));
    let left = parameter(&image, "later", "timeout_ms").unwrap();
    let left = left.as_u64().unwrap();
    assert!((1..=599_980).contains(&left), "{left}");
}

#[test]
fn a_place_is_told_to_who_waits_for_long_and_again_when_it_changes() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (one, other) = (daemon.client(), daemon.client());
    one.attach("main");
    submit(&one, "main", "hold first");
    submit(&one, "main", "hold second");
    image.wait_for_code("hold first");
    let third = submit(&other, "main", "third");
    let place = |event: &Event, position: u64| {
        event.event == EventName::QueuePosition
            && event.evaluation_id.as_ref() == Some(&third)
            && event.data["position"] == position
    };
    other.wait_for("its place", |event| place(event, 2));
    image.finish("hold first", "1");
    other.wait_for("its new place", |event| place(event, 1));
    let told = |event: &&Event| event.event == EventName::QueuePosition;
    assert_eq!(
        other.events().iter().filter(told).count(),
        2,
        "nothing but news"
    );
}

#[test]
fn a_full_queue_says_whose_it_is_how_long_and_which_key_makes_it_longer() {
    let image = Scripted::start();
    let limits = "[limits]\nqueue_per_session = 2\nqueue_per_owner = 3\n";
    let daemon = Daemon::configured(&image, limits);
    let client = daemon.client();
    for session in ["a", "b"] {
        client.attach(session);
        submit(&client, session, &format!("hold {session}"));
        image.wait_for_code(&format!("hold {session}"));
    }
    let refused = |session: &str| {
        let failure = client.refused::<Submit>(json!({"session": session, "code": "1"}));
        assert_eq!(failure.error_type, ErrorType::QueueFull);
        let details = ["scope", "limit", "key"].map(|key| failure.details[key].clone());
        json!(details)
    };
    submit(&client, "a", "a1");
    submit(&client, "a", "a2");
    assert_eq!(
        refused("a"),
        json!(["session", 2, "limits.queue_per_session"])
    );
    submit(&client, "b", "b1");
    assert_eq!(refused("b"), json!(["owner", 3, "limits.queue_per_owner"]));
    image.finish("hold a", "done");
    image.wait_for_code("a2");
    submit(&client, "b", "b2");
}

#[test]
fn the_status_tells_what_runs_where_and_how_long_the_oldest_waits() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    let runs = submit(&client, "main", "hold it");
    image.wait_for_code("hold it");
    let status = patience::until("one that runs", || {
        let status = client.ask::<Status>(json!({}));
        (!status.running.is_empty() && status.queue.oldest_ms == 0).then_some(status)
    });
    let running = &status.running[0];
    assert_eq!(
        (running.session.as_str(), running.evaluation.code.as_str()),
        ("main", "hold it")
    );
    assert_eq!(running.evaluation.evaluation_id, runs);
    submit(&client, "main", "later");
    patience::until("its age", || {
        let queue = client.ask::<Status>(json!({})).queue;
        (queue.evaluations == 1 && queue.oldest_ms > 0).then_some(())
    });
}

#[test]
fn who_waits_for_the_image_is_served_when_it_is_back_and_told_when_it_is_not() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    image.vanish();
    daemon.wait_for_image(ImageState::Down);
    let failure = client.refused::<Ping>(json!({"wait_image_ms": 20}));
    assert_eq!(failure.error_type, ErrorType::ImageUnavailable);
    let waits = json!({"id": "w", "command": "ping", "parameters": {"wait_image_ms": 600_000}});
    client.send(&waits);
    client.refused::<Ping>(json!({}));
    image.come_back(false);
    let reply = client.next_reply().unwrap();
    assert_eq!(reply.id.as_deref(), Some("w"));
    assert!(reply.outcome.is_ok(), "{reply:?}");
    let sent = image
        .asked()
        .iter()
        .any(|each| each.parameters.contains_key("wait_image_ms"));
    assert!(!sent, "the image has seen the daemon's own parameter");
}

fn was_sent(image: &Scripted, code: &str) -> bool {
    parameter(image, code, "code").is_some()
}

#[test]
fn who_waits_behind_an_unknown_outcome_is_told_when_the_image_is_away() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    let ran = submit(&client, "main", "hold it");
    image.wait_for_code("hold it");
    image.vanish();
    let unknown = client.refused::<Await>(json!({"evaluation_id": ran}));
    assert_eq!(unknown.error_type, ErrorType::OutcomeUnknown);
    let failure = session.refused::<Evaluate>(json!({"code": "never"}));
    assert_eq!(failure.error_type, ErrorType::ImageUnavailable);
    assert_eq!(failure.details["sent"], false);
    image.come_back(true);
    daemon.wait_for_image(ImageState::Ready);
    assert_eq!(session.value("next"), "next");
    assert!(!was_sent(&image, "never"));
}

#[test]
fn who_waits_behind_an_unknown_outcome_is_told_when_the_image_is_silent() {
    let image = Scripted::start();
    let daemon = Daemon::impatient(&image, 1_000);
    let client = daemon.client();
    let session = client.attach("main");
    image.falls_silent_at("evaluate");
    let unknown = session.refused::<Evaluate>(json!({"code": "frozen"}));
    assert_eq!(unknown.error_type, ErrorType::OutcomeUnknown);
    let failure = session.refused::<Evaluate>(json!({"code": "never"}));
    assert_eq!(failure.error_type, ErrorType::ImageUnavailable);
    assert_eq!(failure.details["sent"], false);
    image.speaks_again();
    daemon.wait_for_image(ImageState::Ready);
    assert_eq!(session.value("next"), "next");
    assert!(!was_sent(&image, "never"));
}

#[test]
fn who_comes_to_the_next_daemon_while_the_image_is_away_is_told_so() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    submit(&client, "main", "hold it");
    image.wait_for_code("hold it");
    let waited = submit(&client, "main", "waited");
    daemon.signal(Signal::KILL);
    daemon.end();
    image.vanish();
    daemon.start_again();
    daemon.wait_for_image(ImageState::Down);
    let client = daemon.client();
    let failure = client.refused::<Evaluate>(json!({"session": "main", "code": "never"}));
    assert_eq!(failure.error_type, ErrorType::ImageUnavailable);
    assert_eq!(failure.details["sent"], false);
    image.come_back(true);
    // It was accepted by the daemon that was killed.
    client.ask::<Await>(json!({"evaluation_id": waited}));
    assert!(was_sent(&image, "waited") && !was_sent(&image, "never"));
}

#[test]
fn who_waits_for_the_link_is_told_his_place() {
    let image = Scripted::start();
    let daemon = Daemon::impatient(&image, 3_600_000);
    let (one, other, third) = (daemon.client(), daemon.client(), daemon.client());
    let session = one.attach("main");
    session.value("so that it is there");
    image.falls_silent_at("evaluate");
    submit(&one, "main", "frozen");
    image.wait_for_code("frozen");
    other.send(&json!({"id": "e", "command": "evaluate", "parameters": {"code": "next"}}));
    third.send(&json!({"id": "p", "command": "ping", "parameters": {}}));
    let place = |event: &Event, id: &str| {
        let before = event.data["position"].as_u64();
        event.event == EventName::QueuePosition
            && event.data["request_id"] == id
            && before.is_some_and(|before| before >= 1)
    };
    // How many exactly depends on the daemon's own questions.
    other.wait_for("its place", |event| place(event, "e"));
    third.wait_for("its place", |event| place(event, "p"));
    image.speaks_again();
    assert_eq!(other.next_reply().unwrap().id.as_deref(), Some("e"));
    assert_eq!(third.next_reply().unwrap().id.as_deref(), Some("p"));
}

#[test]
fn an_evaluation_of_a_session_that_waits_for_the_link_is_told_its_place() {
    let image = Scripted::start();
    let daemon = Daemon::impatient(&image, 3_600_000);
    let (one, other) = (daemon.client(), daemon.client());
    one.attach("main").value("so that it is there");
    other.attach("second").value("this one, too");
    image.falls_silent_at("evaluate");
    submit(&one, "main", "frozen");
    image.wait_for_code("frozen");
    let waits = submit(&other, "second", "waits");
    other.wait_for("its place", |event| {
        event.event == EventName::QueuePosition
            && event.evaluation_id.as_ref() == Some(&waits)
            && event.data["position"].as_u64() >= Some(1)
    });
    image.speaks_again();
    let done = other.ask::<Await>(json!({"evaluation_id": waits}));
    assert!(matches!(done, Job::Finished(done) if done.result == "waits"));
}

/// Code of so many bytes and a little more.
fn long(code: &str, bytes: usize) -> String {
    format!("{code} \"{}\"", "x".repeat(bytes))
}

#[test]
fn all_clients_together_have_only_so_many_bytes_of_requests() {
    let image = Scripted::start();
    let daemon = Daemon::configured(&image, "[limits]\nrequest_bytes = 2000000\n");
    let (one, other) = (daemon.client(), daemon.client());
    one.attach("main");
    submit(&one, "main", "hold it");
    image.wait_for_code("hold it");
    let waits = submit(&one, "main", &long("waits", 700_000));

    let large = json!({"session": "main", "code": long("refused", 700_000)});
    let refused = other.refused::<Submit>(large.clone());
    assert_eq!(refused.error_type, ErrorType::Overloaded);
    assert_eq!(refused.details["key"], "limits.request_bytes");
    assert_eq!(refused.details["scope"], "daemon");
    assert_eq!(refused.details["limit"], 2_000_000);
    assert_eq!(refused.details["sent"], false);
    // What is small is served, before and after.
    other.ask::<Ping>(json!({}));
    let small = submit(&other, "main", "small");

    image.finish("hold it", "done");
    let done = other.ask::<Await>(json!({"evaluation_id": waits}));
    assert!(matches!(done, Job::Finished(_)));
    let done = other.ask::<Await>(json!({"evaluation_id": small}));
    assert!(matches!(done, Job::Finished(done) if done.result == "small"));
    other.ask::<Submit>(large);
    patience::until("all bytes given back", || {
        (daemon.metric("stui_request_bytes") == Some(0.0)).then_some(())
    });
}

#[test]
fn half_a_line_counts_and_is_dropped_when_there_is_no_room_for_more() {
    let image = Scripted::start();
    let daemon = Daemon::configured(&image, "[limits]\nrequest_bytes = 1000000\n");
    let (one, other) = (daemon.client(), daemon.client());
    let request = json!({
        "id": "large",
        "command": "ping",
        "parameters": {"message": "x".repeat(900_000)},
    });
    let line = request.to_string();
    one.send_bytes(line.as_bytes()).unwrap();
    patience::until("the half of it", || {
        (daemon.metric("stui_request_bytes") > Some(800_000.0)).then_some(())
    });
    other.send_bytes(line.as_bytes()).unwrap();
    other.send_bytes(b"\n").unwrap();
    let refused = other.next_reply().unwrap();
    let failure = refused.outcome.unwrap_err();
    assert_eq!(failure.error_type, ErrorType::Overloaded);
    assert_eq!(failure.details["key"], "limits.request_bytes");
    // Its next line is one of its own.
    other.ask::<Ping>(json!({}));
    one.send_bytes(b"\n").unwrap();
    assert_eq!(one.next_reply().unwrap().id.as_deref(), Some("large"));
    other.send(&request);
    assert_eq!(other.next_reply().unwrap().id.as_deref(), Some("large"));
}
