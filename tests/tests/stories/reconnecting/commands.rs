//! Commands of scripts while the daemon goes away and comes back.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::json;
use stui_protocol::daemon::ListSessions;
use stui_protocol::{ErrorType, Event, EventName, Failure, Reply, codec};
use stui_tests::{Asking, Daemon, Terminal, patience};

use super::{GO, WAITS, cast, clients, is_busy, spawn, wait_until_begun, wait_until_busy};

#[test]
fn eval_and_await_go_on_waiting_when_the_daemon_is_back() {
    let (_image, mut daemon) = cast();
    let user = daemon.user();
    let mut evaluating = spawn(&user, &["eval", WAITS]);
    wait_until_begun(&daemon);
    let running = daemon.client().ask::<ListSessions>(json!({})).sessions;
    let id = running
        .into_iter()
        .find(is_busy)
        .and_then(|session| session.running)
        .expect("it runs")
        .evaluation_id;
    let awaiting = spawn(&user, &["await", &id]);
    let operator = daemon.client();
    patience::until("somebody who awaits", || {
        let mut clients = clients(&operator).into_iter();
        clients.find(|each| each.pid == awaiting.id())
    });

    daemon.kill();
    let mut told = BufReader::new(evaluating.stderr.take().expect("standard error")).lines();
    let line = told.next().expect("a line").expect("text");
    assert!(line.contains("reconnecting"), "{line}");
    daemon.start_again();
    user.run(&["eval", "--session", "other", GO]).exits(0);

    for waiting in [evaluating, awaiting] {
        let ended = waiting.wait_with_output().expect("its end");
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "42\n");
    }
}

#[test]
fn tests_go_on_when_the_daemon_is_killed_and_are_told_by_the_next() {
    let (_image, mut daemon) = cast();
    let user = daemon.user();
    let definition = "TestCase subclass: #ReturningTest instanceVariableNames: '' \
                      classVariableNames: '' package: 'Stories'";
    user.run(&["eval", "--session", "other", definition])
        .exits(0);
    let method = format!(
        "ReturningTest compile: 'testWaits {}'",
        WAITS.replace('\'', "''")
    );
    user.run(&["eval", "--session", "other", &method]).exits(0);
    let testing = spawn(&user, &["test", "ReturningTest"]);
    wait_until_begun(&daemon);

    daemon.kill();
    daemon.start_again();
    user.run(&["eval", "--session", "other", GO]).exits(0);

    let ended = testing.wait_with_output().expect("its end");
    assert!(ended.status.success(), "{ended:?}");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn an_evaluation_whose_image_is_gone_as_well_has_an_unknown_outcome() {
    let mut daemon = Daemon::start();
    let user = daemon.user();
    let evaluating = spawn(&user, &["eval", "[true] whileTrue"]);
    wait_until_busy(&daemon);

    daemon.kill();
    daemon.start_again();

    let ended = evaluating.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("may or may not"), "{said}");
}

#[test]
fn a_daemon_that_stays_away_is_given_up_after_the_time_that_was_asked_for() {
    let mut daemon = Daemon::start();
    let user = daemon.user();
    let waiting = spawn(&user, &["eval", "--reconnect", "300ms", "[true] whileTrue"]);
    let at_once = spawn(&user, &["attach", "--watch", "--reconnect", "0"]);
    let mut terminal = Terminal::open(&user, &["attach", "own", "-c", "--reconnect", "300ms"]);
    terminal.shows("own> ");
    wait_until_busy(&daemon);
    patience::until("three who are attached", || {
        let sessions = daemon.client().ask::<ListSessions>(json!({})).sessions;
        let attached: usize = sessions.iter().map(|each| each.attached.len()).sum();
        (attached == 3).then_some(())
    });

    daemon.kill();

    for (waiting, says) in [(waiting, "within"), (at_once, "went away")] {
        let ended = waiting.wait_with_output().expect("its end");
        assert_eq!(ended.status.code(), Some(3), "{ended:?}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            said.contains(says) && said.contains("stui attach"),
            "{said}"
        );
    }
    assert_eq!(terminal.end(), 3);
    terminal.shows("stui attach");
}

#[test]
fn a_log_that_is_followed_goes_on_after_a_restart() {
    let (_image, mut daemon) = cast();
    let user = daemon.user();
    user.run(&["eval", "3 + 4"]).exits(0);
    let mut following = spawn(&user, &["log", "--follow"]);
    let output = following.stdout.take().expect("standard output");
    let mut lines = BufReader::new(output).lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line == "→ 7"));

    daemon.kill();
    daemon.start_again();
    user.run(&["eval", "6 * 7"]).exits(0);

    assert!(lines.any(|line| line == "→ 42"));
    following.kill().expect("killing it");
    following.wait().expect("its end");
}

/// What a daemon that is about to end does with a client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Farewell {
    BeforeHello,
    BeforeTheAnswer,
    ShuttingDown,
}

/// Stands in the place of a daemon that has ended, says its `hello` and leaves one client.
fn leave_one(socket: &Path, hello: &Event, farewell: Farewell, client: impl FnOnce()) {
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket).expect("the place of the daemon");
    client();
    let (mut stream, _) = listener.accept().expect("a client");
    if farewell != Farewell::BeforeHello {
        stream
            .write_all(&codec::client::encode_event(hello))
            .expect("a reader");
        let mut line = String::new();
        let reading = stream.try_clone().expect("the same stream");
        BufReader::new(reading)
            .read_line(&mut line)
            .expect("a request");
        if farewell == Farewell::ShuttingDown {
            let asked: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            let no = Failure::new(ErrorType::ShuttingDown, "the daemon is shutting down");
            let reply = Reply::new(asked["id"].as_str().map(str::to_owned), Err(no), "");
            stream
                .write_all(&codec::client::encode_reply(&reply))
                .expect("a reader");
        }
    }
    std::fs::remove_file(socket).expect("no place any more");
}

#[test]
fn a_command_that_the_daemon_leaves_without_an_answer_asks_the_next_one() {
    let mut daemon = Daemon::start();
    let user = daemon.user();
    let hello = Event::new(EventName::Hello, daemon.client().hello());
    let farewells = [
        Farewell::BeforeHello,
        Farewell::BeforeTheAnswer,
        Farewell::ShuttingDown,
    ];
    for farewell in farewells {
        daemon.terminate();
        let mut asking = None;
        leave_one(&daemon.socket(), &hello, farewell, || {
            asking = Some(spawn(&user, &["--no-start", "status"]));
        });
        daemon.start_again();

        let ended = asking
            .expect("a client")
            .wait_with_output()
            .expect("its end");
        assert!(ended.status.success(), "{farewell:?}: {ended:?}");
    }
}
