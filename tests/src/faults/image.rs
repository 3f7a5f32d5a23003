//! An image in a process of its own, which ends and begins again as a row wants it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use super::ledger::{Language, Ledger};
use super::scene::ipc;
use crate::binaries;
use crate::process::{Process, command};
use crate::scripted::read_record;

/// An image that can be killed.
#[derive(Debug)]
pub struct ImageProcess {
    // Before the directory: the process ends before its files go.
    process: Process,
    kind: Kind,
    endpoints: (String, String),
    through: Vec<String>,
    dir: TempDir,
}

#[derive(Clone, Debug)]
enum Kind {
    Embedded,
    Scripted(PathBuf),
}

impl ImageProcess {
    /// The embedded image.
    #[must_use]
    pub fn embedded() -> Self {
        Self::begin(Kind::Embedded, None, Vec::new())
    }

    /// A scripted image, which writes down outside of itself what it does.
    #[must_use]
    pub fn scripted(program: &Path) -> Self {
        Self::begin(Kind::Scripted(program.to_owned()), None, Vec::new())
    }

    /// A scripted image at these endpoints, in what `through` leads to.
    #[must_use]
    pub fn scripted_at(program: &Path, endpoint: &str, events: &str, through: Vec<String>) -> Self {
        let endpoints = (endpoint.to_owned(), events.to_owned());
        let kind = Kind::Scripted(program.to_owned());
        Self::begin(kind, Some(endpoints), through)
    }

    fn begin(kind: Kind, endpoints: Option<(String, String)>, through: Vec<String>) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the image");
        let place = |name: &str| ipc(&dir.path().join(name));
        let endpoints = endpoints.unwrap_or_else(|| (place("image"), place("events")));
        let mut start = starting(&kind, &endpoints, &through, dir.path());
        let process = Process::start("image", &mut start, dir.path());
        Self {
            process,
            kind,
            endpoints,
            through,
            dir,
        }
    }

    /// The flags of a daemon in front of it.
    #[must_use]
    pub fn flags(&self) -> [&str; 4] {
        let (endpoint, events) = &self.endpoints;
        ["--image", endpoint, "--image-events", events]
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Ends it by a signal and waits for its end.
    pub fn end(&mut self, signal: Signal) {
        self.process.signal(signal);
        self.process.end();
    }

    /// Begins another life after its end.
    pub fn start_again(&mut self) {
        let mut start = starting(&self.kind, &self.endpoints, &self.through, self.dir.path());
        self.process = Process::start("image", &mut start, self.dir.path());
    }

    /// What its tasks are written in.
    #[must_use]
    pub fn language(&self) -> Language {
        match self.kind {
            Kind::Embedded => Language::Smalltalk,
            Kind::Scripted(_) => Language::Codes,
        }
    }

    /// What it has written down outside of itself; none for one that must be asked.
    #[must_use]
    pub fn written(&self) -> Option<Ledger> {
        let executed = match self.kind {
            Kind::Embedded => return None,
            Kind::Scripted(_) => read_record(&record(self.dir.path())),
        };
        Some(Ledger {
            executed,
            ..Ledger::default()
        })
    }
}

fn starting(
    kind: &Kind,
    (endpoint, events): &(String, String),
    through: &[String],
    dir: &Path,
) -> Command {
    match kind {
        Kind::Embedded => {
            let mut command = command(through, &binaries::stuid());
            command.args(["embedded-image", "--bind", endpoint, "--events", events]);
            command.arg("--state-dir").arg(dir.join("state"));
            command
        }
        Kind::Scripted(program) => {
            let mut command = command(through, program);
            command.args(["image", endpoint, events]).arg(record(dir));
            command
        }
    }
}

fn record(dir: &Path) -> PathBuf {
    dir.join("record")
}
