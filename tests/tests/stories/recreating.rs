//! The image goes away and a session with it: its user is asked whether to bring it back from what
//! was saved of it, a script says so, and nothing that was saved is thrown away without a word.

use serde_json::json;
use stui_protocol::daemon::{ListSessions, SessionState};
use stui_protocol::image::SaveContext;
use stui_tests::terminal::key;
use stui_tests::{Asking, Daemon, Image, Terminal, patience};

const QUESTION: &str = "recreate it from its context saved at";

/// A daemon whose image was restarted: of `main`, with `kept` in it, a context was saved when that
/// is wanted.
fn a_lost_session(is_saved: bool) -> (Image, Daemon) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &events]);
    let client = daemon.client();
    client.attach("main").value("kept := 42");
    if is_saved {
        client.ask::<SaveContext>(json!({"session": "main"}));
    }
    let image = image.after_a_crash();
    patience::until("a session that is lost", || {
        (state(&daemon) == SessionState::Lost).then_some(())
    });
    (image, daemon)
}

fn state(daemon: &Daemon) -> SessionState {
    let sessions = daemon.client().ask::<ListSessions>(json!({})).sessions;
    let main = sessions.iter().find(|each| each.name == "main");
    main.expect("main is listed").state
}

#[test]
fn whoever_attaches_to_a_lost_session_is_asked_and_has_it_back() {
    let (_image, daemon) = a_lost_session(true);
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("session main is lost: the image was restarted without it");
    terminal.shows(QUESTION);

    terminal.enters("what?");
    terminal.shows_what("the question again", |screen| {
        screen.matches(QUESTION).count() == 2
    });
    terminal.enters("");

    terminal.shows("session main (recreated: 1 variable saved at");
    terminal.shows_what("a prompt", |screen| screen.trim_end().ends_with("main>"));
    terminal.enters("kept");
    terminal.shows("→ 42");
}

#[test]
fn whoever_says_no_leaves_the_session_as_it_is() {
    let (_image, daemon) = a_lost_session(true);
    for answer in ["n\r", key::CTRL_D, key::CTRL_C] {
        let mut terminal = Terminal::open(&daemon.user(), &["attach"]);
        terminal.shows(QUESTION);

        terminal.types(answer);

        let code = terminal.end();
        if answer != key::CTRL_C {
            assert_eq!(code, 7);
            terminal.shows("stui attach --recreate main");
            terminal.shows("stui attach --create main");
        }
        assert_eq!(state(&daemon), SessionState::Lost);
    }
    let mut terminal = Terminal::open(&daemon.user(), &["attach", "--create"]);
    terminal.shows("session main (new)");
    terminal.shows("main> ");
    terminal.enters("kept");
    terminal.shows("→ nil");
}

#[test]
fn a_script_is_told_that_its_session_is_lost_and_brings_it_back() {
    let (_image, daemon) = a_lost_session(true);
    let user = daemon.user();
    for command in ["eval", "submit", "inspect"] {
        let ran = user.run(&[command, "kept"]).exits(7);
        assert!(ran.stderr.contains("--recreate main"), "{ran:?}");
    }
    let ran = user.run(&["attach"]).exits(2);
    assert!(ran.stderr.contains("--recreate"), "{ran:?}");

    let ran = user.run(&["attach", "--recreate"]).exits(0);

    let said = "main (recreated: 1 variable saved at";
    assert!(ran.stdout.starts_with(said), "{ran:?}");
    assert_eq!(user.run(&["eval", "kept"]).exits(0).stdout, "42\n");
    // There is nothing to do a second time.
    let ran = user.run(&["attach", "--recreate", "main"]).exits(0);
    assert_eq!(ran.stdout, "main\n");
}

#[test]
fn a_lost_session_of_which_nothing_was_saved_can_only_begin_anew() {
    let (_image, daemon) = a_lost_session(false);
    let user = daemon.user();
    let ran = user.run(&["attach", "--recreate"]).exits(1);
    assert!(ran.stderr.contains("--create main"), "{ran:?}");

    let terminal = Terminal::open(&user, &[]);
    terminal.shows("session main (new)");

    assert_eq!(user.run(&["eval", "kept"]).exits(0).stdout, "nil\n");
}

#[test]
fn whoever_is_attached_when_the_session_is_lost_sees_what_can_be_done() {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &events]);
    let mut terminal = Terminal::open(&daemon.user(), &[]);
    terminal.shows("main> ");
    terminal.enters("kept := 42");
    terminal.shows("→ 42");
    let saved = daemon.client();
    saved.ask::<SaveContext>(json!({"session": "main"}));

    let _image = image.after_a_crash();
    terminal.shows("is lost with its variables");
    terminal.shows("stui attach --recreate main");
    daemon.user().run(&["attach", "--recreate"]).exits(0);

    terminal.shows("[recreated: 1 variable saved at");
    terminal.enters("kept + 1");
    terminal.shows("→ 43");
}
