//! What operators do with a daemon that runs, and what its users see of it.

mod blackout;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};
use stui_protocol::daemon::{Admin, Attach, Shown, Status, Submit};
use stui_protocol::image::{Interrupt, Tier};
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
