//! Exit codes, and a daemon that misbehaves.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::cast::{Daemon, Line, STUI, Stui, command, error, event, hello, reply, session};

#[test]
fn every_kind_of_failure_has_its_exit_code() {
    for (error_type, code) in [
        ("EvaluationError", 1),
        ("SyntaxError", 1),
        ("ClassNotFound", 1),
        ("InvalidParameter", 2),
        ("ImageUnavailable", 4),
        ("OutcomeUnknown", 4),
        ("Timeout", 5),
        ("SessionBusy", 6),
        ("PermissionDenied", 6),
        ("QueueFull", 6),
        ("ShuttingDown", 6),
        ("SessionNotFound", 7),
        ("Interrupted", 130),
    ] {
        let daemon = Daemon::start(move |request| {
            Some(vec![error(request, error_type, "so it is", &json!({}))])
        });
        let ended = Stui::run(&daemon, &["browse", "Object"]);
        assert_eq!(ended.code, Some(code), "{error_type}: {ended:?}");
        assert_eq!(ended.out, "");
        assert!(!ended.err.is_empty(), "{error_type}");
    }
}

#[test]
fn with_json_the_failure_is_the_output() {
    let daemon = Daemon::start(|request| {
        Some(vec![error(
            request,
            "ClassNotFound",
            "no class Foo",
            &json!({}),
        )])
    });
    let ended = Stui::run(&daemon, &["--json", "browse", "Foo"]);
    assert_eq!(ended.code, Some(1));
    let said: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(said["error_type"], "ClassNotFound");
    assert_eq!(ended.err, "");
}

#[test]
fn without_a_daemon_the_exit_code_is_3() {
    let daemon = Daemon::start(|_| None);
    let nowhere = daemon.home().join("nowhere.sock");
    for command in [
        &["eval", "1"][..],
        &["ls"],
        &["status"],
        &["attach", "--watch"],
    ] {
        let mut arguments = vec!["--socket", nowhere.to_str().unwrap()];
        arguments.extend(command);
        let ended = Stui::run(&daemon, &arguments);
        assert_eq!(ended.code, Some(3), "{command:?}: {ended:?}");
        assert!(ended.err.contains("nowhere.sock"), "{ended:?}");
    }
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let daemon = Daemon::start(|request| Some(vec![reply(request, &json!({"sessions": []}))]));
    let runtime = daemon.home().join("runtime");
    fs::create_dir_all(runtime.join("stui")).unwrap();
    symlink(daemon.socket(), runtime.join("stui/stuid.sock")).unwrap();

    let ended = Stui::spawn(
        command(Path::new(STUI), daemon.home())
            .env("STUI_SOCKET", "")
            .env("STUI_NO_START", "")
            .env("XDG_RUNTIME_DIR", &runtime)
            .arg("ls"),
    )
    .end();

    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn wrong_arguments_are_usage() {
    let daemon = Daemon::start(|_| None);
    for wrong in [
        &["frobnicate"][..],
        &["eval", "1", "2"],
        &["eval", "--timeout", "soon", "1"],
        &["eval", "-f", "/nowhere/at/all"],
        &["method", "Object"],
        &["attach"],
    ] {
        let ended = Stui::run(&daemon, wrong);
        assert_eq!(ended.code, Some(2), "{wrong:?}: {ended:?}");
        assert!(!ended.err.is_empty());
    }
    assert_eq!(Stui::run(&daemon, &["--help"]).code, Some(0));
    assert_eq!(Stui::run(&daemon, &["eval", "--help"]).code, Some(0));
    assert_eq!(Stui::run(&daemon, &["--version"]).code, Some(0));
}

#[test]
fn a_peer_that_is_no_daemon_is_told_apart() {
    let mut half = hello().to_string().into_bytes();
    half.truncate(40);
    let greetings = [
        vec![Line::Raw(b"HTTP/1.1 400 Bad Request\r\n".to_vec())],
        vec![Line::Raw(b"\xff\xfe\n".to_vec())],
        vec![Line::Json(json!({"event": "hello", "data": {}}))],
        vec![Line::Json(json!({"event": "weather"}))],
        vec![Line::Json(json!([1, 2, 3]))],
        vec![
            Line::Raw("[".repeat(100_000).into_bytes()),
            Line::Raw(b"\n".to_vec()),
        ],
        vec![Line::Raw(half), Line::HangUp],
        vec![Line::HangUp],
    ];
    for greeting in greetings {
        let daemon = Daemon::start_with(greeting.clone(), |_| Vec::new());
        let ended = Stui::run(&daemon, &["--reconnect", "0", "ls"]);
        assert_eq!(ended.code, Some(3), "{greeting:?}: {ended:?}");
        assert!(ended.err.starts_with("stui: "), "{ended:?}");
    }
}

#[test]
fn a_daemon_of_another_protocol_is_told_apart() {
    let mut greeting = hello();
    greeting["data"]["protocol"] = json!(["2.0"]);
    let daemon = Daemon::start_with(vec![Line::Json(greeting)], |_| Vec::new());
    let ended = Stui::run(&daemon, &["ls"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.contains("speaks protocol 2.0"), "{ended:?}");
}

#[test]
fn a_daemon_that_goes_away_in_the_middle_is_no_daemon() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit")
            .then(|| vec![Line::Raw(b"{\"id\": ".to_vec()), Line::HangUp])
    });
    let ended = Stui::run(&daemon, &["--reconnect", "0", "eval", "1"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.contains("the daemon went away"), "{ended:?}");
}

#[test]
fn unknown_events_keys_and_old_replies_are_passed_over() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "list_sessions").then(|| {
            let mut listed = session("main");
            listed["colour"] = json!("green");
            vec![
                Line::Json(json!({"event": "weather", "data": {"rain": true}})),
                Line::Raw(b"\n\r\n".to_vec()),
                Line::Json(json!({"id": "long ago", "status": "success", "result": {}})),
                reply(request, &json!({"sessions": [listed], "more": 1})),
            ]
        })
    });
    let ended = Stui::run(&daemon, &["ls"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("main"), "{ended:?}");
}

#[test]
fn a_reply_of_the_wrong_shape_is_no_panic() {
    for result in [json!(null), json!([]), json!({"sessions": 7}), json!("x")] {
        let daemon = Daemon::start(move |request| Some(vec![reply(request, &result)]));
        let ended = Stui::run(&daemon, &["ls"]);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.err.contains("list_sessions"), "{ended:?}");
    }
}

#[test]
fn a_line_of_more_than_10_mib_ends_the_conversation_in_words() {
    let daemon = Daemon::start(|_| {
        Some(vec![
            Line::Raw(vec![b'x'; 11 * 1024 * 1024]),
            Line::Raw(b"\n".to_vec()),
        ])
    });
    let ended = Stui::run(&daemon, &["ls"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(ended.err.contains("larger than"), "{}", ended.err);
}

#[test]
fn a_second_hello_that_makes_no_sense_ends_the_conversation_in_words() {
    for (data, says) in [
        (json!({}), "its hello lacks something"),
        (json!({"protocol": 7}), "its hello lacks something"),
        (
            json!({"protocol": ["2.0"], "daemon_version": "2", "image": hello()["data"]["image"]}),
            "speaks protocol 2.0",
        ),
    ] {
        let daemon = Daemon::start(|_| None);
        let watching = Stui::start(&daemon, &["attach", "--watch"]);
        daemon.asked("subscribe");
        daemon.say(&[event("hello", &data)]);
        let ended = watching.end();
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.err.contains(says), "{ended:?}");
    }
}
