//! Connecting to the daemon, and starting one in the background when none runs.
//!
//! Clients that start at the same time take turns through a lock file beside the socket: the
//! second finds the daemon of the first. The daemon gets a session of its own (`setsid`), so that
//! closing the terminal does not end it: `stui` starts itself with the hidden command
//! [`crate::args::Verb::RunDaemon`], which leaves the terminal and becomes `stuid`.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::connection::Connection;
use crate::exit::Problem;
use crate::socket;
use crate::state;

/// How long a daemon may take until it says hello.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// How often a starting daemon's socket is tried. A socket that appears wakes nobody.
const RETRY_EVERY: Duration = Duration::from_millis(20);

/// Lines of the daemon's log that are shown when it does not come up.
const LOG_LINES: usize = 12;

/// Bytes of the log that are looked at for those lines.
const LOG_BYTES: u64 = 16 * 1024;

/// Connects; starts the daemon before that when none runs and `start` allows it. What is done is
/// told to `told`.
///
/// # Errors
/// As [`Connection::open`]; `NotStarted` with the end of the log when the daemon does not come up.
pub(crate) fn connect(
    socket: &Path,
    start: bool,
    told: &mut dyn Write,
) -> Result<Connection, Problem> {
    match Connection::open(socket) {
        Err(Problem::NoDaemon(_)) if start => {}
        other => return other,
    }
    let unable = |problem| match problem {
        Problem::Io { .. } => Problem::NotStarted(format!(
            "no daemon runs, and none can be started: {problem}"
        )),
        other => other,
    };
    socket::make_directory(socket).map_err(unable)?;
    let _turn = take_turn(socket).map_err(unable)?;
    // Somebody else may have started it while we waited for our turn.
    match Connection::open(socket) {
        Err(Problem::NoDaemon(_)) => {}
        other => return other,
    }
    let stuid = find_stuid()?;
    let log = state::directory().map_err(unable)?.join("stuid.log");
    writeln!(
        told,
        "stui: starting {} in the background, its log is {}",
        stuid.display(),
        log.display()
    )?;
    Starting::begin(&stuid, socket, log)
        .map_err(unable)?
        .finish(socket)
}

/// Becomes the daemon: leaves the terminal's session and replaces this process. Returns only when
/// that fails.
pub(crate) fn run_daemon(stuid: &Path, socket: &Path) -> Problem {
    if let Err(error) = rustix::process::setsid() {
        return Problem::io("leaving the terminal")(error.into());
    }
    let error = Command::new(stuid).arg("--socket").arg(socket).exec();
    Problem::io(format!("running {}", stuid.display()))(error)
}

/// Holds the lock until it is dropped. Whoever has it is done within [`START_PATIENCE`].
fn take_turn(socket: &Path) -> Result<File, Problem> {
    let path = socket.with_extension("start");
    let doing = || Problem::io(format!("locking {}", path.display()));
    let file = private().write(true).open(&path).map_err(doing())?;
    flock(&file, FlockOperation::LockExclusive).map_err(|error| doing()(error.into()))?;
    Ok(file)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

/// `stuid` beside our own executable, else the first in `PATH`.
pub(crate) fn find_stuid() -> Result<PathBuf, Problem> {
    let beside = env::current_exe()
        .ok()
        .map(|own| own.with_file_name("stuid"));
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).map(|dir| dir.join("stuid"));
    beside
        .into_iter()
        .chain(in_path)
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            Problem::NotStarted(
                "no daemon runs, and there is no stuid beside stui or in PATH to start".to_owned(),
            )
        })
}

/// A daemon that has been started and has not answered yet.
struct Starting {
    child: Child,
    log: PathBuf,
    log_start: u64,
}

impl Starting {
    fn begin(stuid: &Path, socket: &Path, log: PathBuf) -> Result<Self, Problem> {
        let opening = || Problem::io(format!("opening {}", log.display()));
        let file = private().append(true).open(&log).map_err(opening())?;
        let log_start = file.metadata().map_err(opening())?.len();
        let errors = file.try_clone().map_err(opening())?;
        // It works in the root directory, so that it keeps no other one busy.
        let absolute = |path| std::path::absolute(path).map_err(Problem::io("finding the socket"));
        let own = env::current_exe().map_err(Problem::io("finding stui itself"))?;
        let child = Command::new(own)
            .arg("run-daemon")
            .arg(absolute(stuid)?)
            .arg(absolute(socket)?)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(Problem::io("starting stuid"))?;
        Ok(Self {
            child,
            log,
            log_start,
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "neither a socket that appears nor the end of a child can be waited for here"
    )]
    fn finish(mut self, socket: &Path) -> Result<Connection, Problem> {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            match Connection::open(socket) {
                // Not there yet, or there and busy with its start.
                Err(Problem::NoDaemon(_) | Problem::NoAnswer(_)) => {}
                other => return other,
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(&format!("stuid ended at once ({status})")));
            }
            if Instant::now() >= deadline {
                let waited = START_PATIENCE.as_secs();
                let what = format!("stuid runs, but has not answered within {waited} s");
                return Err(self.failed(&what));
            }
            thread::sleep(RETRY_EVERY);
        }
    }

    fn failed(&self, what: &str) -> Problem {
        let log = self.log.display();
        let end = match last_lines(&self.log, self.log_start) {
            Ok(lines) if lines.is_empty() => format!("; it wrote nothing to {log}"),
            Ok(lines) => format!("; the end of {log}:\n{}", lines.join("\n")),
            Err(error) => format!("; reading {log}: {error}"),
        };
        Problem::NotStarted(format!("{what}{end}"))
    }
}

/// The last lines that were written to the log after `start`.
fn last_lines(log: &Path, start: u64) -> io::Result<Vec<String>> {
    let mut file = File::open(log)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(start.max(end.saturating_sub(LOG_BYTES))))?;
    let mut text = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().map(|line| format!("  {line}")).collect();
    Ok(lines[lines.len().saturating_sub(LOG_LINES)..].to_vec())
}
