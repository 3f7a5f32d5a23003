//! `stui` as a command: what it prints where, and how it exits.

use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use stui_protocol::daemon::{ListSessions, SessionState, Submit};
use stui_protocol::{Command, ErrorType};
use stui_tests::asking::{new_id, request};
use stui_tests::{Asking, Cli, Daemon, Session, Terminal, patience};

#[test]
fn eval_prints_the_result_and_nothing_else() {
    let daemon = Daemon::start();

    let ran = daemon
        .user()
        .run(&["eval", "100 factorial / 98 factorial"])
        .exits(0);

    assert_eq!(ran.stdout, "9900\n");
    assert_eq!(ran.stderr, "");
}

#[test]
fn an_error_goes_to_standard_error_with_its_stack() {
    let daemon = Daemon::start();

    let ran = daemon.user().run(&["eval", "1/0"]).exits(1);

    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("ZeroDivide"), "{}", ran.stderr);
    assert!(ran.stderr.contains(">>/"), "{}", ran.stderr);
}

#[test]
fn a_syntax_error_is_shown_with_a_caret_at_its_spot() {
    let daemon = Daemon::start();

    let ran = daemon.user().run(&["eval", "3 +"]).exits(1);

    assert_eq!(ran.stdout, "");
    let lines: Vec<_> = ran.stderr.lines().collect();
    let code = lines
        .iter()
        .position(|line| line.ends_with("3 +"))
        .expect("the code");
    let column = lines[code].find("3 +").expect("the code") + 3;
    assert_eq!(
        lines[code + 1],
        format!("{}^", " ".repeat(column)),
        "{}",
        ran.stderr
    );
}

#[test]
fn code_comes_from_standard_input_or_a_file_as_well() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let file = daemon.dir().join("code.st");
    std::fs::write(&file, "| a |\na := 20.\na + 1\n").expect("a file");

    let input = user
        .run_with_input(&["eval", "-"], "| a |\na := 3.\na * a\n")
        .exits(0);
    let filed = user
        .run(&["eval", "-f", file.to_str().expect("UTF-8")])
        .exits(0);

    assert_eq!(input.stdout, "9\n");
    assert_eq!(filed.stdout, "21\n");
}

#[test]
fn what_the_code_writes_comes_before_its_result() {
    let daemon = Daemon::start();

    let ran = daemon
        .user()
        .run(&["eval", "Transcript show: 'hello'; cr. 42"])
        .exits(0);

    assert_eq!(ran.stdout, "hello\n42\n");
}

#[test]
fn variables_stay_in_their_session() {
    let daemon = Daemon::start();
    let user = daemon.user();

    user.run(&["eval", "x := 3"]).exits(0);
    user.run(&["eval", "--session", "other", "x := 4"]).exits(0);

    assert_eq!(user.run(&["eval", "x"]).exits(0).stdout, "3\n");
    assert_eq!(
        user.run(&["eval", "--session", "other", "x"])
            .exits(0)
            .stdout,
        "4\n"
    );
}

#[test]
fn json_is_the_reply_as_the_protocol_tells_it() {
    let daemon = Daemon::start();
    let user = daemon.user();

    let good = user.run(&["eval", "--json", "3 + 4"]).exits(0);
    let bad = user.run(&["eval", "--json", "1/0"]).exits(1);

    let good: Value = serde_json::from_str(&good.stdout).expect("JSON");
    assert_eq!(
        (&good["status"], &good["result"]["result"]),
        (&json!("success"), &json!("7"))
    );
    let bad: Value = serde_json::from_str(&bad.stdout).expect("JSON");
    assert_eq!(
        (&bad["status"], &bad["details"]["class"]),
        (&json!("error"), &json!("ZeroDivide"))
    );
}

#[test]
fn a_time_limit_ends_a_loop_and_the_session_is_usable_at_once() {
    let daemon = Daemon::start();
    let user = daemon.user();
    user.run(&["eval", "kept := 5"]).exits(0);
    let began = Instant::now();

    let ran = user
        .run(&["eval", "--timeout", "1s", "[true] whileTrue"])
        .exits(5);

    let took = began.elapsed();
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(
        took < Duration::from_secs(10),
        "about a second, not {took:?}"
    );
    assert_eq!(ran.stdout, "");
    assert_eq!(user.run(&["eval", "kept"]).exits(0).stdout, "5\n");
}

/// The session, once an evaluation runs in it.
fn wait_until_busy(daemon: &Daemon, session: &str) {
    let client = daemon.client();
    patience::until("an evaluation that runs", || {
        let sessions = client.ask::<ListSessions>(json!({})).sessions;
        sessions
            .iter()
            .any(|known| known.name == session && known.state == SessionState::Busy)
            .then_some(())
    });
}

/// A `stui eval` under way in `main` that does not end.
fn endless(daemon: &Daemon, user: &Cli) -> Child {
    let mut command = user.command(&["eval", "[true] whileTrue"]);
    let running = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("stui");
    wait_until_busy(daemon, "main");
    running
}

#[test]
fn an_evaluation_that_somebody_interrupts_exits_with_130() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut running = endless(&daemon, &user);

    user.run(&["interrupt"]).exits(0);

    assert_eq!(running.wait().expect("its end").code(), Some(130));
    assert_eq!(user.run(&["eval", "3 + 4"]).exits(0).stdout, "7\n");
}

#[test]
fn an_evaluation_that_waits_says_how_many_are_before_it() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut running = endless(&daemon, &user);
    let terminal = Terminal::open(&user, &["eval", "100 factorial / 98 factorial"]);

    terminal.shows("waiting, 1 before this one");

    user.run(&["interrupt"]).exits(0);
    terminal.shows("9900");
    assert_eq!(running.wait().expect("its end").code(), Some(130));
}

#[test]
fn ctrl_c_interrupts_the_evaluation_not_just_the_command() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut running = endless(&daemon, &user);

    kill_process(Pid::from_child(&running), Signal::INT).expect("a signal");

    assert_eq!(running.wait().expect("its end").code(), Some(130));
    assert_eq!(user.run(&["eval", "3 + 4"]).exits(0).stdout, "7\n");
}

#[test]
fn each_kind_of_trouble_has_its_exit_code() {
    let daemon = Daemon::start();
    let user = daemon.user();

    user.run(&["ls", "--no-such-option"]).exits(2);
    user.run(&["no-such-command"]).exits(2);
    let refused = user.run(&["kill", "no-such-session"]).exits(7);
    assert!(!refused.stderr.is_empty());
    user.run(&["attach", "no-such-session"]).exits(2); // no terminal
    user.run(&["browse", "NoSuchClassAtAll"]).exits(1);
    user.run(&["eval", "nil frobnicate"]).exits(1);
}

#[test]
fn without_a_daemon_the_exit_code_is_3() {
    let mut daemon = Daemon::start();
    let user = daemon.user();
    daemon.terminate();

    let ran = user.run(&["eval", "--no-start", "3 + 4"]).exits(3);
    user.run(&["ls"]).exits(3);

    assert!(
        ran.stderr.contains("stuid"),
        "it says what to do next: {}",
        ran.stderr
    );
}

#[test]
fn without_an_image_the_exit_code_is_4() {
    let daemon = Daemon::start_without_image();

    let ran = daemon.user().run(&["eval", "3 + 4"]).exits(4);

    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.is_empty());
}

#[test]
fn an_image_that_stays_away_is_waited_for_no_longer_than_told() {
    let daemon = Daemon::start_without_image();

    let waited = ["--wait", "100ms", "eval", "3 + 4"];
    let ran = daemon.user().run(&waited).exits(4);

    assert!(ran.stderr.contains("since"), "{ran:?}");
}

#[test]
fn a_full_queue_is_refused_with_6() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = Session {
        who: &client,
        id: "main".to_owned(),
    };
    client.attach("main");
    let submit = session.with(json!({"code": "[true] whileTrue"}));
    // Far more than any queue holds.
    let refused = (0..100_000).find_map(|_| {
        client.send(&request(&new_id("submit"), Submit::NAME, &submit));
        client.next_reply().expect("a reply").outcome.err()
    });
    assert_eq!(refused.expect("a bound").error_type, ErrorType::QueueFull);

    let ran = daemon.user().run(&["eval", "3 + 4"]).exits(6);

    assert!(!ran.stderr.is_empty());
}

#[test]
fn objects_classes_and_methods_are_shown() {
    let daemon = Daemon::start();
    let user = daemon.user();
    user.run(&["eval", "point := 3@4"]).exits(0);

    let object = user.run(&["inspect", "point"]).exits(0).stdout;
    let class = user.run(&["browse", "Point"]).exits(0).stdout;
    let classes = user.run(&["classes", "Ordered*"]).exits(0).stdout;
    let method = user
        .run(&["method", "OrderedCollection>>addFirst:"])
        .exits(0)
        .stdout;

    assert!(
        object.contains("Point") && object.contains("(3@4)"),
        "{object}"
    );
    assert!(class.contains("Object") && class.contains('x'), "{class}");
    assert!(classes.contains("OrderedCollection"), "{classes}");
    assert!(method.starts_with("addFirst:"), "{method}");
}

#[test]
fn sessions_are_made_listed_renamed_and_ended() {
    let daemon = Daemon::start();
    let user = daemon.user();

    let made = user.run(&["new", "--detached", "work"]).exits(0);
    user.run(&["rename", "work", "play"]).exits(0);
    let listed = user.run(&["ls"]).exits(0).stdout;
    user.run(&["kill", "play"]).exits(0);
    let after = user.run(&["ls"]).exits(0).stdout;

    assert_eq!(made.stdout, "work\n");
    assert!(
        listed.contains("play") && !listed.contains("work"),
        "{listed}"
    );
    assert!(!after.contains("play"), "{after}");
}

#[test]
fn status_says_which_daemon_and_that_the_image_is_the_embedded_one() {
    let daemon = Daemon::start();

    // A daemon that has just started may not have been told yet which image it is.
    patience::until("the image to be described", || {
        let status = daemon.user().run(&["status"]).exits(0).stdout;
        (status.contains("embedded image") && status.contains("ready")).then_some(())
    });
}

#[test]
fn output_reaches_the_reader_before_the_code_ends() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut running = user
        .command(&["eval", "Transcript show: 'early'; cr. [true] whileTrue"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("stui");
    let mut first = [0; 6];

    let mut output = running.stdout.take().expect("its output");
    std::io::Read::read_exact(&mut output, &mut first).expect("the first line");

    assert_eq!(&first, b"early\n");
    user.run(&["interrupt"]).exits(0);
    assert_eq!(running.wait().expect("its end").code(), Some(130));
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut running = user
        .command(&["classes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("stui");
    drop(running.stdout.take());
    let _ = running.stdin.take().expect("its input").flush();

    let output = running.wait_with_output().expect("its end");

    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("panicked"),
        "{output:?}"
    );
}
