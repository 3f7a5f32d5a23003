//! The life of the daemon: its place, its end, its start after a crash.

use std::fs::File;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use stui_tests::{Asking, Client, Scripted, patience};

use crate::support::{Daemon, command};

#[test]
fn a_daemon_that_is_told_to_end_says_so_and_leaves_no_socket() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    daemon.signal(Signal::TERM);
    client.wait_for("the farewell", |event| {
        event.event.topic() == "shutting_down"
    });
    assert!(client.next_reply().is_none());
    assert_eq!(daemon.end().code(), Some(0), "{}", daemon.log());
    assert!(!daemon.socket().exists());
}

/// A daemon that was told to end, has said so, and waits for `hold it`, which the client asked for.
fn told_to_end_while_code_runs() -> (Scripted, Daemon, Client) {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    let request = json!({"id": "1", "command": "evaluate", "parameters": {"code": "hold it"}});
    client.send(&request);
    image.wait_for_code("hold it");
    daemon.signal(Signal::TERM);
    client.wait_for("the farewell", |event| {
        event.event.topic() == "shutting_down"
    });
    (image, daemon, client)
}

#[test]
fn a_daemon_that_is_told_twice_ends_at_once() {
    let (_image, mut daemon, _client) = told_to_end_while_code_runs();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end().code(), Some(130));
    daemon.start_again();
}

#[test]
fn requests_that_come_at_the_end_are_answered_before_it() {
    let (image, mut daemon, client) = told_to_end_while_code_runs();
    image.finish("hold it", "42");
    assert_eq!(
        client.next_reply().unwrap().outcome.unwrap()["result"],
        "42"
    );
    assert_eq!(daemon.end().code(), Some(0));
}

#[test]
fn a_second_daemon_in_the_same_place_is_refused_and_told_who_is_there() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let mut rival = daemon.rival();
    assert_eq!(rival.end().code(), Some(1));
    assert!(
        rival.log().contains("is served by another stuid (process "),
        "{}",
        rival.log()
    );
    let _ = daemon.client();
}

#[test]
fn a_daemon_that_was_killed_leaves_nothing_in_the_way_of_the_next() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    daemon.signal(Signal::KILL);
    daemon.end();
    assert!(daemon.socket().exists());
    daemon.start_again();
    let _ = daemon.client();
}

#[test]
fn a_hangup_does_not_end_the_daemon() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    daemon.signal(Signal::HUP);
    stui_tests::patience::until("a note of the signal", || {
        daemon.log().contains("SIGHUP").then_some(())
    });
    let _ = daemon.client();
}

#[test]
fn without_an_image_of_ones_own_the_embedded_one_answers() {
    let mut daemon = Daemon::with(&[]);
    let client = daemon.client();
    let done = client.evaluate(json!({"code": "3 + 4"}));
    assert_eq!(done.unwrap().result, "7");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end().code(), Some(0), "{}", daemon.log());
}

#[test]
fn a_log_that_cannot_be_written_does_not_end_the_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut daemon = command(dir.path(), &[]).stderr(full).spawn().unwrap();
    let client = patience::until("a daemon, or its end", || {
        let ended = daemon.try_wait().unwrap();
        assert_eq!(ended, None);
        Client::try_connect(&dir.path().join("stuid.sock"))
    });
    let done = client.evaluate(json!({"code": "3 + 4"}));
    assert_eq!(done.unwrap().result, "7");
    kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}
