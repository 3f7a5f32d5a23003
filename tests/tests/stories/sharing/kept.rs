//! What is on disk of sessions of several users: who shares what outlives the daemon, and nobody
//! reads the files of others.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use stui_tests::{Cli, Daemon, Image};

use super::{GROUP, OWNER, STRANGER, Town};

#[test]
fn what_is_shared_stays_shared_when_the_daemon_is_killed_and_nothing_else() {
    let story = "what_is_shared_stays_shared_when_the_daemon_is_killed_and_nothing_else";
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let links = ["--image", image.endpoint(), "--image-events", &events];
    let Some(mut town) = Town::start_before(&links, story, &[]) else {
        return;
    };
    let with = format!("uid:{STRANGER}");
    for made in [
        &["new", "--detached", "pair", "--share", &with][..],
        &["new", "--detached", "show"],
        &["share", "show", "group", "--watch-only"],
        &["new", "--detached", "secret"],
        &["new", "--detached", "once", "--share", "all"],
        &["share", "once", "private"],
        &["eval", "--session", "pair", "x := 20"],
        &["eval", "--session", "show", "x := 3"],
    ] {
        town.owner.run(made).exits(0);
    }

    for round in 1..=3 {
        town.daemon.kill();
        town.daemon.start_again();

        let (owner, stranger) = (&town.owner, &town.stranger);
        let of_owner = |name: &str| format!("{OWNER}:{name}");
        let sum = ["eval", "--session", &of_owner("pair"), "x := x + 1"];
        let sum = stranger.run(&sum).exits(0).stdout;
        assert_eq!(sum, format!("{}\n", 20 + round));
        let seen = stranger.run(&["log", &of_owner("show")]).exits(0).stdout;
        assert!(seen.contains("x := 3"), "{seen}");
        let forbidden = ["eval", "--session", &of_owner("show"), "x := 4"];
        stranger.run(&forbidden).exits(6);
        for hidden in ["secret", "once"] {
            assert!(Town::listed(stranger, hidden).is_none(), "{hidden}");
            stranger.run(&["log", &of_owner(hidden)]).exits(7);
        }
        let outsider = Cli::other(&town.daemon, 4_713, 4_701);
        for hidden in ["pair", "show"] {
            outsider.run(&["log", &of_owner(hidden)]).exits(7);
        }
        assert!(Town::listed(owner, "pair").is_some_and(|it| it.shared.is_some()));
    }
    // The owner can still take it back.
    town.owner.run(&["share", "pair", "private"]).exits(0);
    town.stranger
        .run(&["log", &format!("{OWNER}:pair")])
        .exits(7);
}

#[test]
fn nobody_else_reads_the_state_directory() {
    let daemon = Daemon::start();
    daemon.user().run(&["eval", "3 + 4"]).exits(0);

    let state = daemon.dir().join("state");

    let open = |path: &Path| {
        let mode = std::fs::metadata(path)
            .expect("its mode")
            .permissions()
            .mode();
        mode & 0o077 != 0
    };
    assert!(!open(&state), "{}", state.display());
}

#[test]
fn a_second_user_reads_no_file_of_the_state_directory() {
    let story = "a_second_user_reads_no_file_of_the_state_directory";
    let Some(town) = Town::start(story) else {
        return;
    };
    town.owner
        .run(&["eval", "--session", "secret", "#treasure"])
        .exits(0);
    // Its directory is open to all, so that they reach the socket; what is in it must not be.
    let mut files = vec![town.daemon.dir().join("state")];
    let mut next = 0;
    while let Some(path) = files.get(next) {
        next += 1;
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("a directory");
            files.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
    }
    let has = |name: &str| {
        files
            .iter()
            .any(|path| path.to_string_lossy().contains(name))
    };
    assert!(has("journal-") && has("sessions.redb"), "{files:?}");
    for path in &files {
        for program in ["cat", "ls"] {
            let mut command = Command::new(program);
            command.arg(path).uid(STRANGER).gid(GROUP).current_dir("/");
            let ran = command.output().expect(program);
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(
                said.contains("Permission denied"),
                "{program} {path:?}: {said}"
            );
            assert_eq!(ran.stdout, b"", "{program} {path:?}");
        }
    }
}
