//! A daemon of this build, in front of a scripted image.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::process::Signal;
use stui_tests::process::Process;
use stui_tests::{Client, Scripted, patience};
use tempfile::TempDir;

/// A running daemon. It is killed when dropped.
pub(crate) struct Daemon {
    process: Process,
    arguments: Vec<String>,
    dir: TempDir,
}

impl Daemon {
    /// In front of an image that publishes its events.
    pub(crate) fn before(image: &Scripted) -> Self {
        Self::with(&[
            "--image",
            image.endpoint(),
            "--image-events",
            image.events_endpoint(),
        ])
    }

    /// With these flags besides its places.
    pub(crate) fn with(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let arguments: Vec<_> = flags.iter().map(ToString::to_string).collect();
        let process = Process::start("stuid", &mut command(dir.path(), &arguments), dir.path());
        let mut daemon = Self {
            process,
            arguments,
            dir,
        };
        daemon.wait_until_it_says_hello();
        daemon
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("stuid.sock")
    }

    pub(crate) fn client(&self) -> Client {
        Client::try_connect(&self.socket()).expect("a daemon that says hello")
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    pub(crate) fn end(&mut self) -> ExitStatus {
        self.process.end()
    }

    /// Starts another one in the same place, after the end of this.
    pub(crate) fn start_again(&mut self) {
        self.process.end();
        let dir = self.dir.path();
        self.process = Process::start("stuid", &mut command(dir, &self.arguments), dir);
        self.wait_until_it_says_hello();
    }

    /// A second daemon in the same place.
    pub(crate) fn rival(&self) -> Process {
        let dir = self.dir.path();
        Process::start("rival", &mut command(dir, &self.arguments), dir)
    }

    fn wait_until_it_says_hello(&mut self) {
        let socket = self.socket();
        patience::until("a daemon", || {
            if let Some(status) = self.process.ended() {
                panic!("stuid ended with {status}:\n{}", self.process.log());
            }
            Client::try_connect(&socket).map(drop)
        });
    }
}

fn command(dir: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stuid"));
    command
        .env_clear()
        .env("HOME", dir)
        .env("STUID_LOG__LEVEL", "debug")
        .env("STUID_ADMIN__ADDRESS", "127.0.0.1:0")
        .env("STUID_LISTEN__STALL_TIMEOUT_MS", "1000")
        .arg("--socket")
        .arg(dir.join("stuid.sock"))
        .args(arguments);
    command
}
