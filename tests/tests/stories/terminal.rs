//! The interactive loop in a real terminal.

use serde_json::json;
use stui_protocol::daemon::{ListSessions, SessionState};
use stui_tests::terminal::key;
use stui_tests::{Asking, Daemon, Terminal, patience};

#[test]
fn whoever_types_stui_gets_a_prompt_and_answers() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");

    terminal.enters("3 + 4");
    terminal.shows("→ 7");
    terminal.enters("'it''s ' , 'fine'");

    terminal.shows("→ 'it''s fine'");
    assert!(
        terminal.screen().contains("embedded"),
        "never mistaken for Pharo"
    );
}

#[test]
fn work_goes_on_in_another_terminal_after_the_first_was_killed() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut terminal = Terminal::open(&user, &["attach"]);
    terminal.shows("main> ");
    terminal.enters(
        "Object subclass: #Account instanceVariableNames: 'sum' classVariableNames: '' package: 'Bank'",
    );
    terminal.shows("→ Account");
    terminal.enters("Account compile: 'deposit: n ^ sum := (sum ifNil: [0]) + n'");
    terminal.shows("→ #deposit:");
    terminal.enters("mine := Account new. mine deposit: 40");
    terminal.shows("→ 40");
    terminal.kill();
    wait_until_left(&daemon);

    let mut terminal = Terminal::open(&user, &["attach"]);
    terminal.shows("main> ");
    terminal.enters("mine deposit: 2");
    terminal.shows("→ 42");
    terminal.enters("Account new deposit: 5");
    terminal.shows("→ 5");
    // Three times up: the line before the kill, which the first terminal typed.
    terminal.types(&key::UP.repeat(3));
    terminal.shows_what("the line of the first terminal", |screen| {
        screen
            .trim_end()
            .ends_with("main> mine := Account new. mine deposit: 40")
    });
}

#[test]
fn ctrl_c_interrupts_what_runs_and_the_prompt_is_back() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");
    terminal.enters("kept := 5");
    terminal.shows("→ 5");
    terminal.enters("[true] whileTrue");
    wait_until(&daemon, SessionState::Busy);

    terminal.types(key::CTRL_C);

    terminal.shows("interrupted");
    terminal.enters("kept + 1");
    terminal.shows("→ 6");
}

#[test]
fn ctrl_c_clears_the_line_when_nothing_runs() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");
    terminal.types("this is not what I");
    terminal.shows("main> this is not what I");

    terminal.types(key::CTRL_C);
    terminal.shows_what("an empty line", |screen| {
        screen.contains("main>") && !screen.contains("not what I")
    });
    terminal.enters("6 * 7");

    terminal.shows("→ 42");
}

#[test]
fn what_is_typed_in_one_burst_with_ctrl_c_is_not_lost() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");

    let (away, enter) = (key::CTRL_C, key::ENTER);
    terminal.types(&format!(
        "#( 1 2{enter}not this{away}6 *{away}{away}6 * 7{enter}8 * 8{enter}"
    ));

    terminal.shows("→ 42");
    terminal.shows("→ 64");
    let past = daemon.user().run(&["history"]).exits(0).stdout;
    assert!(!past.contains("not this"), "{past}");
    // Ctrl-C ends a search in the history as well.
    terminal.types("\x12");
    terminal.shows("search");
    terminal.types(key::CTRL_C);
    terminal.shows_what("the prompt", |screen| screen.trim_end().ends_with("main>"));
    terminal.enters("9 * 9");
    terminal.shows("→ 81");
}

#[test]
fn ctrl_z_stops_the_terminal_and_the_line_is_there_when_it_goes_on() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::shell(&daemon.user());
    terminal.enters("stui");
    terminal.shows("main> ");
    terminal.types("3 +");
    terminal.shows("main> 3 +");

    terminal.types(key::CTRL_Z);

    terminal.shows("Stopped");
    terminal.shows_what("the shell's prompt", |screen| {
        screen.trim_end().ends_with("shell$")
    });
    terminal.enters("fg");
    terminal.shows_what("the line", |screen| {
        screen.matches("main> 3 +").count() == 2
    });
    terminal.enters(" 4");
    terminal.shows("→ 7");
}

#[test]
fn ctrl_d_on_an_empty_line_detaches_and_nothing_else() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");
    terminal.enters("kept := 5");
    terminal.shows("→ 5");
    terminal.types("kept");
    terminal.shows("main> kept");

    // Not on an empty line: the terminal stays.
    terminal.types(key::CTRL_D);
    terminal.types(key::ENTER);
    // Before the prompt is back the terminal itself would take the Ctrl-D.
    terminal.shows_what("the value again, and the prompt", |screen| {
        screen.matches("→ 5").count() == 2 && screen.trim_end().ends_with("main>")
    });
    terminal.types(key::CTRL_D);

    assert_eq!(terminal.end(), 0);
    terminal.shows("detached");
    assert_eq!(daemon.user().run(&["eval", "kept"]).exits(0).stdout, "5\n");
}

#[test]
fn output_arrives_while_a_line_is_typed() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut terminal = Terminal::open(&user, &[]);
    terminal.shows("main> ");
    terminal.types("3 + ");
    terminal.shows("main> 3 +");

    user.run(&["eval", "Transcript show: 'news from elsewhere'; cr. nil"])
        .exits(0);

    terminal.shows("news from elsewhere");
    terminal.shows_what("the line that is typed, below the news", |screen| {
        let news = screen.find("news from elsewhere");
        let line = screen.rfind("main> 3 +");
        news.is_some() && news < line
    });
    terminal.enters("4");
    terminal.shows("→ 7");
}

#[test]
fn a_forked_process_is_heard_when_its_evaluation_has_long_ended() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");

    terminal
        .enters("[(Delay forMilliseconds: 300) wait. Transcript show: 'late news'; cr] fork. 7");

    terminal.shows("→ 7");
    terminal.shows_what("the news on a line of their own, once", |screen| {
        let lines = screen.lines().filter(|line| line.trim_end() == "late news");
        lines.count() == 1 && screen.trim_end().ends_with("main>")
    });
}

#[test]
fn it_is_heard_as_well_when_that_has_printed_much() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let code = "[ [ Smalltalk at: #GoOn ifAbsent: [ false ] ]
                whileFalse: [ (Delay forMilliseconds: 5) wait ].
            Transcript show: 'late news' ] fork.
        Transcript show: (String new: 20000 withAll: $x). #ended";
    // Too much for the daemon to keep it: the log has it.
    assert_eq!(client.attach("main").value(code), "#ended");
    client.session().value("3 + 4");

    client.session().value("Smalltalk at: #GoOn put: true");

    client.wait_for("the news", |event| {
        event.data.get("text") == Some(&"late news".into())
    });
}

#[test]
fn an_expression_that_is_not_complete_goes_on_in_the_next_line() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");

    terminal.enters("(1 to: 3) inject: 0 into: [:a :b |");
    terminal.enters("a + b");
    terminal.enters("]");

    terminal.shows("→ 6");
}

#[test]
fn errors_come_with_a_caret_at_the_spot_or_a_short_stack() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");

    terminal.enters("3 + )");
    terminal.shows_what("a caret under the spot", |screen| {
        let lines: Vec<_> = screen.lines().collect();
        lines.windows(2).any(|pair| {
            let spot = pair[0].find("3 + )").map(|column| column + 4);
            spot.is_some() && pair[1].trim() == "^" && pair[1].find('^') == spot
        })
    });
    terminal.enters("1/0");

    terminal.shows("ZeroDivide");
    terminal.shows(">>/");
}

#[test]
fn two_terminals_in_one_session_see_the_same() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut one = Terminal::open(&user, &["attach", "pair", "--create"]);
    one.shows("pair> ");
    let watching = Terminal::open(&user, &["attach", "pair", "--watch"]);
    watching.shows("session pair");

    one.enters("Transcript show: 'look at this'; cr. 6 * 7");

    one.shows("→ 42");
    watching.shows("look at this");
    watching.shows("→ 42");
}

#[test]
fn an_evaluation_goes_on_when_its_terminal_is_killed() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let mut terminal = Terminal::open(&user, &[]);
    terminal.shows("main> ");
    terminal.enters("(Delay forSeconds: 2) wait. done := #yes");
    wait_until(&daemon, SessionState::Busy);

    terminal.kill();

    wait_until(&daemon, SessionState::Idle);
    assert_eq!(user.run(&["eval", "done"]).exits(0).stdout, "#yes\n");
}

/// Waits until nobody is attached to the session `main`.
fn wait_until_left(daemon: &Daemon) {
    let client = daemon.client();
    patience::until("the end of the attachment", || {
        let sessions = client.ask::<ListSessions>(json!({})).sessions;
        sessions
            .iter()
            .any(|s| s.name == "main" && s.attached.is_empty())
            .then_some(())
    });
}

/// Waits until the session `main` is in that state.
fn wait_until(daemon: &Daemon, state: SessionState) {
    let client = daemon.client();
    patience::until("a state of the session", || {
        let sessions = client.ask::<ListSessions>(json!({})).sessions;
        sessions
            .iter()
            .any(|s| s.name == "main" && s.state == state)
            .then_some(())
    });
}
