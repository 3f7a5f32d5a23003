//! Configuration: defaults, then files, then the environment, then flags. Every key has a default
//! in `config/stuid.toml`, which is compiled in and is the list of all keys.

mod check;
#[cfg(test)]
mod documented;
mod in_force;
mod layers;
mod links;
mod places;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

pub(crate) use check::positive;
pub use in_force::{InForce, Sources};
pub use layers::{Environment, Layered, load};
pub use links::Links;
pub use places::{socket as socket_place, state_dir};

use crate::image::{Heartbeat, Protocol};
use crate::limits::Limits;

/// The defaults, as the file that users can copy.
pub const DEFAULTS: &str = include_str!("../../config/stuid.toml");

/// What is in force. The keys are those of [`DEFAULTS`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Config {
    pub image: Image,
    pub frontend: Frontend,
    pub listen: Listen,
    pub clients: Clients,
    pub admin: Admin,
    pub state: State,
    pub sessions: Sessions,
    pub limits: Limits,
    pub shutdown: Shutdown,
    pub log: Log,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Image {
    pub kind: ImageKind,
    pub endpoint: String,
    #[serde(deserialize_with = "check::protocol")]
    pub protocol: Protocol,
    pub events_endpoint: String,
    #[serde(
        rename = "request_timeout_ms",
        deserialize_with = "check::milliseconds"
    )]
    pub request_timeout: Duration,
    #[serde(rename = "heartbeat_timeout_ms", deserialize_with = "check::heartbeat")]
    pub heartbeat_timeout: Heartbeat,
    pub curve_server_key: String,
    pub curve_key: String,
    pub allow_insecure: bool,
}

/// Where the image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ImageKind {
    /// Inside the daemon.
    Embedded,
    /// A process of its own.
    Zeromq,
}

impl TryFrom<String> for ImageKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "embedded" => Ok(Self::Embedded),
            "zeromq" => Ok(Self::Zeromq),
            _ => Err(format!(
                "it must be \"embedded\" or \"zeromq\", not {text:?}"
            )),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Frontend {
    pub endpoint: String,
    #[serde(deserialize_with = "check::user")]
    pub owner: Option<u32>,
    pub owners: BTreeMap<String, u32>,
    #[serde(deserialize_with = "check::positive")]
    pub max_clients: usize,
    pub curve_key: String,
    pub allow_insecure: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Listen {
    pub socket: PathBuf,
    #[serde(deserialize_with = "check::octal")]
    pub mode: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Clients {
    #[serde(deserialize_with = "check::positive")]
    pub max: usize,
    #[serde(rename = "stall_timeout_ms", deserialize_with = "check::milliseconds")]
    pub stall_timeout: Duration,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Admin {
    #[serde(deserialize_with = "check::address")]
    pub address: Option<SocketAddr>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct State {
    pub dir: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Sessions {
    #[serde(deserialize_with = "check::positive")]
    pub log_bytes: usize,
    pub log_days: u32,
    pub autosave: Autosave,
    #[serde(rename = "autosave_s", deserialize_with = "check::seconds")]
    pub autosave_period: Duration,
    #[serde(rename = "expire_idle_s", deserialize_with = "check::seconds_or_never")]
    pub expire_after: Option<Duration>,
    #[serde(rename = "expire_warning_s", deserialize_with = "check::seconds")]
    pub expire_warning: Duration,
}

/// When the contexts of sessions are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Autosave {
    /// When nothing was evaluated for a while.
    OnIdle,
    /// Every so often, when something was evaluated.
    Interval,
    /// When somebody says so.
    Off,
}

impl TryFrom<String> for Autosave {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "on_idle" => Ok(Self::OnIdle),
            "interval" => Ok(Self::Interval),
            "off" => Ok(Self::Off),
            _ => Err(format!(
                "it must be \"on_idle\", \"interval\" or \"off\", not {text:?}"
            )),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Shutdown {
    #[serde(rename = "timeout_ms", deserialize_with = "check::milliseconds")]
    pub timeout: Duration,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Log {
    #[serde(deserialize_with = "check::level")]
    pub level: String,
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogFormat {
    /// As it suits where standard error goes.
    Auto,
    /// For people.
    Human,
    /// One JSON object for each line.
    Json,
    /// Messages with fields for systemd's journal.
    Journald,
}

impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            "journald" => Ok(Self::Journald),
            _ => Err(format!(
                "it must be \"auto\", \"human\", \"json\" or \"journald\", not {text:?}"
            )),
        }
    }
}

/// The configuration is wrong: the user's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read or is no TOML.
    #[error("reading {place}: {why}")]
    Unreadable {
        /// The file.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key that does not exist.
    #[error("{place} sets {key}, which is no key{}", nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownKey {
        /// Where it is set.
        place: String,
        /// The key.
        key: String,
        /// The key that was meant, perhaps.
        nearest: Option<String>,
    },
    /// A value that cannot be used.
    #[error("{key} is wrong in {place}: {why}")]
    WrongValue {
        /// Where it is set.
        place: String,
        /// The key.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// Two keys that do not fit.
    #[error("{0}")]
    Contradiction(String),
}
