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
fn the_end_of_the_daemon_ends_the_loop_with_3() {
    let daemon = Daemon::start(|_| None);
    let screen = Screen::open(&daemon, &[]);
    screen.ends_with("main>");
    daemon.say(&[Line::HangUp]);
    let (code, text) = screen.end();
    assert_eq!(code, 3);
    assert!(text.contains("the daemon went away"), "{text}");
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
