//! The interactive loop in a terminal.

use serde_json::json;

use crate::cast::{Daemon, Line, Screen, event, reply, session};

#[test]
fn an_expression_is_evaluated_and_ctrl_d_detaches() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    let text = screen.ends_with("main>");
    assert!(
        text.contains("session main in embedded image 0.1.0 (no Pharo)"),
        "{text}"
    );
    screen.press("3 + 4\r");
    screen.shows("→ 3 + 4");
    screen.ends_with("main>");
    screen.press("\x04");
    let (code, text) = screen.end();
    assert_eq!(code, 0);
    assert!(text.ends_with("[detached (from session main)]"), "{text}");
    daemon.asked("detach");
}

#[test]
fn ctrl_c_clears_the_line_when_nothing_runs() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("1 foo");
    screen.ends_with("main> 1 foo");
    screen.press("\x03");
    screen.ends_with("main>");
    screen.press("2\r");
    screen.shows("→ 2");
    assert_eq!(daemon.asked("submit")["parameters"]["code"], "2");
}

#[test]
fn ctrl_d_on_a_line_with_text_does_not_detach() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("12\x04\r");
    screen.shows("→ 12");
}

#[test]
fn output_that_comes_while_typing_stands_above_the_prompt() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("3 + ");
    screen.ends_with("main> 3 +");
    daemon.say(&[event("output", &json!({"text": "from a process\n"}))]);
    screen.shows("from a process");
    screen.ends_with("main> 3 +");
    screen.press("4\r");
    screen.shows("→ 3 + 4");
}

#[test]
fn ctrl_c_interrupts_what_runs() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("wait\r");
    daemon.asked("submit");
    daemon.say(&[event("output", &json!({"text": "working"}))]);
    screen.shows("working");
    screen.press("\x03");
    daemon.asked("interrupt");
    screen.shows("interrupted");
    screen.ends_with("main>");
}

#[test]
fn the_past_of_a_session_is_shown_on_attach() {
    let daemon = Daemon::start(|request| match request["command"].as_str()? {
        "attach" => Some(vec![reply(
            request,
            &json!({"session": session("main"), "position": 3, "created": false}),
        )]),
        "log" => {
            let at = |position: u64, name: &str, data: serde_json::Value| json!({"event": name, "position": position, "evaluation_id": "e-0", "data": data});
            Some(vec![reply(
                request,
                &json!({"position": 3, "events": [
                    at(1, "evaluation_started", json!({"code": "6 * 7"})),
                    at(2, "output", json!({"text": "thinking"})),
                    at(3, "evaluation_finished", json!({"status": "success", "result": {
                        "state": "finished", "evaluation_id": "e-0", "result": "42",
                        "result_type": "SmallInteger", "execution_time": 1.0,
                    }})),
                ]}),
            )])
        }
        _ => None,
    });
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.shows("main> 6 * 7\nthinking\n→ 42\n");
}

#[test]
fn the_end_of_the_daemon_ends_the_loop_with_3_when_nobody_wants_to_wait() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &["--reconnect", "0"]);
    screen.ends_with("main>");
    screen.press("1 +");
    screen.ends_with("main> 1 +");
    daemon.say(&[Line::HangUp]);
    let (code, text) = screen.end();
    assert_eq!(code, 3);
    assert!(
        text.contains("main> 1 +\nstui: the daemon went away"),
        "{text}"
    );
}

#[test]
fn the_line_survives_a_new_size_of_the_terminal() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("'日本語' size");
    screen.ends_with("main> '日本語' size");
    screen.resize(30, 60);
    screen.press(" + 1\r");
    screen.shows("→ '日本語' size + 1");
    screen.ends_with("main>");
}

#[test]
fn an_open_block_goes_on_in_the_next_line() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("[ :x |\r");
    screen.ends_with("    |");
    screen.press("x + 1 ] value: 2\r");
    screen.shows("main> [ :x |\n    | x + 1 ] value: 2\n→ [ :x |");
    let asked = daemon.asked("submit");
    assert_eq!(asked["parameters"]["code"], "[ :x |\nx + 1 ] value: 2");
}

#[test]
fn output_does_not_spoil_an_input_of_several_lines() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("[\r3 + 4\r");
    screen.shows("main> [\n    | 3 + 4\n    |");
    daemon.say(&[event("output", &json!({"text": "one\ntwo\n"}))]);
    let text = screen.shows("one\ntwo\nmain> [\n    | 3 + 4\n    |");
    assert_eq!(text.matches("main>").count(), 1, "{text}");
    // With the cursor in the first line.
    screen.press("\x1b[A\x1b[A");
    daemon.say(&[event("output", &json!({"text": "three\n"}))]);
    let text = screen.shows("two\nthree\nmain> [\n    | 3 + 4\n    |");
    assert_eq!(text.matches("main>").count(), 1, "{text}");
}

#[test]
fn output_does_not_spoil_a_wide_line_that_wraps() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press(&format!("'{}", "日本".repeat(35)));
    screen.until("all of it", |text| text.matches("日本").count() == 35);
    daemon.say(&[event("output", &json!({"text": "one\n"}))]);
    let text = screen.shows("one\nmain> '日本");
    assert_eq!(text.matches("日本").count(), 35, "{text}");
    assert!(text.contains("session main in"), "{text}");
}

#[test]
fn two_hundred_pasted_lines_are_one_input() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit").then(|| crate::cast::evaluated(request, &[], "pasted"))
    });
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    let lines: Vec<String> = (1..=200).map(|n| format!("x{n} := {n}.")).collect();
    screen.press(&format!("\x1b[200~{}\x1b[201~", lines.join("\n")));
    screen.shows("x200 := 200.");
    screen.press("\r");
    screen.shows("→ pasted");
    screen.ends_with("main>");
    assert_eq!(
        daemon.asked("submit")["parameters"]["code"],
        lines.join("\n")
    );
}

#[test]
fn tab_asks_the_image_for_names() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "complete").then(|| {
            vec![reply(
                request,
                &json!({"start": 5, "candidates": [{"text": "Transcript", "kind": "global"}]}),
            )]
        })
    });
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("'日' ,Transcr\t");
    screen.ends_with("main> '日' ,Transcript");
    let asked = daemon.asked("complete");
    assert_eq!(asked["parameters"]["source"], "'日' ,Transcr");
    assert_eq!(asked["parameters"]["position"], 12);
}

#[test]
fn what_was_typed_before_comes_back_in_another_terminal() {
    let daemon = Daemon::start(|_| None);
    let first = Screen::open(&daemon, &[]);
    first.ends_with("main>");
    first.press("12345\r");
    first.shows("→ 12345");
    first.ends_with("main>");
    // Killed, not left.
    drop(first);
    let second = Screen::open(&daemon, &[]);
    second.ends_with("main>");
    second.press("\x1b[A");
    second.ends_with("main> 12345");
    let mode = std::fs::metadata(daemon.home().join(".local/state/stui/history"))
        .map(|found| std::os::unix::fs::PermissionsExt::mode(&found.permissions()))
        .unwrap();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn commands_with_a_colon_are_for_stui() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press(":help\r");
    screen.shows(":browse CLASS");
    screen.press(":nonsense\r");
    screen.shows("[there is no :nonsense");
    screen.press(":browse Foo\r");
    screen.shows("there is no command browse_class");
    screen.press(":detach\r");
    assert_eq!(screen.end().0, 0);
}

#[test]
fn a_failure_is_shown_and_the_loop_goes_on() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "submit").then(|| {
            vec![crate::cast::error(
                request,
                "ImageUnavailable",
                "the image is down",
                &json!({}),
            )]
        })
    });
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("1\r");
    screen.shows("the image is down\n`stui status` tells how the image is\nmain>");
}

#[test]
fn what_runs_on_attach_is_waited_for_and_can_be_left() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "attach").then(|| {
            let mut busy = session("main");
            busy["running"] = json!({"evaluation_id": "e-1", "code": "wait", "running_ms": 5});
            vec![reply(
                request,
                &json!({"session": busy, "position": 0, "created": false}),
            )]
        })
    });
    let screen = Screen::open(&daemon, &[]);
    screen.shows("main> wait\n[this runs;");
    daemon.say(&[event("output", &json!({"text": "still here\n"}))]);
    screen.shows("still here");
    screen.press("\x1c");
    let (code, text) = screen.end();
    assert_eq!(code, 0);
    assert!(text.ends_with("[detached (from session main)]"), "{text}");
}

#[test]
fn keys_pressed_while_something_runs_wait_for_the_prompt() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("wait\r");
    daemon.asked("submit");
    screen.press("5 + 5\r");
    screen.shows("5 + 5");
    daemon.say(&[crate::cast::finished("waited")]);
    screen.shows("→ waited");
    screen.shows("→ 5 + 5");
}

#[test]
fn a_process_that_is_told_to_end_detaches() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("half an input");
    screen.ends_with("main> half an input");
    screen.terminate();
    let (code, text) = screen.end();
    assert_eq!(code, 0);
    let end = "main> half an input\n[detached (from session main)]";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn who_takes_the_session_over_is_told_and_can_be_answered() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    let own = json!({"client": 1, "pid": screen.process(), "uid": 0, "mode": "watch"});
    let other = json!({
        "client": 2, "pid": 1, "uid": 0, "mode": "drive", "terminal": "/dev/pts/\u{1b}7",
    });
    daemon.say(&[event("attached", &own), event("attached", &other)]);
    screen.shows("[somebody took the session over; :steal takes it back]\n[pts/7 attached]\nmain>");
    daemon.asked("attach");
    screen.press(":steal\r");
    screen.shows("[this terminal drives the session]");
    assert_eq!(daemon.asked("attach")["parameters"]["steal"], true);
}

#[test]
fn an_end_that_fell_into_a_gap_is_asked_for_and_shown_once() {
    let daemon = Daemon::start(|request| {
        (request["command"] == "await").then(|| {
            vec![reply(
                request,
                &json!({
                    "state": "finished", "evaluation_id": "e-1", "result": "found",
                    "result_type": "Object", "execution_time": 1.0,
                }),
            )]
        })
    });
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    screen.press("wait\r");
    daemon.asked("submit");
    daemon.say(&[event("gap", &json!({"from": 2, "to": 6}))]);
    screen.shows("[5 older lines of the log are gone]\n→ found\nmain>");
    daemon.say(&[
        crate::cast::finished("found"),
        event("output", &json!({"text": "later\n"})),
    ]);
    let text = screen.shows("later");
    assert_eq!(text.matches("→ found").count(), 1, "{text}");
}

#[test]
fn news_of_the_image_are_shown_and_those_of_other_sessions_are_not() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    let elsewhere = |name: &str, data: serde_json::Value| {
        Line::Json(json!({"event": name, "session_id": "s-2", "data": data}))
    };
    daemon.say(&[
        elsewhere("session_closed", json!({})),
        elsewhere("output", json!({"text": "not for us\n"})),
        Line::Json(json!({"event": "image_state", "data": {
            "state": "down", "since": "2026-11-20T10:00:00Z", "endpoint": "x",
            "reason": "it was killed",
        }})),
    ]);
    let text = screen.shows("[image: down: it was killed]\nmain>");
    assert!(
        !text.contains("not for us") && !text.contains("ended"),
        "{text}"
    );
}
