//! Why the daemon does not start, or ends: what was asked wrong, and what broke.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;

/// What ends the daemon.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration names an endpoint that is none.
    #[error("{endpoint:?} is no place for an image ({why}): name one such as tcp://127.0.0.1:5555")]
    Endpoint {
        /// The endpoint.
        endpoint: String,
        /// What ZeroMQ says.
        why: String,
    },
    /// The front end cannot be bound.
    #[error("binding frontend.endpoint {endpoint}: {why}")]
    Frontend {
        /// The endpoint.
        endpoint: String,
        /// What ZeroMQ says.
        why: String,
    },
    /// The socket cannot be where it should be.
    #[error("{}: {why}", path.display())]
    Place {
        /// The socket or its directory.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// Another daemon serves the socket.
    #[error("{} is served by another stuid{}: use it, or choose another place with --socket", path.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// The socket.
        path: PathBuf,
        /// The other daemon.
        pid: Option<u32>,
    },
    /// Another daemon keeps its state there.
    #[error("{} is used by another stuid{}: one daemon for each state directory; choose another with --state-dir", path.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    StateInUse {
        /// The state directory.
        path: PathBuf,
        /// The other daemon.
        pid: Option<u32>,
    },
    /// What another version has kept there cannot be read.
    #[error("{}: {why}; start the stuid that wrote it, or choose another place with --state-dir", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system lets this process have too few files.
    #[error(
        "this process may have {files} files open and needs {needed} at least: raise the limit, with `ulimit -n` or LimitNOFILE"
    )]
    FewFiles {
        /// Its limit.
        files: u64,
        /// For the daemon and one client.
        needed: u64,
    },
    /// The embedded image did not start.
    #[error("starting the embedded image: {0}")]
    Embedded(String),
    /// Something else.
    #[error("{doing}: {why}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system says.
        why: io::Error,
    },
}

impl Error {
    /// For `map_err`: an error of the system while doing something.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |why| Self::Io { doing, why }
    }

    /// Whether the user asked wrong, rather than something being broken.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Config(_) | Self::Endpoint { .. } | Self::Frontend { .. }
        )
    }
}
