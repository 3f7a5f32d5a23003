//! Commands that show something: sessions, objects, classes, methods, tests.

mod code;

use serde_json::{Value, json};

use crate::cast::{Daemon, Line, Stui, error, evaluated, event, reply, session};

/// A daemon that answers one command.
fn answering(command: &'static str, result: Value) -> Daemon {
    Daemon::start(move |request| {
        (request["command"] == command).then(|| vec![reply(request, &result)])
    })
}

#[test]
fn sessions_are_a_table() {
    let own = rustix::process::getuid().as_raw();
    let mut busy = session("main");
    busy["owner"] = json!(own);
    busy["state"] = json!("busy");
    busy["created_at"] = json!("2020-01-01T00:00:00Z");
    busy["running"] = json!({"evaluation_id": "e-1", "code": "(Delay forSeconds: 9)\n\twait", "running_ms": 61_000});
    busy["queued"] = json!(2);
    let mut theirs = session("other");
    theirs["owner"] = json!(own + 1);
    let daemon = answering("list_sessions", json!({"sessions": [busy, theirs]}));
    let out = Stui::run(&daemon, &["ls"]).out;
    let first: Vec<&str> = out.lines().collect();
    assert!(first[0].starts_with("NAME"), "{out}");
    assert!(first[1].starts_with("main "), "{out}");
    assert!(
        first[1].ends_with("(Delay forSeconds: 9) wait (1 m 01 s)"),
        "{out}"
    );
    assert_eq!(first[2].trim(), "2 more wait");
    let theirs = format!("{}:other ", own + 1);
    assert!(first[3].starts_with(&theirs), "{out}");
    assert_eq!(
        Stui::run(
            &answering("list_sessions", json!({"sessions": []})),
            &["ls"]
        )
        .code,
        Some(0)
    );
}

#[test]
fn sessions_are_made_renamed_and_ended() {
    let made = || answering("new_session", json!({"session": session("brave-fox")}));
    let daemon = made();
    let ended = Stui::run(&daemon, &["new", "-d"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "brave-fox\n"));
    assert_eq!(
        Stui::run(&made(), &["new", "x"]).code,
        Some(2),
        "needs a terminal"
    );

    let daemon = answering("rename_session", json!({"session": session("b")}));
    let ended = Stui::run(&daemon, &["rename", "a", "b"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""));
    let asked = daemon.asked("rename_session");
    assert_eq!(asked["parameters"], json!({"session": "a", "name": "b"}));

    let daemon = answering("kill_session", json!({"session": session("a")}));
    assert_eq!(Stui::run(&daemon, &["kill", "a"]).code, Some(0));
}

#[test]
fn an_interrupt_says_what_it_came_to() {
    let daemon = answering("interrupt", json!({"tier": "idle"}));
    let ended = Stui::run(&daemon, &["interrupt"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(0), "nothing was running\n")
    );
    assert_eq!(daemon.asked("interrupt")["parameters"]["session"], "main");
}

#[test]
fn the_status_names_the_embedded_image_as_such() {
    let status = |state: &str| {
        json!({
            "daemon": {"version": "0.1.0", "pid": 7, "started_at": "2026-11-20T10:00:00Z",
                       "socket": "/run/stui/stuid.sock"},
            "image": {"state": state, "since": "2026-11-20T10:00:00Z",
                      "endpoint": "tcp://127.0.0.1:5555", "reason": "it said so",
                      "description": {"kind": "embedded", "version": "0.1.0", "name": "x"}},
            "queue": {"requests": 0, "evaluations": 1, "running": 2, "oldest_ms": 2500},
            "running": [{"session": "main", "owner": 7, "evaluation_id": "e-1",
                         "code": "[ true ]\n\twhileTrue", "running_ms": 61_000}],
            "clients": 3, "sessions": 4,
        })
    };
    let ended = Stui::run(&answering("status", status("ready")), &["status"]);
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.out.contains("embedded image 0.1.0 (no Pharo)"),
        "{ended:?}"
    );
    assert!(ended.out.contains("2 evaluations run, 1 wait"), "{ended:?}");
    let running = "main: [ true ] whileTrue (1 m 01 s)";
    assert!(ended.out.contains(running), "{ended:?}");
    let levels = "link unknown, listener unknown, evaluator unknown";
    assert!(ended.out.contains(levels), "{ended:?}");
    let ended = Stui::run(&answering("status", status("down")), &["status"]);
    assert_eq!(ended.code, Some(4));
    assert!(ended.out.contains("down: it said so"), "{ended:?}");
    let ended = Stui::run(&answering("status", status("down")), &["status", "--json"]);
    assert_eq!(ended.code, Some(4), "with JSON, too");
}

#[test]
fn past_evaluations_are_a_table() {
    let daemon = answering(
        "history",
        json!({"evaluations": [
            {"evaluation_id": "e-1", "position": 1, "code": "3 + 4",
             "started_at": "2020-01-01T00:00:00Z", "result": "7"},
            {"evaluation_id": "e-2", "position": 4, "code": "1/0",
             "started_at": "2020-01-01T00:00:00Z",
             "failure": {"error": "division by zero", "error_type": "EvaluationError"}},
        ]}),
    );
    let out = Stui::run(&daemon, &["history"]).out;
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[1].ends_with("3 + 4  7"), "{out}");
    assert!(
        lines[2].ends_with("1/0    EvaluationError: division by zero"),
        "{out}"
    );
}

#[test]
fn a_watcher_sees_everything_without_a_terminal() {
    let daemon = Daemon::start(|request| match request["command"].as_str()? {
        "attach" => Some(vec![error(
            request,
            "SessionBusy",
            "pts/1 drives it",
            &json!({}),
        )]),
        _ => None,
    });
    let ended = Stui::run(&daemon, &["attach", "--watch"]);
    assert_eq!(ended.code, Some(6));
    assert!(ended.err.starts_with("pts/1 drives it\n"), "{ended:?}");

    let daemon = Daemon::start(|_| None);
    let ended = Stui::run(&daemon, &["attach", "--watch", "nowhere"]);
    assert_eq!(ended.code, Some(7));
    assert!(ended.err.contains("--create"), "{ended:?}");

    let daemon = Daemon::start(|_| None);
    let watching = Stui::start(&daemon, &["attach", "--watch"]);
    daemon.asked("attach");
    let request = json!({"parameters": {"code": "6 * 7"}});
    daemon.say(&evaluated(&request, &["thinking"], "42")[1..]);
    daemon.say(&[event("session_closed", &json!({}))]);
    let ended = watching.end();
    assert_eq!(ended.code, Some(7));
    assert_eq!(
        ended.out,
        "main> 6 * 7\nthinking\n→ 42\n[the session was ended]\n"
    );
}

#[test]
fn a_watcher_is_told_that_the_session_is_lost_and_sees_it_begin_anew() {
    let daemon = Daemon::start(|_| None);
    let watching = Stui::start(&daemon, &["attach", "--watch"]);
    daemon.asked("subscribe");
    let of_session = |id: &str, position: u64, mut line: serde_json::Value| {
        line["session_id"] = json!(id);
        line["position"] = json!(position);
        Line::Json(line)
    };
    let told = |name: &str, data: &serde_json::Value| json!({"event": name, "data": data});
    let lost = told(
        "session_lost",
        &json!({"reason": "the image was restarted"}),
    );
    let output = told("output", &json!({"text": "there again\n"}));
    let other = json!({"event": "session_closed", "session_id": "s-9", "data": {}});
    let closed = json!({"event": "session_closed", "session_id": "s-2", "data": {}});
    let announced = json!({"event": "session_lost", "session_id": "s-1", "data": session("main")});
    daemon.say(&[
        Line::Json(announced),
        of_session("s-1", 1, lost),
        of_session("s-2", 2, output),
        Line::Json(other),
        Line::Json(closed),
    ]);
    let ended = watching.end();
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert_eq!(
        ended.out,
        "[session main is lost with its variables: the image was restarted; \
         `stui attach --recreate main` brings back its context, \
         `stui attach --create main` begins it anew]\nthere again\n[the session was ended]\n"
    );
}

#[test]
fn events_of_any_shape_are_no_panic() {
    let daemon = Daemon::start(|_| None);
    let watching = Stui::start(&daemon, &["attach", "--watch"]);
    daemon.asked("subscribe");
    let names = [
        "output",
        "transcript",
        "evaluation_started",
        "evaluation_finished",
        "session_renamed",
        "attached",
        "detached",
        "gap",
        "queue_position",
        "image_state",
        "lagging",
    ];
    let shapes = [
        json!({}),
        json!({"text": 7, "code": null, "status": "success", "position": -1, "from": 9, "to": 1}),
        json!({"status": "success", "result": [[]], "position": u64::MAX, "from": 0, "to": u64::MAX}),
        json!({"status": "error", "error": "", "error_type": "SyntaxError", "details": {
            "line": u64::MAX, "column": u64::MAX, "position": u64::MAX, "source": "\u{0}\n\t日"}}),
        json!({"status": "success", "result": {"state": "finished", "evaluation_id": "", "result": "",
            "result_type": "", "execution_time": 1e308}}),
    ];
    for name in names {
        for shape in &shapes {
            daemon.say(&[event(name, shape)]);
        }
    }
    daemon.say(&[
        event("output", &json!({"text": "well\n"})),
        event("session_closed", &json!({})),
    ]);
    let ended = watching.end();
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert!(
        ended.out.ends_with("well\n[the session was ended]\n"),
        "{ended:?}"
    );
}
