//! `stui` as a process, with an environment of its own.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;

use super::{Daemon, PATIENCE};

/// The program under test.
pub(crate) const STUI: &str = env!("CARGO_BIN_EXE_stui");

/// How it ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A running `stui`.
pub(crate) struct Stui {
    child: Child,
}

impl Stui {
    /// Runs it to its end.
    pub(crate) fn run(daemon: &Daemon, arguments: &[&str]) -> Ended {
        Self::start(daemon, arguments).end()
    }

    /// Runs it with something on its standard input.
    pub(crate) fn run_with(daemon: &Daemon, arguments: &[&str], input: &[u8]) -> Ended {
        let mut stui = Self::start(daemon, arguments);
        let mut stdin = stui.child.stdin.take().unwrap();
        // It may have ended without reading.
        let _ = stdin.write_all(input);
        drop(stdin);
        stui.end()
    }

    /// Starts it against the daemon.
    pub(crate) fn start(daemon: &Daemon, arguments: &[&str]) -> Self {
        let mut command = command(Path::new(STUI), daemon.home());
        command
            .env("STUI_SOCKET", daemon.socket())
            .env("STUI_NO_START", "1")
            .args(arguments);
        Self::spawn(&mut command)
    }

    /// Starts a command made with [`command`].
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Closes the reading end of its standard output.
    pub(crate) fn close_output(&mut self) {
        self.child.stdout = None;
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        let out = collect(self.child.stdout.take());
        let err = collect(self.child.stderr.take());
        let id = self.child.id().to_string();
        let (done, waiting) = sync_channel(1);
        let watchdog = thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE).is_err() {
                let _ = Command::new("kill").args(["-9", &id]).status();
            }
        });
        let status = self.child.wait().unwrap();
        let _ = done.send(());
        watchdog.join().unwrap();
        Ended {
            code: status.code(),
            out: out.join().unwrap(),
            err: err.join().unwrap(),
        }
    }
}

/// `stui` with no environment but a home of its own.
pub(crate) fn command(stui: &Path, home: &Path) -> Command {
    let mut command = Command::new(stui);
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn collect(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).unwrap();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
