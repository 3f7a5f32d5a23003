//! Log lines: on standard error, or with fields in systemd's journal.

mod journal;

use std::io;

use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, registry, reload};

use crate::config::{Log, LogFormat};
use journal::Journal;

/// What is logged, to be changed while the process runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Changes it.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn set(&self, level: &str) -> Result<(), String> {
        let filter = filter(level)?;
        self.0.reload(filter).map_err(|why| why.to_string())
    }
}

/// Sends the log lines of this process to where they belong, in the configured form.
///
/// # Errors
/// When something else did so before, or there is no journal and it was asked for.
pub fn start(log: &Log) -> Result<Level, Box<dyn std::error::Error + Send + Sync>> {
    let (filter, handle) = reload::Layer::new(filter(&log.level)?);
    registry()
        .with(filter)
        .with(lines(log.format)?)
        .try_init()?;
    Ok(Level(handle))
}

/// Where lines go.
type Lines = Box<dyn Layer<Filtered> + Send + Sync>;
type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;

fn lines(format: LogFormat) -> io::Result<Lines> {
    // A line that cannot be written, to a full disk say, is lost: telling so on the same standard
    // error would end the process.
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .log_internal_errors(false);
    Ok(match format {
        LogFormat::Human => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Journald => to_journal(Journal::open()?).boxed(),
        LogFormat::Auto => match goes_to_journal().then(Journal::open) {
            Some(Ok(journal)) => to_journal(journal).boxed(),
            _ => lines.with_ansi(false).boxed(),
        },
    })
}

fn to_journal(journal: Journal) -> impl Layer<Filtered> + Send + Sync {
    fmt::layer()
        .json()
        .with_writer(move || journal.clone())
        .log_internal_errors(false)
}

/// Whether standard error is what systemd has connected to its journal: it leaves the device and the
/// inode of that in the environment, which shells hand on to whomever.
fn goes_to_journal() -> bool {
    let Some(told) = std::env::var_os(JOURNAL) else {
        return false;
    };
    let found = rustix::fs::fstat(io::stderr());
    found.is_ok_and(|found| told == *format!("{}:{}", found.st_dev, found.st_ino))
}

/// Set by systemd.
const JOURNAL: &str = "JOURNAL_STREAM";

/// Words that stand for all that is at least as bad.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads a level or directives.
///
/// # Errors
/// When they mean nothing. A word that is no level is none of a module either: who mistypes
/// `debug` shall be told, and not lose all lines.
pub fn filter(text: &str) -> Result<EnvFilter, String> {
    let known = |word: &str| LEVELS.contains(&word.trim().to_lowercase().as_str());
    match text
        .split(',')
        .find(|part| !known(part) && !part.contains('='))
    {
        Some(wrong) => Err(format!(
            "{wrong:?} is no level: use one of {}, or directives such as info,stuid::image=debug",
            LEVELS.join(", ")
        )),
        None => EnvFilter::try_new(text).map_err(|why| why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_directives_are_read_and_slips_are_told() {
        for right in [
            "info",
            "WARN",
            "info,stuid::image=debug",
            "stuid[request]=trace",
        ] {
            assert!(filter(right).is_ok(), "{right}");
        }
        for wrong in ["debgu", "", "info,stuid", "stuid=loud"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }
}
