//! The cast: a daemon that follows a script, `stui` as a process, `stui` in a terminal.

mod daemon;
mod process;
mod screen;

pub(crate) use daemon::{Daemon, Line, error, evaluated, event, finished, hello, reply, session};
pub(crate) use process::{Ended, STUI, Stui, command};
pub(crate) use screen::Screen;

use std::time::Duration;

/// How long anything may take before a story is given up as failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
