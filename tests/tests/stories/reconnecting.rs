//! The daemon goes away and comes back: whoever works or waits goes on. The image is a process of
//! its own, as it is behind a daemon that is restarted for an upgrade.

mod commands;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use stui_protocol::daemon::{Admin, ListSessions, SessionState, Shown, ShownClient};
use stui_tests::terminal::key;
use stui_tests::{Asking, Cli, Client, Daemon, Image, Terminal, patience};

/// Ends when somebody evaluates [`GO`].
const WAITS: &str = "Smalltalk at: #Begun put: true. \
                     [(Smalltalk at: #Go ifAbsent: [false]) == true] \
                     whileFalse: [(Delay forMilliseconds: 20) wait]. 6 * 7";
const GO: &str = "Smalltalk at: #Go put: true";

fn cast() -> (Image, Daemon) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &events]);
    (image, daemon)
}

/// Waits until the image runs [`WAITS`]; what it had not got when the daemon was killed is unknown
/// to it.
fn wait_until_begun(daemon: &Daemon) {
    let client = daemon.client();
    let session = client.session();
    patience::until("code that has begun", || {
        let begun = session.value("Smalltalk at: #Begun ifAbsent: [false]");
        (begun == "true").then_some(())
    });
}

/// Waits until the session `main` runs something.
fn wait_until_busy(daemon: &Daemon) {
    let client = daemon.client();
    patience::until("something that runs", || {
        let sessions = client.ask::<ListSessions>(json!({})).sessions;
        let busy = |session: &&_| is_busy(session);
        sessions.iter().find(busy).map(drop)
    });
}

fn is_busy(session: &stui_protocol::daemon::ClientSession) -> bool {
    session.name == "main" && session.state == SessionState::Busy
}

/// Who is connected, as an operator sees it.
fn clients(operator: &Client) -> Vec<ShownClient> {
    let parameters = json!({"operation": "show", "what": "clients"});
    let Some(Shown::Clients(clients)) = operator.ask::<Admin>(parameters).shown else {
        panic!("no clients");
    };
    clients
}

fn spawn(user: &Cli, arguments: &[&str]) -> Child {
    user.command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("stui")
}

#[test]
fn a_line_that_is_typed_outlives_a_restart_of_the_daemon() {
    let (_image, mut daemon) = cast();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");
    terminal.enters("x := 3");
    terminal.shows("→ 3");
    terminal.types("x +");
    terminal.shows("main> x +");

    daemon.terminate();
    terminal.shows("reconnecting");
    terminal.types(" 4");
    daemon.start_again();
    terminal.shows("reconnected");
    terminal.types(key::ENTER);

    terminal.shows("→ 7");
    let said = terminal.screen().matches("reconnecting").count();
    assert_eq!(said, 1, "{}", terminal.screen());
}

#[test]
fn a_line_that_is_entered_while_the_daemon_is_away_is_evaluated_when_it_is_back() {
    let (_image, mut daemon) = cast();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");
    terminal.enters("x := 3");
    terminal.shows("→ 3");

    daemon.kill();
    terminal.shows("reconnecting");
    terminal.enters("x + 4");
    daemon.start_again();

    terminal.shows("→ 7");
}

/// What it evaluates ends when somebody evaluates `GO`.
fn a_terminal_whose_code_waits() -> (Image, Daemon, Terminal) {
    let (image, daemon) = cast();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");
    terminal.enters(WAITS);
    wait_until_begun(&daemon);
    (image, daemon, terminal)
}

#[test]
fn an_evaluation_under_way_shows_its_result_after_the_daemon_was_killed() {
    let (_image, mut daemon, mut terminal) = a_terminal_whose_code_waits();

    daemon.kill();
    terminal.shows("reconnecting");
    daemon.start_again();
    terminal.shows("reconnected");
    daemon
        .user()
        .run(&["eval", "--session", "other", GO])
        .exits(0);

    terminal.shows("→ 42");
    terminal.shows_what("a prompt", |screen| screen.trim_end().ends_with("main>"));
    terminal.enters("6 * 9");
    terminal.shows("→ 54");
}

#[test]
fn an_evaluation_under_way_shows_its_result_after_the_daemon_was_restarted_in_order() {
    let (_image, mut daemon, terminal) = a_terminal_whose_code_waits();

    daemon.terminate();
    daemon.start_again();
    terminal.shows("reconnected");
    daemon
        .user()
        .run(&["eval", "--session", "other", GO])
        .exits(0);

    terminal.shows("→ 42");
}

#[test]
fn ctrl_c_ends_the_waiting_for_a_daemon() {
    let mut daemon = Daemon::start();
    let user = daemon.user();
    let mut waiting = spawn(&user, &["eval", "[true] whileTrue"]);
    wait_until_busy(&daemon);

    daemon.kill();
    let mut told = BufReader::new(waiting.stderr.take().expect("standard error")).lines();
    let line = told.next().expect("a line").expect("text");
    assert!(line.contains("reconnecting"), "{line}");
    kill_process(Pid::from_child(&waiting), Signal::INT).expect("a signal");

    let ended = waiting.wait().expect("its end");
    assert_eq!(ended.code(), Some(130));
}

#[test]
fn a_client_that_an_operator_sends_away_does_not_come_back() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut terminal = Terminal::open(&user, &[]);
    terminal.shows("main> ");
    let watching = spawn(&user, &["attach", "--watch"]);
    let operator = daemon.client();
    let attached = || {
        let clients = clients(&operator).into_iter();
        clients
            .filter(|each| each.session.is_some())
            .collect::<Vec<_>>()
    };
    let clients = patience::until("two who are attached", || {
        Some(attached()).filter(|clients| clients.len() == 2)
    });

    for client in clients {
        let number = client.client.to_string();
        user.run(&["admin", "kick", &number]).exits(0);
    }

    let ended = watching.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(6), "{ended:?}");
    assert_eq!(terminal.end(), 6);
    terminal.shows("operator");
    assert!(
        !terminal.screen().contains("reconnecting"),
        "{}",
        terminal.screen()
    );
    assert_eq!(attached().len(), 0);
}

#[test]
fn ten_terminals_lose_nothing_when_the_daemon_is_restarted() {
    let (_image, mut daemon) = cast();
    let user = daemon.user();
    let names: Vec<_> = (0..10).map(|number| format!("t{number}")).collect();
    let mut terminals: Vec<_> = names
        .iter()
        .map(|name| Terminal::open(&user, &["attach", name, "--create"]))
        .collect();
    for ((terminal, name), number) in terminals.iter_mut().zip(&names).zip(1..) {
        terminal.shows(&format!("{name}> "));
        terminal.enters(&format!("kept := {number}"));
        terminal.shows(&format!("→ {number}"));
        terminal.types("kept * 1000");
        terminal.shows("kept * 1000");
    }

    daemon.terminate();
    daemon.start_again();

    for (terminal, number) in terminals.iter_mut().zip(1..) {
        terminal.shows("reconnected");
        terminal.types(key::ENTER);
        terminal.shows(&format!("→ {}", number * 1000));
    }
}
