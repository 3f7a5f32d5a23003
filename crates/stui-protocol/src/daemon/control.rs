//! The daemon about itself: hello, status, events, administration.

use serde::{Deserialize, Serialize};

use super::{Paused, RunningEvaluation};
use crate::command::commands;
use crate::image::ImageDescription;
use crate::time::Timestamp;
use crate::version::Version;

/// Data of the event `hello`, the daemon's first line on the client link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HelloData {
    /// Protocol versions that are spoken, oldest first.
    pub protocol: Vec<Version>,
    /// Version of the daemon.
    pub daemon_version: String,
    /// The life of the image; none while none is known.
    #[serde(default)]
    pub instance: Option<String>,
    /// The image.
    pub image: ImageStatus,
}

/// The image as the daemon sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageStatus {
    /// What state it is in.
    pub state: ImageState,
    /// Since when.
    pub since: Timestamp,
    /// Where it is.
    pub endpoint: String,
    /// Which image; none until it has been asked.
    #[serde(default)]
    pub description: Option<ImageDescription>,
    /// The life of the image; none until it has been asked.
    #[serde(default)]
    pub instance: Option<String>,
    /// Why it is in that state, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How each part of it is.
    #[serde(default)]
    pub levels: ImageLevels,
}

/// The parts of an image that can fail apart from each other, each resting on the one before. While
/// one is not up, nothing is known of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageLevels {
    /// ZeroMQ is connected.
    pub link: Level,
    /// `ping` is answered.
    pub listener: Level,
    /// Code of low priority makes progress.
    pub evaluator: Level,
    /// How late such code runs, in milliseconds; none while the listener has not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluator_lag_ms: Option<f64>,
}

/// How a part of the image is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It works.
    Up,
    /// It does not.
    Down,
    /// Nobody can tell.
    #[default]
    Unknown,
}

/// State of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageState {
    /// No answer yet.
    Connecting,
    /// It answers.
    Ready,
    /// It answers; its evaluator makes no progress.
    Busy,
    /// The link is up; it does not answer.
    Unresponsive,
    /// The link is down.
    Down,
    /// It saves itself.
    Saving,
}

/// Ask how the daemon is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {}

/// What `status` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusResult {
    /// The daemon.
    pub daemon: DaemonStatus,
    /// The image.
    pub image: ImageStatus,
    /// What waits.
    pub queue: QueueStatus,
    /// What runs in sessions that the client may see, the longest first; at most
    /// [`MOST_RUNNING_TOLD`].
    #[serde(default)]
    pub running: Vec<RunningInSession>,
    /// Clients that are connected.
    pub clients: u64,
    /// Those of them that do not read what is there for them.
    #[serde(default)]
    pub lagging: u64,
    /// Sessions that are known.
    pub sessions: u64,
    /// Why new work waits; none while it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// Where sessions and their logs are kept; none from a daemon that keeps them in memory only
    /// and does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreStatus>,
}

/// Where the daemon keeps sessions and their logs. Also the data of the event `store_state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// How it is.
    pub state: StoreState,
    /// Since when.
    pub since: Timestamp,
    /// Its directory; none when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was found damaged at the start or later, and was set aside there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
}

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    /// Everything is on disk before it is told.
    Ok,
    /// The disk takes nothing more: what is new is in memory until it does.
    Degraded,
    /// There is no directory for it: everything is in memory.
    Memory,
}

/// Running evaluations in an answer to `status`.
pub const MOST_RUNNING_TOLD: usize = 100;

/// An evaluation under way, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningInSession {
    /// Name of the session.
    pub session: String,
    /// User id of its owner.
    pub owner: u32,
    /// The evaluation.
    #[serde(flatten)]
    pub evaluation: RunningEvaluation,
}

/// The daemon about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DaemonStatus {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// The socket it listens on.
    pub socket: String,
    /// Where its metrics are, when they are served.
    #[serde(default)]
    pub admin: Option<String>,
    /// Where ZeroMQ clients may talk to it, when they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<String>,
}

/// What waits for the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Requests that wait for the link.
    pub requests: u64,
    /// Evaluations that wait in their sessions.
    pub evaluations: u64,
    /// Evaluations under way.
    pub running: u64,
    /// Milliseconds that the oldest evaluation which waits, or is on its way to the image, has
    /// waited.
    #[serde(default)]
    pub oldest_ms: u64,
}

/// Receive the daemon's own events (`image_state`, `session_created`, `session_closed`, …).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subscribe {
    /// The client understands a second `hello` on its connection: when the daemon is restarted, the
    /// next one may take the connection up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub handover: bool,
}

/// What `subscribe` answers, before the first event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubscribeResult {
    /// True.
    pub subscribed: bool,
}

commands! {
    Status => StatusResult, "status", [];
    Subscribe => SubscribeResult, "subscribe", [];
}
