//! A child process that does not outlive its story, with what it wrote to standard error.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use crate::patience;

/// A running child. It is killed when dropped; what it wrote is printed when the story failed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

fn open_log(name: &str, dir: &Path) -> (PathBuf, File) {
    let log = dir.join(format!("{name}.log"));
    let file = File::options().create(true).append(true).open(&log);
    (log, file.expect("opening the log of a process"))
}

/// A command of a program, which another one becomes when `through` names one with arguments.
#[must_use]
pub fn command(through: &[String], program: &Path) -> Command {
    match through {
        [] => Command::new(program),
        [first, arguments @ ..] => {
            let mut command = Command::new(first);
            command.args(arguments).arg(program);
            command
        }
    }
}

impl Process {
    /// Starts a command; its output goes to a file in `dir`.
    pub fn start(name: &str, command: &mut Command, dir: &Path) -> Self {
        let (log, file) = open_log(name, dir);
        let file = file.try_clone().expect("sharing the log of a process");
        command.stdin(Stdio::null()).stdout(file);
        Self::start_on(name, command, log)
    }

    /// Starts a command on files of its own; what it writes to standard error goes to a file in `dir`.
    pub fn start_with_files(
        name: &str,
        command: &mut Command,
        dir: &Path,
        (stdin, stdout): (Stdio, Stdio),
    ) -> Self {
        command.stdin(stdin).stdout(stdout);
        Self::start_on(name, command, open_log(name, dir).0)
    }

    fn start_on(name: &str, command: &mut Command, log: PathBuf) -> Self {
        let file = File::options().append(true).open(&log);
        let child = command
            .stderr(file.expect("the log of a process"))
            .spawn()
            .unwrap_or_else(|error| panic!("starting {command:?}: {error}"));
        Self {
            name: name.to_owned(),
            child,
            log,
            ended: None,
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("asking for the end");
        }
        self.ended
    }

    /// Bytes of memory that it has, from `/proc`.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = std::fs::read_to_string(path).expect("a running process");
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim_end_matches("kB").trim().parse::<u64>().ok());
        kib.expect("its resident memory") * 1024
    }

    /// The files that it has open: their numbers, from `/proc`.
    #[must_use]
    pub fn open_files(&self) -> Vec<u64> {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.pid()));
        let names = entries.expect("a running process").flatten();
        names
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    }

    /// Lets it open files with numbers below this only.
    pub fn limit_files(&self, limit: u64) {
        let wanted = Rlimit {
            current: Some(limit),
            ..getrlimit(Resource::Nofile)
        };
        let pid = Pid::from_child(&self.child);
        prlimit(Some(pid), Resource::Nofile, wanted).expect("limiting a child");
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        patience::until(&what, || self.ended())
    }

    /// Sends it a signal, unless it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let pid = Pid::from_child(&self.child);
            kill_process(pid, signal).expect("sending a signal");
        }
    }

    /// Kills it without warning and waits for its end.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.end();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} wrote:\n{}---", self.name, self.log());
        }
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
