//! A planned blackout: new work waits, running work ends, the image saves, and nobody sees an error.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use stui_protocol::daemon::{Admin, Attach, Await, ListSessions, Status, Subscribe};
use stui_protocol::image::{Interrupt, Ping};
use stui_protocol::{ErrorType, EventName};
use stui_tests::{Asking, Daemon, patience};

use super::{LOOP, end_of, is_stopped, operate, submit, wait_until_running};

#[test]
fn while_it_is_paused_new_work_waits_and_everybody_can_see_who_wants_that() {
    let daemon = Daemon::start();
    let (operator, client) = (daemon.client(), daemon.client());
    client.ask::<Subscribe>(json!({}));
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    let runs = submit(&client, "main", LOOP);
    wait_until_running(&client, 1);

    operate(&operator, "pause");

    let paused = client.ask::<Status>(json!({})).paused.expect("a pause");
    assert_eq!(paused.operation, "pause");
    assert_eq!(paused.pid, std::process::id());
    client.wait_for("word of it", |event| event.event == EventName::Paused);
    let said = daemon.user().run(&["status"]).exits(0).stdout;
    assert!(said.contains(&format!("process {}", paused.pid)), "{said}");
    assert!(client.metric("stui_paused") == Some(1.0));
    // What runs goes on and can be stopped; what comes now waits.
    let waits = submit(&client, "main", "3 + 4");
    let stopped = client.ask::<Interrupt>(json!({"evaluation_id": runs}));
    assert!(is_stopped(stopped.tier), "{stopped:?}");
    let why = client.wait_for("why it waits", |event| {
        event.event == EventName::QueuePosition
            && event.evaluation_id.as_deref() == Some(waits.as_str())
            && event.data.contains_key("reason")
    });
    assert_eq!(why.data["position"], 0, "{why:?}");
    client.ask::<Ping>(json!({}));
    let still = client.ask::<Await>(json!({"evaluation_id": waits, "wait_ms": 0}));
    assert!(matches!(still, stui_protocol::image::Job::Running { .. }));

    drop(operator);
    let another = daemon.client();
    operate(&another, "resume");

    assert_eq!(end_of(&client, &waits), Ok("7".into()));
    client.wait_for("word of it", |event| event.event == EventName::Resumed);
    assert_eq!(client.ask::<Status>(json!({})).paused, None);
}

#[test]
fn requests_without_a_session_wait_as_well_and_are_told_why() {
    let daemon = Daemon::start();
    let client = daemon.client();
    operate(&client, "pause");

    client.send(&json!({"id": "held", "command": "list_classes", "parameters": {"limit": 1}}));
    let why = client.wait_for("why it waits", |event| {
        event.data.get("request_id") == Some(&json!("held"))
    });
    assert!(
        why.data["reason"]
            .as_str()
            .is_some_and(|why| why.contains("resume"))
    );
    daemon.user().run(&["admin", "resume"]).exits(0);

    let reply = client.next_reply().expect("a reply");
    assert_eq!(reply.id.as_deref(), Some("held"));
    assert!(reply.outcome.is_ok(), "{reply:?}");
}

#[test]
fn draining_waits_for_what_runs_and_says_what_does_not_end() {
    let daemon = Daemon::start();
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    let runs = submit(&client, "main", LOOP);
    wait_until_running(&client, 1);

    let given_up = daemon
        .user()
        .run(&["admin", "drain", "--timeout", "100ms", "--resume", "--json"])
        .exits(5);

    let reply: Value = serde_json::from_str(&given_up.stdout).expect("a reply");
    assert_eq!(reply["details"]["running"][0]["evaluation_id"], json!(runs));
    assert_eq!(
        client.ask::<Status>(json!({})).paused,
        None,
        "it was resumed"
    );
    // Without --resume it stays paused; the end of what runs completes the next one.
    daemon
        .user()
        .run(&["admin", "drain", "--timeout", "100ms"])
        .exits(5);
    let waits = submit(&client, "main", "3 + 4");
    client.ask::<Interrupt>(json!({"evaluation_id": runs}));
    daemon.user().run(&["admin", "drain"]).exits(0);
    assert_eq!(client.ask::<Status>(json!({})).queue.evaluations, 1);
    operate(&client, "resume");
    assert_eq!(end_of(&client, &waits), Ok("7".into()));
}

#[test]
fn saving_the_image_is_seen_by_nobody_but_the_operator() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.attach("main");
    session.value("kept := 5");
    let before = client.ask::<Ping>(json!({})).instance;
    let runs = submit(&client, "main", LOOP);
    wait_until_running(&client, 1);
    let mut saving = daemon
        .user()
        .command(&["admin", "save-image"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("stui");
    patience::until("the daemon's waiting", || {
        client.ask::<Status>(json!({})).paused.map(drop)
    });

    let waits = submit(&client, "main", "kept + 2");
    let reader = daemon.client();
    reader.send(&json!({
        "id": "read", "command": "get_context_summary", "parameters": {"session": "main"},
    }));
    let stopped = client.ask::<Interrupt>(json!({"evaluation_id": runs}));

    assert!(is_stopped(stopped.tier), "{stopped:?}");
    assert!(saving.wait().expect("the end of stui").success());
    assert_eq!(end_of(&client, &runs), Err(ErrorType::Interrupted));
    assert_eq!(end_of(&client, &waits), Ok("7".into()));
    let read = reader.next_reply().expect("a reply").outcome;
    let variables = read.expect("what the session has")["variables"].clone();
    assert_eq!(variables[0]["name"], "kept");
    let status = client.ask::<Status>(json!({}));
    assert_eq!(status.paused, None);
    assert_eq!(client.ask::<Ping>(json!({})).instance, before);
    assert_eq!(client.ask::<ListSessions>(json!({})).sessions.len(), 1);
}

#[test]
fn an_image_in_which_something_runs_for_ever_is_saved_by_force_only() {
    let daemon = Daemon::start();
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    let runs = submit(&client, "main", LOOP);
    wait_until_running(&client, 1);

    daemon
        .user()
        .run(&["admin", "save-image", "--timeout", "100ms"])
        .exits(5);
    assert_eq!(client.ask::<Status>(json!({})).paused, None);
    let parameters = json!({"operation": "save_image", "timeout_ms": 100, "force": true});
    let saved = client
        .ask::<Admin>(parameters)
        .image
        .expect("what the image said");

    assert!(saved.saved && Path::new(&saved.path).exists(), "{saved:?}");
    client.ask::<Interrupt>(json!({"evaluation_id": runs}));
    assert_eq!(end_of(&client, &runs), Err(ErrorType::Interrupted));
}
