//! Work that goes on by itself: `stui submit`, `await`, `log`, `history`, `events`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use stui_protocol::{Event, EventName};
use stui_tests::{Cli, Daemon};

/// Submits code and answers the id of its evaluation.
fn submit(user: &Cli, code: &str) -> String {
    let ran = user.run(&["submit", code]).exits(0);
    assert_eq!(ran.stderr, "");
    ran.stdout.trim_end().to_owned()
}

#[test]
fn what_was_submitted_is_awaited_from_anywhere_and_more_than_once() {
    let daemon = Daemon::start();
    let user = daemon.user();

    let id = submit(
        &user,
        "Transcript show: 'working'. (Delay forMilliseconds: 300) wait. 6 * 7",
    );

    let ran = user.run(&["await", &id]).exits(0);
    assert_eq!(ran.stdout, "working\n42\n");
    let again = user.run(&["await", &id, "--json"]).exits(0);
    let reply: Value = serde_json::from_str(&again.stdout).expect("one JSON document");
    assert_eq!(reply["result"]["result"], "42");
    assert_eq!(reply["id"], id.as_str());
}

#[test]
fn await_exits_as_eval_would_have() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let failing = submit(&user, "Transcript show: 'before'; cr. 1/0");
    let wrong = submit(&user, "3 +");
    let endless = submit(&user, "[true] whileTrue");

    let failed = user.run(&["await", &failing]).exits(1);
    assert_eq!(failed.stdout, "before\n");
    assert!(failed.stderr.contains("ZeroDivide"), "{}", failed.stderr);
    user.run(&["await", &wrong]).exits(1);
    let waited = user.run(&["await", &endless, "--timeout", "50ms"]).exits(5);
    assert!(
        waited.stderr.contains(&format!("stui await {endless}")),
        "it says how to go on: {}",
        waited.stderr
    );
    user.run(&["interrupt"]).exits(0);
    user.run(&["await", &endless]).exits(130);
    user.run(&["await", "no-such-evaluation"]).exits(1);
}

#[test]
fn code_to_submit_comes_from_a_file_or_standard_input_as_well() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let file = daemon.dir().join("code.st");
    std::fs::write(&file, "| a |\na := 20.\na + 1\n").expect("a file");

    let from_file = user
        .run(&["submit", "-f", file.to_str().expect("UTF-8")])
        .exits(0);
    let from_input = user
        .run_with_input(&["submit", "--session", "other"], "3 + 4")
        .exits(0);

    let result = |id: &str| user.run(&["await", id.trim_end()]).exits(0).stdout;
    assert_eq!(result(&from_file.stdout), "21\n");
    assert_eq!(result(&from_input.stdout), "7\n");
    let history = user.run(&["history", "other", "--grep", "3 +"]).exits(0);
    assert!(history.stdout.contains("3 + 4"), "{}", history.stdout);
}

#[test]
fn the_log_tells_all_that_happened_and_from_any_position_on() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let id = submit(
        &user,
        "1 to: 1500 do: [:n | Transcript show: n printString; cr]. #done",
    );
    user.run(&["await", &id]).exits(0);

    let text = user.run(&["log"]).exits(0).stdout;
    let lines: Vec<Event> = user
        .run(&["log", "--json"])
        .exits(0)
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let positions: Vec<u64> = lines.iter().filter_map(|line| line.position).collect();
    let since = positions[positions.len() / 2];
    let rest = user
        .run(&["log", "--json", "--since", &since.to_string()])
        .exits(0);

    assert!(
        text.contains("main> 1 to: 1500") && text.contains("→ #done"),
        "{text}"
    );
    let numbers: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert_eq!(numbers, (1..=1500).collect::<Vec<_>>());
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let first: Event = serde_json::from_str(rest.stdout.lines().next().expect("lines")).unwrap();
    assert_eq!(first.position, Some(since + 1));
    user.run(&["log", "nowhere"]).exits(7);
}

#[test]
fn a_log_that_is_followed_goes_on_until_the_session_ends() {
    let daemon = Daemon::start();
    let user = daemon.user();
    user.run(&["eval", "3 + 4"]).exits(0);
    let mut following = user
        .command(&["log", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("stui");
    let output = following.stdout.take().expect("standard output");
    let mut lines = BufReader::new(output).lines().map(|line| line.unwrap());

    assert_eq!(lines.find(|line| line.starts_with('→')).unwrap(), "→ 7");
    user.run(&["eval", "Transcript show: 'news'; cr. nil"])
        .exits(0);
    assert!(lines.any(|line| line == "news"), "what is new comes, too");
    user.run(&["kill", "main"]).exits(0);

    assert!(lines.any(|line| line.contains("ended")), "it says why");
    assert_eq!(following.wait().expect("its end").code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_ends_a_followed_log_quietly() {
    let daemon = Daemon::start();
    let user = daemon.user();
    user.run(&["eval", "3 + 4"]).exits(0);
    let mut following = user
        .command(&["log", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("stui");
    let mut output = BufReader::new(following.stdout.take().expect("standard output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");

    drop(output);
    user.run(&["eval", "Transcript show: 'for nobody'; cr"])
        .exits(0);

    let ended = following.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn events_of_the_daemon_are_json_lines_with_what_they_are_about() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut listening = user
        .command(&["events"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("stui");
    let output = listening.stdout.take().expect("standard output");
    let mut events = BufReader::new(output)
        .lines()
        .map(|line| serde_json::from_str::<Event>(&line.unwrap()).expect("an event"));

    // It may subscribe later than the first of them is made: they are made until one is told.
    let told = AtomicBool::new(false);
    let created = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !told.load(Ordering::Relaxed) {
                user.run(&["new", "--detached", "short"]).exits(0);
                user.run(&["kill", "short"]).exits(0);
            }
        });
        // What the daemon tells of its image may come first.
        let first = events.find(|told| {
            [EventName::SessionCreated, EventName::SessionClosed].contains(&told.event)
        });
        told.store(true, Ordering::Relaxed);
        first.expect("an event")
    });

    assert_eq!(created.data["name"], "short");
    listening.kill().expect("killing it");
    listening.wait().expect("its end");
}
