//! Sessions that nobody uses: saved, closed with an explanation, brought back.

use std::path::Path;

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::daemon::{Attach, ListSessions, NewSession};
use stui_tests::{Asking, Client, Daemon, Image, patience};

/// A daemon with an image inside and these lines under `[sessions]`.
fn daemon_with(dir: &Path, lines: &str) -> Daemon {
    let config = dir.join("stuid.toml");
    std::fs::write(&config, format!("[sessions]\n{lines}\n")).expect("a configuration");
    let config = config.to_str().expect("a path");
    Daemon::start_with(&["--embedded", "--config", config])
}

#[test]
fn a_session_that_nobody_uses_is_saved_and_closed_and_its_end_is_explained() {
    let dir = tempfile::tempdir().expect("a directory");
    let lines = "autosave = \"off\"\nexpire_idle_s = 2\nexpire_warning_s = 1";
    let mut daemon = daemon_with(dir.path(), lines);
    let client = daemon.client();
    client.attach("used");
    client.ask::<NewSession>(json!({"name": "idle"}));
    let code = json!({"session": "idle", "code": "kept := 42"});
    client.evaluate(code).expect("a value");
    let names = |client: &Client| {
        let listed = client.ask::<ListSessions>(json!({})).sessions;
        listed.into_iter().map(|each| each.name).collect::<Vec<_>>()
    };
    patience::until("the end of the idle session", || {
        (names(&client) == ["used"]).then_some(())
    });

    for _ in 0..2 {
        let client = daemon.client();
        let failure = client.refused::<Attach>(json!({"session": "idle"}));
        assert_eq!(failure.error_type, ErrorType::SessionExpired, "{failure:?}");
        assert!(
            failure.error.contains("sessions.expire_idle_s"),
            "{failure:?}"
        );
        assert!(failure.details["context_id"].is_string(), "{failure:?}");
        daemon.kill();
        daemon.start_again();
    }
    let again = json!({"session": "idle", "create": true});
    assert!(daemon.client().ask::<Attach>(again).created);
}

#[test]
fn a_lost_session_is_made_anew_from_what_was_saved_of_it_by_itself() {
    let dir = tempfile::tempdir().expect("a directory");
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let config = dir.path().join("stuid.toml");
    let lines = "[sessions]\nautosave = \"on_idle\"\nautosave_s = 1\n";
    std::fs::write(&config, lines).expect("a configuration");
    let config = config.to_str().expect("a path");
    let links = ["--image", image.endpoint(), "--image-events", &events];
    let daemon = Daemon::start_with(&[&["--config", config][..], &links].concat());
    let client = daemon.client();
    client.attach("main").value("kept := 42");
    let position = client.ask::<ListSessions>(json!({})).sessions[0].position;
    // That the image has saved it is not enough: the daemon has to know.
    patience::until("a saved context", || {
        let log = daemon.log();
        log.contains("the context of a session is saved")
            .then_some(())
    });

    let _image = image.after_a_crash();

    let lost = patience::until("a session that is lost", || {
        let main = client.ask::<ListSessions>(json!({})).sessions.remove(0);
        main.lost
    });
    assert!(lost.context_id.is_some(), "{lost:?}");
    let failure = client.refused::<Attach>(json!({"session": "main"}));
    assert_eq!(failure.details["context_id"], json!(lost.context_id));
    let attach = json!({"session": "main", "recreate": true, "since": 0});
    let attached = client.ask::<Attach>(attach);
    let recreated = attached.recreated.expect("what was brought back");
    assert_eq!(
        (Some(recreated.context_id), recreated.loaded),
        (lost.context_id, 1)
    );
    assert!(attached.position > position, "its log goes on");
    let value = client.evaluate(json!({"session": "main", "code": "kept"}));
    assert_eq!(value.expect("a value").result, "42");
}
