//! `stui eval`.

use serde_json::{Value, json};

use crate::cast::{Daemon, Line, Stui, error, evaluated, event, finished, reply};

fn failing(error_type: &'static str, sentence: &'static str, details: Value) -> Daemon {
    Daemon::start(move |request| {
        (request["command"] == "submit").then(|| {
            let mut lines = evaluated(request, &["before\n"], "");
            lines.pop();
            lines.push(event(
                "evaluation_finished",
                &json!({
                    "status": "error", "error_type": error_type, "error": sentence,
                    "details": details,
                }),
            ));
            lines
        })
    })
}

#[test]
fn the_result_is_a_line_on_standard_output() {
    let daemon = Daemon::start(|_| None);
    let ended = Stui::run(&daemon, &["eval", "3 + 4"]);
    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.as_str()),
        (Some(0), "3 + 4\n", "")
    );
    let attach = daemon.asked("attach");
    assert_eq!(attach["parameters"]["session"], "main");
    assert_eq!(attach["parameters"]["create"], false, "it is there");
}

#[test]
fn output_comes_before_the_result_and_never_on_its_line() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit").then(|| evaluated(request, &["a", "b\nc"], "nil"))
    });
    let ended = Stui::run(&daemon, &["eval", "x"]);
    assert_eq!(ended.out, "ab\nc\nnil\n");
}

#[test]
fn events_of_other_evaluations_are_not_shown() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit").then(|| {
            let mut lines = evaluated(request, &[], "mine");
            let other = json!({
                "event": "output", "session_id": "s-1", "evaluation_id": "e-0",
                "data": {"text": "theirs"},
            });
            lines.insert(0, Line::Json(other));
            lines
        })
    });
    assert_eq!(Stui::run(&daemon, &["eval", "x"]).out, "mine\n");
}

#[test]
fn code_comes_from_standard_input_and_files_too() {
    let daemon = Daemon::start(|_| None);
    assert_eq!(
        Stui::run_with(&daemon, &["eval", "-"], b"1 + 1").out,
        "1 + 1\n"
    );
    assert_eq!(
        Stui::run_with(&daemon, &["eval"], "'é'".as_bytes()).out,
        "'é'\n"
    );
    let file = daemon.home().join("code.st");
    std::fs::write(&file, "2 + 2").unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(Stui::run(&daemon, &["eval", "-f", path]).out, "2 + 2\n");
    let ended = Stui::run_with(&daemon, &["eval", "-"], b"\xff\xfe");
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn an_error_goes_to_standard_error_and_exits_1() {
    let daemon = failing(
        "EvaluationError",
        "division by zero",
        json!({
            "class": "ZeroDivide", "receiver": "1",
            "stack": [{"method": "SmallInteger>>/", "line": 8}, {"method": "UndefinedObject>>DoIt"}],
        }),
    );
    let ended = Stui::run(&daemon, &["eval", "1/0"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.out, "before\n");
    insta::assert_snapshot!(ended.err, @r"
    ZeroDivide: division by zero
      receiver: 1
      SmallInteger>>/ (line 8)
      UndefinedObject>>DoIt
    ");
}

#[test]
fn a_syntax_error_points_at_the_spot_and_exits_1() {
    let daemon = failing(
        "SyntaxError",
        "syntax error",
        json!({
            "message": "Variable or expression expected", "position": 4, "line": 1, "column": 4,
            "source": "3 +",
        }),
    );
    let ended = Stui::run(&daemon, &["eval", "3 +"]);
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(ended.err, @r"
    syntax error: Variable or expression expected
    1 | 3 +
           ^
    ");
}

#[test]
fn details_of_any_shape_are_no_panic() {
    for details in [
        json!({"stack": 7}),
        json!({"stack": [{}], "class": null}),
        json!({"position": -1}),
    ] {
        for error_type in ["EvaluationError", "SyntaxError"] {
            let ended = Stui::run(
                &failing(error_type, "broken", details.clone()),
                &["eval", "x"],
            );
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.err.contains("broken"), "{ended:?}");
        }
    }
}

#[test]
fn with_json_the_reply_is_the_only_output() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit").then(|| evaluated(request, &["noise"], "7"))
    });
    let ended = Stui::run(&daemon, &["eval", "--json", "3 + 4"]);
    let said: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(said["status"], "success");
    assert_eq!(said["result"]["result"], "7");
}

#[test]
fn a_time_limit_is_passed_on_and_exits_5() {
    let daemon = failing("Timeout", "stopped after 1 s", json!({}));
    let ended = Stui::run(&daemon, &["eval", "--timeout", "1s", "[true] whileTrue"]);
    assert_eq!(ended.code, Some(5));
    assert_eq!(daemon.asked("submit")["parameters"]["timeout_ms"], 1000);
}

#[test]
fn who_waits_for_an_image_that_is_away_says_so_in_the_first_request() {
    let daemon = failing("ImageUnavailable", "nobody answers", json!({}));
    let ended = Stui::run(&daemon, &["--wait", "10s", "eval", "3 + 4"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let first = daemon.asked("attach");
    assert_eq!(first["parameters"]["wait_image_ms"], 10_000);
}

#[test]
fn waiting_can_end_before_the_evaluation() {
    let daemon = Daemon::start(|_| None);
    let ended = Stui::run(&daemon, &["eval", "--wait", "100ms", "wait"]);
    assert_eq!(ended.code, Some(5));
    assert!(ended.err.contains("stui await e-1"), "{ended:?}");
}

#[test]
fn ctrl_c_interrupts_the_evaluation_and_exits_130() {
    let daemon = Daemon::start(|_| None);
    let stui = Stui::start(&daemon, &["eval", "wait"]);
    daemon.asked("submit");
    stui.signal("INT");
    let asked = daemon.asked("interrupt");
    assert_eq!(asked["parameters"]["evaluation_id"], "e-1");
    assert_eq!(stui.end().code, Some(130));
}

#[test]
fn a_second_ctrl_c_does_not_wait_any_longer() {
    let daemon = Daemon::start(|request| (request["command"] == "interrupt").then(Vec::new));
    let stui = Stui::start(&daemon, &["eval", "wait"]);
    daemon.asked("submit");
    stui.signal("INT");
    daemon.asked("interrupt");
    stui.signal("INT");
    let ended = stui.end();
    assert_eq!(ended.code, Some(130));
    assert!(ended.err.contains("has not stopped yet"), "{ended:?}");
}

#[test]
fn a_session_is_made_for_it_and_looked_at_beside_whoever_drives_it() {
    let daemon = Daemon::start(|request| {
        let looks = request["command"] == "attach" && request["parameters"]["create"] == false;
        let absent = || error(request, "SessionNotFound", "there is none", &json!({}));
        looks.then(|| vec![absent()])
    });
    assert_eq!(
        Stui::run(&daemon, &["eval", "--session", "other", "1"]).out,
        "1\n"
    );
    for create in [false, true] {
        let asked = &daemon.asked("attach")["parameters"];
        assert_eq!(
            (&asked["session"], &asked["create"], &asked["mode"]),
            (&json!("other"), &json!(create), &json!("watch"))
        );
    }
}

#[test]
fn a_session_that_is_not_there_exits_7() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "kill_session").then(|| {
            vec![error(
                request,
                "SessionNotFound",
                "there is no session x",
                &json!({}),
            )]
        })
    });
    let ended = Stui::run(&daemon, &["kill", "x"]);
    assert_eq!(ended.code, Some(7));
    insta::assert_snapshot!(ended.err, @r"
    there is no session x
    `stui ls` lists the sessions
    ");
}

#[test]
fn a_client_that_fell_behind_asks_for_the_end() {
    let daemon = Daemon::start(|request| match request["command"].as_str()? {
        "submit" => {
            let mut lines = evaluated(request, &[], "");
            lines.pop();
            lines.push(event("gap", &json!({"from": 1, "to": 9})));
            Some(lines)
        }
        "await" => Some(vec![reply(
            request,
            &json!({
                "state": "finished", "evaluation_id": "e-1", "result": "late", "execution_time": 1.0,
                "result_type": "ByteSymbol",
            }),
        )]),
        _ => None,
    });
    assert_eq!(Stui::run(&daemon, &["eval", "x"]).out, "late\n");
}

#[test]
fn an_evaluation_that_is_refused_says_why() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit").then(|| {
            vec![error(
                request,
                "QueueFull",
                "100 evaluations wait already",
                &json!({}),
            )]
        })
    });
    let ended = Stui::run(&daemon, &["eval", "x"]);
    assert_eq!(ended.code, Some(6));
    assert_eq!(ended.err, "100 evaluations wait already\n");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit").then(|| {
            let mut lines = evaluated(request, &[], "");
            lines.pop();
            lines
        })
    });
    let mut stui = Stui::start(&daemon, &["eval", "x"]);
    daemon.asked("submit");
    stui.close_output();
    daemon.say(&[event("output", &json!({"text": "lost\n"})), finished("nil")]);
    let ended = stui.end();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}
