//! Operating the daemon: what an operator can ask for, and what is answered.

use serde::{Deserialize, Serialize};

use super::{AttachMode, ClientSession, ImageStatus};
use crate::command::commands;
use crate::image::SaveImageResult;
use crate::time::Timestamp;

/// Operate the daemon. Root and the daemon's own user may; others get `PermissionDenied`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Admin {
    /// New work waits from now on; what runs goes on.
    Pause,
    /// What waits goes on.
    Resume,
    /// Pause, and wait until nothing runs at the image.
    Drain {
        /// How long to wait; [`DRAIN_MS`] without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
        /// Resume when something still runs after that time.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resume: bool,
    },
    /// Hold new work back, wait until nothing runs, let the image save itself, go on.
    SaveImage {
        /// How long to wait for what runs; [`SAVE_MS`] without it. The image then has as long
        /// again, and that many at least.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
        /// Save although something still runs after that time.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// Throw the socket to the image away and open a new one.
    Reconnect,
    /// Disconnect a client.
    Kick {
        /// Its number, as `show clients` tells it.
        client: u64,
    },
    /// Read the configuration again, and apply what can change at run time.
    Reload,
    /// Change what is logged, until the next reload.
    SetLogLevel {
        /// `error`, `warn`, `info`, `debug`, `trace`, or directives.
        level: String,
    },
    /// Look into the daemon.
    Show {
        /// At what.
        what: Subject,
    },
}

/// How long `drain` waits when it is not told.
pub const DRAIN_MS: u64 = 30_000;
/// How long each half of `save_image` may take when it is not told, and the second at least.
pub const SAVE_MS: u64 = 60_000;

/// What an operator can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Who is connected.
    Clients,
    /// Everybody's sessions.
    Sessions,
    /// What runs and what waits.
    Queue,
    /// The image and the link to it.
    Image,
    /// Every key with its value and where that comes from.
    Config,
    /// What takes memory.
    Memory,
}

/// What `admin` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminResult {
    /// What was done, in a sentence.
    pub done: String,
    /// Of `save_image`: what the image said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<SaveImageResult>,
    /// Of `reload`: what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reloaded: Option<Reloaded>,
    /// Of `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

impl AdminResult {
    /// An answer that is a sentence and nothing else.
    #[must_use]
    pub fn done(done: impl Into<String>) -> Self {
        Self {
            done: done.into(),
            image: None,
            reloaded: None,
            shown: None,
        }
    }
}

/// What became of the keys that are set differently now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Keys whose new values are in force.
    pub applied: Vec<String>,
    /// Keys whose new values come into force at the next start.
    pub at_next_start: Vec<String>,
}

/// What `show` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// By number.
    Clients(Vec<ShownClient>),
    /// By owner and name.
    Sessions(Vec<ClientSession>),
    /// What runs, then what waits, the oldest first.
    Queue(Vec<ShownEvaluation>),
    /// The image.
    Image(ShownImage),
    /// By key.
    Config(Vec<ShownKey>),
    /// The memory.
    Memory(ShownMemory),
}

/// A connected client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownClient {
    /// Its number.
    pub client: u64,
    /// Its process; 0 when the kernel does not tell.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// Since when.
    pub connected_at: Timestamp,
    /// The session that it is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What it may do there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<AttachMode>,
}

/// An evaluation that has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownEvaluation {
    /// Its id.
    pub evaluation_id: String,
    /// Whether it is at the image; else it waits.
    pub running: bool,
    /// Where; none when it has bindings of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whose it is.
    pub uid: u32,
    /// The client that asked; 0 when it was found running.
    pub client: u64,
    /// Milliseconds since it was accepted.
    pub age_ms: u64,
}

/// The image and the link to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownImage {
    /// As `status` has it.
    pub status: ImageStatus,
    /// Whether its events arrive.
    pub events: bool,
    /// Requests that wait for the link.
    pub waiting: u64,
    /// Times that the link came up.
    pub connects: u64,
    /// Times that the link went down.
    pub disconnects: u64,
    /// Milliseconds that low-priority code in it is late, when last asked.
    pub evaluator_lag_ms: f64,
}

/// A key of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownKey {
    /// Such as `log.level`.
    pub key: String,
    /// Its value as text.
    pub value: String,
    /// Where it was set.
    pub place: String,
    /// Whether `reload` can change it.
    pub reloadable: bool,
}

/// What takes memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownMemory {
    /// Of the whole process, as the system counts; with the embedded image it is in it.
    pub resident_bytes: u64,
    /// Lines in the logs of all sessions.
    pub log_bytes: u64,
    /// Code and outcomes of remembered evaluations.
    pub history_bytes: u64,
    /// Code of evaluations that wait.
    pub queue_bytes: u64,
}

/// Why new work waits. Data of the event `paused`, and part of `status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paused {
    /// `pause`, `drain` or `save_image`.
    pub operation: String,
    /// Since when.
    pub since: Timestamp,
    /// The operator's user.
    pub uid: u32,
    /// The operator's process; it may be gone.
    pub pid: u32,
    /// The operator's number as a client; it may be gone.
    pub client: u64,
    /// Requests that wait for the end of it; evaluations of sessions wait in their queues.
    #[serde(default)]
    pub waiting: u64,
}

/// Data of the event `goodbye`, the last line to a client that is disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodbyeData {
    /// Why, for people.
    pub reason: String,
}

commands! {
    Admin => AdminResult, "admin", ["operation"];
}
