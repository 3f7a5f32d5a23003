//! Options of the commands for work that goes on by itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Group;

use super::duration;

/// Code from the command line, a file or standard input.
#[derive(Debug, Group)]
pub(crate) struct Code {
    /// The code; `-`, or none at all, reads it from standard input
    #[arg(allow_hyphen_values = true, conflicts_with = "file")]
    pub(crate) code: Option<String>,
    /// Read the code from a file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// What `submit --help` adds.
pub(super) const SUBMIT: &str = "\
Prints the id of the evaluation as soon as it is accepted. `stui await ID` waits for its end, from
any terminal; `stui log SESSION` has what it writes meanwhile.";

/// Options of `await`.
#[derive(Debug, Group)]
#[command(after_help = "\
Prints what `stui eval` would have printed and exits as it would have. Ctrl-C stops only the
waiting.")]
pub(crate) struct Await {
    /// What `stui submit` printed
    pub(crate) id: String,
    /// Stop waiting after this time; the evaluation goes on
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

/// Options of `log`.
#[derive(Debug, Group)]
#[command(after_help = "\
With --json each line is an event with its position in the log; --since takes such a position.")]
pub(crate) struct Log {
    /// The session
    #[arg(default_value = "main")]
    pub(crate) session: String,
    /// Only what came after this position
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) since: u64,
    /// Go on with what happens, until Ctrl-C or the end of the session
    #[arg(long, short)]
    pub(crate) follow: bool,
}
