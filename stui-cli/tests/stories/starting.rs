//! Starting the daemon in the background. A small shell script plays `stuid`: it tells the story
//! through a pipe that it was started and how, and the story then listens at the socket.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use tempfile::TempDir;

use crate::cast::{Daemon, PATIENCE, STUI, Stui, command};

/// A home with `stui` and a `stuid` beside it.
struct Place {
    home: TempDir,
    socket: PathBuf,
}

impl Place {
    fn with_stuid(script: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::hard_link(STUI, home.path().join("stui"))
            .or_else(|_| fs::copy(STUI, home.path().join("stui")).map(drop))
            .unwrap();
        // Another process writes the script: a file that this one writes may still be open in a
        // child that another story starts just now, and cannot be run then.
        let written = Command::new("sh")
            .args([
                "-c",
                "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"",
            ])
            .arg(home.path().join("stuid"))
            .arg(script)
            .status()
            .unwrap();
        assert!(written.success());
        let socket = home.path().join("run/stuid.sock");
        Self { home, socket }
    }

    fn eval(&self, code: &str) -> Stui {
        let home = self.home.path();
        let mut command = command(&home.join("stui"), home);
        command
            .env("STUI_SOCKET", &self.socket)
            .args(["eval", code]);
        Stui::spawn(&mut command)
    }

    /// Lines that the script writes into the pipe `told`.
    fn told(&self) -> Receiver<String> {
        let pipe = self.home.path().join("told");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let (tell, told) = sync_channel(10);
        thread::spawn(move || {
            // Open for writing, too, so that it does not end with its first writer.
            let pipe = File::options().read(true).write(true).open(pipe).unwrap();
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        told
    }
}

/// Says its process, its session, its arguments, and then does nothing.
const TELLING: &str = "\
read -r process name state parent group session rest < /proc/$$/stat
echo \"$$ $session $*\" > \"$(dirname \"$0\")/told\"
exec sleep 600";

#[test]
fn two_clients_that_start_at_once_end_with_one_daemon_out_of_their_terminals() {
    let place = Place::with_stuid(TELLING);
    let told = place.told();
    let clients = [place.eval("1"), place.eval("1")];
    let line = told.recv_timeout(PATIENCE).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[0], words[1], "it leads a session of its own: {line}");
    assert_eq!(words[2..], ["--socket", place.socket.to_str().unwrap()]);

    let _daemon = Daemon::start_at(&place.socket);
    let ended = clients.map(Stui::end);
    let stopped = Command::new("kill").arg(words[0]).status().unwrap();
    assert!(stopped.success(), "it outlives the clients");
    for one in &ended {
        assert_eq!((one.code, one.out.as_str()), (Some(0), "1\n"), "{ended:?}");
    }
    let said = ended
        .iter()
        .filter(|one| one.err.contains("starting"))
        .count();
    assert_eq!(said, 1, "{ended:?}");
    assert!(told.try_recv().is_err(), "a second daemon was started");
}

#[test]
fn a_daemon_that_does_not_come_up_is_told_with_the_end_of_its_log() {
    let place = Place::with_stuid("echo reading the configuration; echo no such image >&2; exit 9");
    for _ in 0..2 {
        let ended = place.eval("1").end();
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.err.contains("exit status: 9"), "{ended:?}");
        let log = "\n  reading the configuration\n  no such image\n";
        assert!(ended.err.ends_with(log), "{ended:?}");
        assert_eq!(
            ended.err.matches("no such image").count(),
            1,
            "an old log is not shown"
        );
    }
    let log = place.home.path().join(".local/state/stui/stuid.log");
    let mode = fs::metadata(log).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nothing_is_started_where_that_was_forbidden() {
    let daemon = Daemon::start(|_| None);
    let socket = daemon.home().join("other.sock");
    let ended = Stui::run(
        &daemon,
        &["--socket", socket.to_str().unwrap(), "eval", "1"],
    );
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.contains("start stuid"), "{ended:?}");
}
