//! The real `stui` as a command.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Signal, kill_process};
use serde_json::json;
use stui_protocol::daemon::Status;
use tempfile::TempDir;

use crate::asking::Asking;
use crate::binaries;
use crate::client::Client;
use crate::daemon::Daemon;

/// The home of a user who has started nothing yet. A daemon that `stui` starts there ends with it.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
}

impl Home {
    /// An empty home with a runtime directory, as a login makes it.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a home");
        let run = dir.path().join("run");
        DirBuilder::new()
            .mode(0o700)
            .create(&run)
            .expect("a runtime directory");
        Self { dir }
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> Cli {
        Cli {
            home: self.dir.path().to_owned(),
            socket: None,
            other: None,
        }
    }

    /// Where the user's daemon listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("run/stui/stuid.sock")
    }

    /// The process of the user's daemon, if one runs.
    #[must_use]
    pub fn daemon(&self) -> Option<u32> {
        let client = Client::try_connect(&self.socket())?;
        Some(client.ask::<Status>(json!({})).daemon.pid)
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read(self.dir.path().join("state/stui/stuid.log"));
            eprintln!(
                "--- stuid wrote:\n{}---",
                String::from_utf8_lossy(&log.unwrap_or_default())
            );
        }
        let Ok(stream) = UnixStream::connect(self.socket()) else {
            return;
        };
        let credentials = rustix::net::sockopt::socket_peercred(&stream);
        if let Ok(credentials) = credentials {
            let _ = kill_process(credentials.pid, Signal::KILL);
        }
    }
}

/// Runs `stui` for a user whose directories are all in `home`.
#[derive(Clone, Debug)]
pub struct Cli {
    home: PathBuf,
    socket: Option<PathBuf>,
    other: Option<Other>,
}

/// Another user than the one who runs the stories.
#[derive(Clone, Debug)]
struct Other {
    uid: u32,
    gid: u32,
    /// A `stui` that this user can reach.
    program: PathBuf,
}

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code; none after a signal.
    pub code: Option<i32>,
}

impl Cli {
    /// A user of the daemon at `socket`.
    #[must_use]
    pub fn of(socket: &Path, home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            socket: Some(socket.to_owned()),
            other: None,
        }
    }

    /// Another user of a daemon that is open to all, with a home of its own in the daemon's
    /// directory. Only root can be somebody else.
    #[must_use]
    pub fn other(daemon: &Daemon, uid: u32, gid: u32) -> Self {
        let everybody = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
                .expect("opening a place to other users");
        };
        everybody(daemon.dir(), 0o711);
        let program = daemon.dir().join("stui");
        if !program.exists() {
            // Where the stories build it, others may not be.
            // Another process copies it: one that is being written here cannot be run while a
            // child of another story has inherited the file.
            let mut copy = Command::new("cp");
            let copied = copy.arg(binaries::stui()).arg(&program).status();
            assert!(copied.expect("cp").success(), "a stui for everybody");
            everybody(&program, 0o755);
        }
        let home = daemon.dir().join(format!("home-{uid}"));
        std::fs::create_dir_all(&home).expect("a home");
        std::os::unix::fs::chown(&home, Some(uid), Some(gid)).expect("a home of one's own");
        Self {
            home,
            socket: Some(daemon.socket()),
            other: Some(Other { uid, gid, program }),
        }
    }

    /// The command, not started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.other {
            None => Command::new(binaries::stui()),
            Some(other) => {
                let mut command = Command::new(&other.program);
                command.uid(other.uid).gid(other.gid).current_dir("/");
                command
            }
        };
        command.env_clear();
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command.args(arguments);
        command
    }

    /// What the user's environment says.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let mut environment = vec![
            ("HOME", self.home.clone()),
            ("XDG_RUNTIME_DIR", self.home.join("run")),
            ("XDG_STATE_HOME", self.home.join("state")),
            ("XDG_DATA_HOME", self.home.join("data")),
            ("STUID_ADMIN__ADDRESS", "127.0.0.1:0".into()),
            ("TERM", "xterm-256color".into()),
            ("LANG", "C.UTF-8".into()),
            ("PATH", std::env::var_os("PATH").unwrap_or_default().into()),
        ];
        if let Some(socket) = &self.socket {
            environment.push(("STUI_SOCKET", socket.clone()));
        }
        environment
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "")
    }

    /// Runs it to its end with something on standard input.
    #[must_use]
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting stui");
        let mut stdin = child.stdin.take().expect("a standard input");
        // A command that does not read its input closes it; that is its right.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("the end of stui");
        Ran {
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
            code: output.status.code(),
        }
    }
}

impl Ran {
    /// Checks the exit code; shows everything when it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}
