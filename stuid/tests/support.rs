//! A daemon of this build, in front of a scripted image.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::process::Signal;
use serde_json::json;
use stui_protocol::daemon::{ImageState, Status};
use stui_tests::process::Process;
use stui_tests::{Asking, Client, Scripted, patience};
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

    /// In front of an image that may take so many milliseconds for one exchange.
    pub(crate) fn impatient(image: &Scripted, request_timeout_ms: u64) -> Self {
        Self::configured(
            image,
            &format!("[image]\nrequest_timeout_ms = {request_timeout_ms}\n"),
        )
    }

    /// In front of an image, with this in its configuration file.
    pub(crate) fn configured(image: &Scripted, config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("stuid.toml");
        std::fs::write(&file, config).expect("writing the configuration");
        Self::with(&[
            "--image",
            image.endpoint(),
            "--image-events",
            image.events_endpoint(),
            "--config",
            file.to_str().expect("a path in UTF-8"),
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

    /// A number that it serves over HTTP; none when it has no such line.
    pub(crate) fn metric(&self, line: &str) -> Option<f64> {
        self.client().metric(line)
    }

    /// Waits until it says that the image is in that state.
    pub(crate) fn wait_for_image(&self, state: ImageState) {
        let client = self.client();
        patience::until(&format!("an image that is {state:?}"), || {
            let status = client.ask::<Status>(json!({}));
            (status.image.state == state).then_some(())
        });
    }

    /// Waits until it talks to the image that came back for the first time.
    pub(crate) fn wait_for_second_life(&self) {
        let client = self.client();
        patience::until("the second life of the image", || {
            let image = client.ask::<Status>(json!({})).image;
            let ready = image.state == ImageState::Ready;
            (ready && image.instance.as_deref() == Some("life-2")).then_some(())
        });
    }

    /// A second daemon in the same place.
    pub(crate) fn rival(&self) -> Process {
        let dir = self.dir.path();
        Process::start("rival", &mut command(dir, &self.arguments), dir)
    }

    /// A second daemon with the same state and another socket.
    pub(crate) fn rival_elsewhere(&self) -> Process {
        let dir = self.dir.path();
        let socket = dir.join("rival.sock");
        Process::start("rival", &mut command_at(dir, &socket, &self.arguments), dir)
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

/// A daemon with its places in that directory.
pub(crate) fn command(dir: &Path, arguments: &[String]) -> Command {
    command_at(dir, &dir.join("stuid.sock"), arguments)
}

fn command_at(dir: &Path, socket: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stuid"));
    command
        .env_clear()
        .env("HOME", dir)
        .env("STUID_LOG__LEVEL", "debug")
        .env("STUID_ADMIN__ADDRESS", "127.0.0.1:0")
        .arg("--socket")
        .arg(socket)
        .args(arguments);
    command
}
