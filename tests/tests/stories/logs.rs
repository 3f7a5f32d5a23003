//! What the daemon writes into its log.

use serde_json::{Value, json};
use stui_protocol::daemon::{Admin, Attach};
use stui_tests::daemon::Surroundings;
use stui_tests::{Asking, Daemon, patience};

/// A daemon that writes JSON, at the level that users have.
fn daemon() -> Daemon {
    let mut surroundings = Surroundings::default();
    surroundings.set("STUID_LOG__FORMAT", "json");
    surroundings.set("STUID_LOG__LEVEL", "info");
    Daemon::start_under(surroundings, &["--embedded"])
}

/// The lines so far; each is whole.
fn lines(daemon: &Daemon) -> Vec<Value> {
    let log = daemon.log();
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

/// Waits for a line with that message.
fn line(daemon: &Daemon, message: &str) -> Value {
    patience::until(message, || {
        let mut lines = lines(daemon).into_iter();
        lines.find(|line| line["fields"]["message"] == message)
    })
}

#[test]
fn what_an_operator_does_is_one_line_with_who_and_what() {
    let daemon = daemon();
    let client = daemon.client();

    client.ask::<Admin>(json!({"operation": "pause"}));

    let line = line(&daemon, "an operator's command");
    assert_eq!(line["level"], "INFO", "{line}");
    assert_eq!(line["fields"]["pid"], std::process::id(), "{line}");
    assert!(line["fields"]["uid"].is_u64(), "{line}");
    assert_eq!(line["fields"]["command"], "Pause", "{line}");
    assert_eq!(line["span"]["command"], "admin", "{line}");
    assert!(line["span"]["client"].is_u64(), "{line}");
    assert!(line["span"]["id"].is_string(), "{line}");
}

#[test]
fn requests_are_told_with_client_session_and_id_and_their_code_is_not() {
    let daemon = daemon();
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    let ask = |id: &str, code: &str| {
        let parameters = json!({"session": "main", "code": code});
        let request = json!({"id": id, "command": "evaluate", "parameters": parameters});
        client.exchange(&request)
    };
    assert!(
        ask("one", "Transcript show: 'a secret'. 'a secret'")
            .outcome
            .is_ok()
    );
    assert!(ask("two", "self error: 'a secret'").outcome.is_err());
    assert!(ask("three", "'a secret").outcome.is_err());
    let quiet = daemon.log();
    assert!(!quiet.contains("secret"), "{quiet}");

    // Whoever wants to see more says so, while it runs.
    client.ask::<Admin>(json!({"operation": "set_log_level", "level": "debug"}));
    assert!(ask("four", "3 + 4").outcome.is_ok());

    let told = patience::until("a line about the request", || {
        let mut lines = lines(&daemon).into_iter();
        lines.find(|line| line["span"]["id"] == "four")
    });
    assert_eq!(told["span"]["session"], "main", "{told}");
    assert_eq!(told["span"]["command"], "evaluate", "{told}");
}
