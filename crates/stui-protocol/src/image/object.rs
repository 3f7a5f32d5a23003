//! Looking into objects.

use serde::{Deserialize, Serialize};

use crate::command::commands;
use crate::limits::DEFAULT_FIELD_LIMIT;

/// Look into an object, found by an expression or by its id; one of the two is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspect {
    /// An expression, evaluated in the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// An object of the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The session of either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// From that object through these fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
    /// How many levels of fields; 1 is the object's own.
    #[serde(default = "one")]
    pub depth: u32,
    /// Fields to skip.
    #[serde(default)]
    pub offset: usize,
    /// Most fields to answer.
    #[serde(default = "default_field_limit")]
    pub limit: usize,
    /// Whether to show what a tool would hide.
    #[serde(default)]
    pub include_private: bool,
}

fn one() -> u32 {
    1
}

fn default_field_limit() -> usize {
    DEFAULT_FIELD_LIMIT
}

/// One step from an object to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathStep {
    /// An indexed part, from 1.
    Index(u64),
    /// An instance variable, or the print string of a dictionary's key.
    Name(String),
}

/// What `inspect` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InspectResult {
    /// The object in the registry, for further looks.
    pub object_id: String,
    /// The object itself.
    pub object_info: ObjectInfo,
    /// Its parts from `offset`, at most `limit`.
    pub fields: Vec<Field>,
    /// Print strings of the instance variables by name.
    pub instance_vars: serde_json::Map<String, serde_json::Value>,
    /// How many parts it has in all.
    pub total_fields: u64,
}

/// An object in a few words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Its class.
    pub class_name: String,
    /// Its print string, bounded.
    pub string_representation: String,
    /// Its identity hash.
    pub hash: i64,
    /// How many indexed parts it has.
    pub size: u64,
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Name, index or key.
    pub name: String,
    /// What kind of part.
    pub kind: FieldKind,
    /// Class of the value.
    pub class_name: String,
    /// Print string of the value, bounded.
    pub string_representation: String,
    /// Whether the value has parts of its own.
    pub expandable: bool,
    /// Its parts, when `depth` asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<Self>>,
}

/// Kinds of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// An instance variable.
    InstanceVariable,
    /// An indexed part.
    Index,
    /// A dictionary's value, named by its key.
    Key,
    /// Something computed.
    Property,
}

/// Drop an object from the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseObject {
    /// Which one.
    pub object_id: String,
    /// Its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// What `release_object` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseObjectResult {
    /// Which one.
    pub object_id: String,
    /// True: it was there and is dropped.
    pub released: bool,
}

commands! {
    Inspect => InspectResult, "inspect", [];
    ReleaseObject => ReleaseObjectResult, "release_object", ["object_id"];
}
