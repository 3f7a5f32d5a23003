//! Contexts: what a session knows, looked at, saved, loaded, cleared.

use serde::{Deserialize, Serialize};

use crate::command::commands;
use crate::time::Timestamp;

/// A variable and its value in a few words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Class of the value.
    pub class_name: String,
    /// Print string of the value, bounded.
    pub string_representation: String,
}

/// Save a session's context to disk, whole or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaveContext {
    /// Which session.
    pub session_id: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What `save_context` and `load_context` answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextResult {
    /// The saved context.
    pub context_id: String,
    /// The name it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What became of each variable.
    pub variables: Vec<SavedVariable>,
    /// Evaluations in the saved history.
    pub history_size: u64,
    /// Size on disk.
    pub bytes: u64,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// How many variables were loaded; only from `load_context`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<u64>,
}

/// What became of a variable when its context was saved or loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedVariable {
    /// Its name.
    pub name: String,
    /// Class of its value.
    pub class_name: String,
    /// Whether it is in the saved context (and, after `load_context`, in the session).
    pub saved: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Load a saved context into a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadContext {
    /// Into which session.
    pub session_id: String,
    /// Which context; the newest of the session without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_id: Option<String>,
}

/// Ask what a session knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GetContextSummary {
    /// Which session.
    pub session_id: String,
}

/// What `get_context_summary` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextSummary {
    /// Its variables.
    pub variables: Vec<Variable>,
    /// Its evaluations, newest first, bounded.
    pub history: Vec<HistoryEntry>,
    /// How many evaluations the history holds.
    pub history_size: u64,
    /// How many objects the registry holds.
    pub object_registry_size: u64,
    /// Contexts that were saved, newest first.
    pub saved_contexts: Vec<SavedContext>,
}

/// One past evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The evaluation.
    pub evaluation_id: String,
    /// Its code.
    pub code: String,
    /// Print string of its value, or its error.
    pub result: String,
    /// Whether it failed.
    pub has_error: bool,
    /// When it ended.
    pub timestamp: Timestamp,
}

/// A context on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedContext {
    /// Its id.
    pub context_id: String,
    /// Its name, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// Size on disk.
    pub bytes: u64,
}

/// Forget what a session knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClearContext {
    /// Which session.
    pub session_id: String,
    /// Which parts; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Vec<ContextPart>>,
}

/// Parts of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContextPart {
    /// The variables.
    Bindings,
    /// The history.
    History,
    /// The object registry.
    Objects,
}

/// What `clear_context` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClearContextResult {
    /// How much of each part is gone.
    pub cleared: ClearedCounts,
}

/// How much of each part is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearedCounts {
    /// Variables.
    pub bindings: u64,
    /// Evaluations of the history.
    pub history: u64,
    /// Objects of the registry.
    pub objects: u64,
}

commands! {
    SaveContext => ContextResult, "save_context", ["session_id"];
    LoadContext => ContextResult, "load_context", ["session_id"];
    GetContextSummary => ContextSummary, "get_context_summary", ["session_id"];
    ClearContext => ClearContextResult, "clear_context", ["session_id"];
}
