//! What operators do with a daemon that runs, and what its users see of it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use stui_protocol::daemon::{Admin, Attach, Await, ListSessions, Shown, Status, Submit, Subscribe};
use stui_protocol::image::{Interrupt, Ping, Tier};
use stui_protocol::{ErrorType, EventName};
use stui_tests::{Asking, Client, Daemon, binaries, patience, skipped};

/// What runs until somebody interrupts it.
const LOOP: &str = "[true] whileTrue";

fn submit(client: &Client, session: &str, code: &str) -> String {
    client
        .ask::<Submit>(json!({"session": session, "code": code}))
        .evaluation_id
}

/// The end of an evaluation: its result, or the type of its failure.
fn end_of(client: &Client, id: &str) -> Result<Value, ErrorType> {
    let outcome = client.reply("await", json!({"evaluation_id": id})).outcome;
    outcome
        .map(|result| result["result"].clone())
        .map_err(|failure| failure.error_type)
}

/// Whether something ran and was stopped.
fn is_stopped(tier: Tier) -> bool {
    matches!(tier, Tier::Signal | Tier::Terminate | Tier::Abandon)
}

fn operate(client: &Client, operation: &str) -> String {
    client.ask::<Admin>(json!({"operation": operation})).done
}

fn wait_until_running(client: &Client, evaluations: u64) {
    patience::until("evaluations that run", || {
        let queue = client.ask::<Status>(json!({})).queue;
        (queue.running == evaluations).then_some(())
    });
}

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

/// As many as a busy image may have.
const LOOPS: usize = 50;

#[test]
fn among_fifty_endless_loops_each_is_interrupted_and_what_waits_behind_it_taken_back() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let names: Vec<_> = (0..LOOPS).map(|number| format!("s{number}")).collect();
    for name in &names {
        client.ask::<Attach>(json!({"session": name, "create": true}));
        assert_eq!(
            end_of(&client, &submit(&client, name, "kept := 5")),
            Ok("5".into())
        );
    }
    let begun: Vec<_> = names
        .iter()
        .map(|name| {
            (
                submit(&client, name, LOOP),
                submit(&client, name, "kept := 6"),
            )
        })
        .collect();
    wait_until_running(&client, LOOPS as u64);
    // Anybody of the same user drives, also whoever has just come.
    let driver = daemon.client();

    for (runs, waits) in &begun {
        let taken_back = driver.ask::<Interrupt>(json!({"evaluation_id": waits}));
        assert_eq!(taken_back.tier, Tier::Queued);
        let stopped = driver.ask::<Interrupt>(json!({"evaluation_id": runs}));
        // Which tier works depends on how much else the machine has to do.
        assert!(is_stopped(stopped.tier), "{stopped:?}");
    }

    for (name, (runs, waits)) in names.iter().zip(&begun) {
        assert_eq!(end_of(&client, runs), Err(ErrorType::Interrupted));
        assert_eq!(end_of(&client, waits), Err(ErrorType::Interrupted));
        assert_eq!(
            end_of(&client, &submit(&client, name, "kept")),
            Ok("5".into()),
            "{name}"
        );
    }
}

#[test]
fn the_log_level_and_the_configuration_change_while_the_daemon_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("stuid.toml");
    std::fs::write(&file, "[shutdown]\ntimeout_ms = 2000\n").expect("a configuration");
    let place = file.display().to_string();
    let mut daemon = Daemon::start_with(&["--embedded", "--config", &place]);
    let user = daemon.user();

    let told = user.run(&["admin", "set-log-level", "debgu"]).exits(2);
    assert!(told.stderr.contains("debug"), "{}", told.stderr);
    user.run(&["admin", "set-log-level", "warn"]).exits(0);
    user.run(&["admin", "pause"]).exits(0);
    assert!(!daemon.log().contains("command=Pause"), "info is off");
    std::fs::write(
        &file,
        "[image]\nrequest_timeout_ms = 20000\n[shutdown]\ntimeout_ms = 1000\n[listen]\nmode = \"0660\"\n",
    )
    .expect("another configuration");
    let told = user.run(&["admin", "reload"]).exits(0).stdout;
    assert_eq!(
        told,
        "in force now: image.request_timeout_ms, shutdown.timeout_ms; at the next start: listen.mode\n"
    );
    user.run(&["admin", "resume"]).exits(0);
    patience::until("the level of the configuration", || {
        daemon.log().contains("command=Resume").then_some(())
    });
    // A broken file changes nothing, whoever asks for it to be read.
    std::fs::write(&file, "[shutdown]\ntimeout = 1\n").expect("a broken configuration");
    let told = user.run(&["admin", "reload"]).exits(6);
    assert!(
        told.stderr.contains("shutdown.timeout_ms"),
        "{}",
        told.stderr
    );
    daemon.process().signal(Signal::HUP);
    patience::until("word of what is wrong", || {
        daemon
            .log()
            .contains("reading the configuration again")
            .then_some(())
    });
    let shown = user.run(&["admin", "show", "config"]).exits(0).stdout;
    let line = shown
        .lines()
        .find(|line| line.starts_with("shutdown.timeout_ms"));
    assert!(line.is_some_and(|line| line.contains("1000")), "{shown}");
}

#[test]
fn an_operator_sees_who_is_there_and_what_runs() {
    let daemon = Daemon::start();
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    let runs = submit(&client, "main", LOOP);
    let waits = submit(&client, "main", "3 + 4");
    wait_until_running(&client, 1);
    let look = |what: &str| {
        let parameters = json!({"operation": "show", "what": what});
        client.ask::<Admin>(parameters).shown.expect("something")
    };

    let Shown::Clients(clients) = look("clients") else {
        panic!("no clients");
    };
    assert_eq!(clients[0].pid, std::process::id());
    assert_eq!(clients[0].session.as_deref(), Some("main"));
    let Shown::Queue(queue) = look("queue") else {
        panic!("no queue");
    };
    let ids: Vec<_> = queue
        .iter()
        .map(|each| each.evaluation_id.clone())
        .collect();
    assert_eq!(ids, [runs.clone(), waits]);
    let Shown::Memory(memory) = look("memory") else {
        panic!("no memory");
    };
    assert!(
        memory.resident_bytes > memory.log_bytes && memory.log_bytes > 0,
        "{memory:?}"
    );
    for what in ["clients", "sessions", "queue", "image", "config", "memory"] {
        let table = daemon.user().run(&["admin", "show", what]).exits(0).stdout;
        assert!(table.lines().count() > 1, "{what}: {table}");
    }
    client.ask::<Interrupt>(json!({"evaluation_id": runs}));
}

#[test]
fn a_client_that_is_kicked_hears_why_and_its_session_goes_on() {
    let daemon = Daemon::start();
    let (operator, client) = (daemon.client(), daemon.client());
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    let runs = submit(&client, "main", LOOP);
    wait_until_running(&operator, 1);
    let parameters = json!({"operation": "show", "what": "clients"});
    let Some(Shown::Clients(clients)) = operator.ask::<Admin>(parameters).shown else {
        panic!("no clients");
    };
    let attached = clients.iter().find(|each| each.session.is_some());
    let number = attached.expect("an attached client").client.to_string();

    daemon.user().run(&["admin", "kick", &number]).exits(0);

    assert!(client.next_reply().is_none(), "it is disconnected");
    let last = client.events().pop().expect("a last line");
    assert_eq!(last.event, EventName::Goodbye);
    assert!(
        last.data["reason"]
            .as_str()
            .is_some_and(|why| why.contains("operator"))
    );
    let stopped = operator.ask::<Interrupt>(json!({"evaluation_id": runs}));
    assert!(is_stopped(stopped.tier), "it still ran: {stopped:?}");
    let none = daemon.user().run(&["admin", "kick", &number]).exits(2);
    assert!(none.stderr.contains("show clients"), "{}", none.stderr);
}

/// A user who is neither root nor the one who runs the tests.
const STRANGER: u32 = 65_534;

#[test]
fn only_root_and_the_user_who_runs_the_daemon_may_operate_it() {
    if !rustix::process::getuid().is_root() {
        skipped(
            "only_root_and_the_user_who_runs_the_daemon_may_operate_it",
            "root, to be another user",
        );
        return;
    }
    let daemon = Daemon::start();
    // Where a stranger can get at it.
    let stui = daemon.dir().join("stui");
    std::fs::copy(binaries::stui(), &stui).expect("a copy of stui");
    let open = |place: PathBuf, mode: &str| {
        let done = Command::new("chmod").arg(mode).arg(place).status();
        assert!(done.expect("chmod").success());
    };
    open(daemon.dir().to_owned(), "711");
    open(daemon.socket(), "666");

    let refused = Command::new(stui)
        .args(["admin", "pause"])
        .env("STUI_SOCKET", daemon.socket())
        .uid(STRANGER)
        .output()
        .expect("stui as a stranger");

    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(6), "{said}");
    assert!(
        said.contains("you are user 65534: only root and user 0"),
        "{said}"
    );
    assert_eq!(daemon.client().ask::<Status>(json!({})).paused, None);
    patience::until("the log's line", || {
        daemon.log().contains("no operator").then_some(())
    });
}
