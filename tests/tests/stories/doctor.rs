//! `stui doctor`: something is broken on purpose, and the cause is named.

use rustix::process::Signal;
use serde_json::{Value, json};
use stui_protocol::daemon::Admin;
use stui_tests::{Asking, Daemon, patience};

/// What it finds at a part of the chain, and its exit code.
fn examined(daemon: &Daemon, part: &str) -> (String, Option<i32>) {
    let ran = daemon.user().run(&["doctor", "--json"]);
    let findings: Vec<Value> = serde_json::from_str(&ran.stdout).expect("findings");
    let found = findings.iter().find(|finding| finding["part"] == part);
    let found = found.unwrap_or_else(|| panic!("nothing about {part}: {ran:#?}"));
    let says = format!("{} {}", found["state"], found["says"]).replace('"', "");
    (says, ran.code)
}

#[test]
fn a_daemon_that_is_well_gets_no_advice() {
    let daemon = Daemon::start();

    let said = daemon.user().run(&["doctor"]).exits(0).stdout;

    for part in [
        "socket",
        "daemon",
        "store",
        "link",
        "listener",
        "evaluator",
        "events",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("WRONG"), "{said}");
}

#[test]
fn what_was_broken_is_named() {
    let nobody = Daemon::start_without_image();
    // For its first two seconds it may still be connecting.
    let code = patience::until("a link that is down", || {
        let (says, code) = examined(&nobody, "link");
        says.starts_with("wrong nobody is at ipc://")
            .then_some(code)
    });
    assert_eq!(code, Some(4));

    let mut daemon = Daemon::start();
    let operator = daemon.client();
    operator.ask::<Admin>(json!({"operation": "pause"}));
    let (says, code) = examined(&daemon, "pause");
    assert!(
        says.contains(&format!("process {}", std::process::id())),
        "{says}"
    );
    assert_eq!(code, Some(0), "a pause is no defect");

    daemon.process().signal(Signal::STOP);
    let (says, code) = examined(&daemon, "daemon");
    assert!(says.contains("did not answer"), "{says}");
    assert_eq!(code, Some(3));

    daemon.kill();
    daemon.process().end();
    let (says, code) = examined(&daemon, "daemon");
    assert!(says.starts_with("wrong nobody listens at"), "{says}");
    assert_eq!(code, Some(3));

    let socket = daemon.socket();
    std::fs::remove_file(&socket).expect("a socket that was left behind");
    assert!(examined(&daemon, "socket").0.contains("nothing is at"));
    std::fs::write(&socket, "").expect("a file in its place");
    assert!(examined(&daemon, "socket").0.contains("is no socket"));
}
