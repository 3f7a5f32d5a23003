//! Talking about the image itself: ping, describe, system information, saving.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::command::commands;
use crate::version::Version;

/// Is the image's listener alive?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ping {
    /// Sent back unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What `ping` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PingResult {
    /// The message of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `ready`.
    pub status: String,
    /// Seconds since the image process started.
    pub uptime: f64,
    /// The life of the image.
    pub instance: String,
    /// Evaluations under way.
    pub evaluations_running: u64,
    /// How late low-priority code in the image runs, in milliseconds.
    pub evaluator_lag_ms: f64,
}

/// What can this image do?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Describe {}

/// What `describe` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DescribeResult {
    /// Protocol versions that are spoken, oldest first.
    pub versions: Vec<Version>,
    /// Commands that are answered.
    pub commands: Vec<String>,
    /// Features by name, such as `events`, `debugger`, `contexts`.
    pub features: Vec<String>,
    /// The life of the image.
    pub instance: String,
    /// Which image it is.
    pub image: ImageDescription,
    /// Limits in force, by name; sizes in bytes, times with their unit in the name.
    pub limits: Map<String, Value>,
    /// Where the events are published, when they are.
    #[serde(default)]
    pub event_endpoint: Option<String>,
    /// What else an image wants to tell, such as the transport it chose and why.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Which image answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageDescription {
    /// `pharo` or `embedded`.
    pub kind: String,
    /// Version of the image.
    pub version: String,
    /// Name, such as that of the image file.
    pub name: String,
}

/// Facts about the system in the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemInfo {
    /// Which facts.
    #[serde(default)]
    pub info_type: InfoType,
}

/// Groups of facts about the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it
pub enum InfoType {
    #[default]
    Basic,
    Memory,
    Packages,
    Environment,
    All,
}

/// What `system_info` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemInfoResult {
    /// Facts by name.
    pub info: Map<String, Value>,
}

/// Save the image to disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SaveImage {}

/// What `save_image` answers once the image is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaveImageResult {
    /// True: it was saved.
    pub saved: bool,
    /// The file.
    pub path: String,
    /// How long the image did not answer.
    pub duration_ms: f64,
}

commands! {
    Ping => PingResult, "ping", [];
    Describe => DescribeResult, "describe", [];
    SystemInfo => SystemInfoResult, "system_info", [];
    SaveImage => SaveImageResult, "save_image", [];
}
