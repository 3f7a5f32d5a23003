//! Arguments of `stui admin`.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::duration;

/// What operators do.
#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Let new work wait; what runs goes on
    Pause,
    /// Let what waits go on
    Resume,
    /// Pause, and wait until nothing runs at the image
    Drain {
        /// Give up after this time
        #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
        timeout: Duration,
        /// When giving up, let new work go on
        #[arg(long)]
        resume: bool,
    },
    /// Save the image between evaluations; who asks meanwhile is answered later
    SaveImage {
        /// Give up when something runs for longer than this; the image itself then has as long
        /// again, and a minute at least
        #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
        timeout: Duration,
        /// Save although something runs
        #[arg(long)]
        force: bool,
    },
    /// Throw the socket to the image away and open a new one
    Reconnect,
    /// Disconnect a client; its session goes on
    Kick {
        /// Its number, as `stui admin show clients` tells it
        client: u64,
    },
    /// Read the configuration again and say what became of it
    Reload,
    /// Change what is logged, until the next reload
    SetLogLevel {
        /// error, warn, info, debug or trace; or directives such as info,stuid::image=debug
        level: String,
    },
    /// Show what is in the daemon
    Show {
        /// What to show
        what: Subject,
    },
}

/// What can be shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Subject {
    /// Who is connected
    Clients,
    /// Everybody's sessions
    Sessions,
    /// What runs and what waits
    Queue,
    /// The image and the link to it
    Image,
    /// Every key with its value and where that comes from
    Config,
    /// What takes memory
    Memory,
}
