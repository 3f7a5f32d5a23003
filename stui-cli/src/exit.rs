//! How `stui` ends: exit codes that scripts rely on, and the problems that lead to them.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use stui_protocol::{ErrorType, Failure};

use crate::render::time;

/// An exit code. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// The Smalltalk code failed, or what was asked for is not in the image.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// No daemon, or it went away.
    NoDaemon = 3,
    /// The daemon has no image that answers.
    ImageUnavailable = 4,
    /// A time limit passed.
    Timeout = 5,
    /// Refused, or too busy.
    Refused = 6,
    /// No such session.
    NoSession = 7,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<ErrorType> for Exit {
    fn from(error_type: ErrorType) -> Self {
        use ErrorType as E;
        match error_type {
            E::SyntaxError
            | E::EvaluationError
            | E::EvaluationNotFound
            | E::ObjectNotFound
            | E::ClassNotFound
            | E::MethodNotFound
            | E::ContextNotFound
            | E::DebugSessionNotFound => Self::Failed,
            E::InvalidRequest | E::MessageTooLarge | E::MissingParameter | E::InvalidParameter => {
                Self::Usage
            }
            E::ImageUnavailable | E::OutcomeUnknown => Self::ImageUnavailable,
            E::Timeout => Self::Timeout,
            E::Interrupted => Self::Interrupted,
            E::SessionNotFound | E::SessionExpired => Self::NoSession,
            E::UnknownCommand
            | E::UnsupportedVersion
            | E::PermissionDenied
            | E::SessionBusy
            | E::SessionLimitExceeded
            | E::UnsupportedOperation
            | E::InternalError
            | E::QueueFull
            | E::Overloaded
            | E::ShuttingDown => Self::Refused,
        }
    }
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A request failed; the reply says why.
    #[error("{0}")]
    Failed(Failure),
    /// Nobody listens at the socket.
    #[error(
        "no daemon listens at {}: start stuid, or leave out --no-start to have it started",
        .0.display()
    )]
    NoDaemon(PathBuf),
    /// The daemon could not be reached although something is there.
    #[error("connecting to {}: {source}", .path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket's directory is not safe to use.
    #[error("{0}")]
    UnsafeSocket(String),
    /// `stuid` was started and did not come up.
    #[error("{0}")]
    NotStarted(String),
    /// The daemon closed the connection.
    #[error("the daemon went away; `stui attach` comes back to the session")]
    Lost,
    /// The daemon has closed the connection before it got a request.
    #[error("the daemon went away; `stui attach` comes back to the session")]
    NotSent,
    /// The daemon did not come back.
    #[error(
        "the daemon has not come back within {}; `stui attach` starts one and goes on, --reconnect waits longer",
        time::duration(*.0)
    )]
    StaysAway(Duration),
    /// An operator sent us away.
    #[error("the daemon closed this connection: {0}")]
    Dismissed(String),
    /// The daemon is of another major version.
    #[error("{0}")]
    OtherProtocol(String),
    /// Somebody ended the session that we were in.
    #[error("the session was ended")]
    SessionEnded,
    /// The session is not shared with us any more.
    #[error("{0}")]
    NotShared(String),
    /// The daemon said something that is not the protocol.
    #[error(
        "the daemon said something that this stui does not understand ({0}); are stui and stuid of the same version?"
    )]
    Garbled(String),
    /// The daemon did not answer in time.
    #[error("the daemon did not answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    /// Ctrl-C while waiting.
    #[error("interrupted")]
    Interrupted,
    /// The command line asks for something impossible.
    #[error("{0}")]
    Usage(String),
    /// Reading a file or standard input, writing to standard output.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Somebody has been told already.
    #[error("exit code {}", *.0 as u8)]
    Told(Exit),
}

impl Problem {
    /// A failure of the file system or a stream while `doing` something.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Whether the reader of our output has gone, which is no problem to talk about.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether the daemon went away, so that one can come back to it.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost | Self::NotSent)
    }

    /// The exit code for it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Failed(failure) => failure.error_type.into(),
            Self::Unreachable { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Exit::Refused
            }
            Self::NoDaemon(_)
            | Self::Unreachable { .. }
            | Self::UnsafeSocket(_)
            | Self::NotStarted(_)
            | Self::Lost
            | Self::NotSent
            | Self::StaysAway(_)
            | Self::OtherProtocol(_)
            | Self::Garbled(_) => Exit::NoDaemon,
            Self::SessionEnded => Exit::NoSession,
            Self::NotShared(_) | Self::Dismissed(_) => Exit::Refused,
            Self::NoAnswer(_) => Exit::Timeout,
            Self::Interrupted => Exit::Interrupted,
            Self::Usage(_) => Exit::Usage,
            Self::Io { .. } if self.is_broken_pipe() => Exit::Done,
            Self::Io { .. } => Exit::Usage,
            Self::Told(exit) => *exit,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Writing to standard output or standard error: the only bare I/O errors that are passed on.
impl From<io::Error> for Problem {
    fn from(source: io::Error) -> Self {
        Self::Io {
            doing: "writing".to_owned(),
            source,
        }
    }
}
