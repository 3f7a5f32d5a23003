//! The real `stuid` in a directory of its own.

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use stui_protocol::daemon::{HelloData, ImageState};
use tempfile::TempDir;

use crate::binaries;
use crate::cli::Cli;
use crate::client::Client;
use crate::patience;
use crate::process::{self, Process};

/// A running daemon, told to its socket and directories by flags.
#[derive(Debug)]
pub struct Daemon {
    // Before the directory: the process ends before its files go.
    process: Process,
    arguments: Vec<String>,
    surroundings: Surroundings,
    dir: TempDir,
}

/// Under what a daemon runs.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
    /// A program with its arguments that becomes the daemon, such as `nsenter`.
    pub through: Vec<String>,
    /// Where its state is; none for its own directory.
    pub state_dir: Option<PathBuf>,
}

impl Surroundings {
    /// Adds a variable to the environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }
}

impl Daemon {
    /// A daemon with an embedded image inside.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&["--embedded"])
    }

    /// A daemon with more arguments, such as `--image ENDPOINT`.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_under(Surroundings::default(), arguments)
    }

    /// As [`Daemon::start_with`], in other surroundings.
    #[must_use]
    pub fn start_under(surroundings: Surroundings, arguments: &[&str]) -> Self {
        let mut daemon = Self::spawned(surroundings, |_| {
            arguments.iter().map(ToString::to_string).collect()
        });
        daemon.wait_until(has_image);
        daemon
    }

    /// The same with the log level that users have and places for two thousand clients and their
    /// sessions, for measuring.
    #[must_use]
    pub fn quiet(arguments: &[&str]) -> Self {
        let settings = [
            ("STUID_LOG__LEVEL", "info"),
            ("STUID_CLIENTS__MAX", "2000"),
            ("STUID_LIMITS__CLIENTS_PER_OWNER", "2000"),
            ("STUID_LIMITS__SESSIONS_PER_OWNER", "2000"),
        ];
        let surroundings = Surroundings {
            environment: settings
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
            ..Surroundings::default()
        };
        Self::start_under(surroundings, arguments)
    }

    /// A daemon with an embedded image inside and a configuration file of its own.
    #[must_use]
    pub fn configured(config: &str) -> Self {
        let mut daemon = Self::spawned(Surroundings::default(), |dir| {
            let file = dir.join("stuid.toml");
            std::fs::write(&file, config).expect("writing the configuration");
            let file = file.to_str().expect("a path in UTF-8").to_owned();
            vec!["--embedded".to_owned(), "--config".to_owned(), file]
        });
        daemon.wait_until(has_image);
        daemon
    }

    /// A daemon whose image may not come.
    #[must_use]
    pub fn start_alone(surroundings: Surroundings, arguments: &[&str]) -> Self {
        let mut daemon = Self::spawned(surroundings, |_| {
            arguments.iter().map(ToString::to_string).collect()
        });
        daemon.wait_until(|_| true);
        daemon
    }

    /// A daemon whose image is not there.
    #[must_use]
    pub fn start_without_image() -> Self {
        let nowhere = |dir: &Path| format!("ipc://{}", dir.join("nowhere").display());
        let mut daemon = Self::spawned(Surroundings::default(), |dir| {
            vec!["--image".to_owned(), nowhere(dir)]
        });
        daemon.wait_until(|_| true);
        daemon
    }

    fn spawned(surroundings: Surroundings, arguments: impl Fn(&Path) -> Vec<String>) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the daemon");
        let arguments = arguments(dir.path());
        let process = spawn(dir.path(), &surroundings, &arguments);
        Self {
            process,
            arguments,
            surroundings,
            dir,
        }
    }

    /// The socket that it listens on.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket_in(self.dir.path())
    }

    /// Its directory; it goes away with the daemon.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// A new connection to it.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::try_connect(&self.socket()).expect("a daemon that says hello")
    }

    /// A user of it.
    #[must_use]
    pub fn user(&self) -> Cli {
        Cli::of(&self.socket(), self.dir.path())
    }

    /// Tells it to end and waits until it has.
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        self.process.signal(Signal::TERM);
        self.process.end()
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after its end, on the same directory.
    pub fn start_again(&mut self) {
        self.process.end();
        self.process = spawn(self.dir.path(), &self.surroundings, &self.arguments);
        self.wait_until(has_image);
    }

    /// Waits until it says a hello that is as wanted.
    fn wait_until(&mut self, is_wanted: impl Fn(&HelloData) -> bool) {
        let socket = self.socket();
        patience::until("a daemon that says hello", || {
            if let Some(status) = self.process.ended() {
                panic!("stuid ended with {status}:\n{}", self.process.log());
            }
            is_wanted(Client::try_connect(&socket)?.hello()).then_some(())
        });
    }
}

fn has_image(hello: &HelloData) -> bool {
    hello.instance.is_some() && matches!(hello.image.state, ImageState::Ready | ImageState::Busy)
}

fn socket_in(dir: &Path) -> PathBuf {
    dir.join("stuid.sock")
}

fn spawn(dir: &Path, surroundings: &Surroundings, arguments: &[String]) -> Process {
    let mut command = process::command(&surroundings.through, &binaries::stuid());
    command
        .env_clear()
        .env("HOME", dir)
        .env("STUID_LOG__LEVEL", "debug")
        .env("STUID_ADMIN__ADDRESS", "127.0.0.1:0")
        .envs(surroundings.environment.iter().cloned())
        .arg("--socket")
        .arg(socket_in(dir))
        .arg("--state-dir")
        .arg(
            surroundings
                .state_dir
                .clone()
                .unwrap_or_else(|| dir.join("state")),
        )
        .args(arguments);
    Process::start("stuid", &mut command, dir)
}
