//! Sessions in the image: bindings, history and objects of one piece of work.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Variable;
use crate::command::commands;
use crate::time::Timestamp;

/// Make a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreateSession {
    /// Whose session it is; the daemon puts the owner here.
    pub client_id: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Seconds without use after which it expires; 0 is never. Default: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

/// A session in a few words; what `create_session` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// Its id in the image.
    pub session_id: String,
    /// Whose it is.
    pub client_id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Seconds without use after which it expires; 0 is never.
    pub timeout: u64,
    /// Whether it can be used.
    pub is_active: bool,
}

/// Ask for a session's whole state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoreSession {
    /// Which session.
    pub session_id: String,
}

/// What `restore_session` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoreSessionResult {
    /// The session.
    #[serde(flatten)]
    pub session: SessionSummary,
    /// When it was last changed.
    pub last_modified: Timestamp,
    /// What clients keep in it by `update_session_state`.
    pub session_state: Map<String, Value>,
    /// Its bindings.
    pub workspace_context: WorkspaceContext,
    /// What an inspector had open.
    #[serde(default)]
    pub inspector_state: Map<String, Value>,
    /// Objects of the registry: id to a few words.
    pub object_registry: Map<String, Value>,
}

/// The bindings of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceContext {
    /// Variables with their values in a few words.
    pub variables: Vec<Variable>,
}

/// Merge into what clients keep in a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateSessionState {
    /// Which session.
    pub session_id: String,
    /// Merged key by key; null removes.
    pub state_data: Map<String, Value>,
}

/// What `update_session_state` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateSessionStateResult {
    /// Which session.
    pub session_id: String,
    /// Now.
    pub last_modified: Timestamp,
    /// All that is kept now.
    pub session_state: Map<String, Value>,
    /// True.
    pub update_successful: bool,
}

/// Close a session; an evaluation under way is terminated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloseSession {
    /// Which session.
    pub session_id: String,
}

/// What `close_session` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloseSessionResult {
    /// Which session.
    pub session_id: String,
    /// True: it was there and is gone.
    pub closed: bool,
}

/// Ask for facts about a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GetSessionInfo {
    /// Which session.
    pub session_id: String,
}

/// Facts about a session; what `get_session_info` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The session.
    #[serde(flatten)]
    pub session: SessionSummary,
    /// When it was last changed.
    pub last_modified: Timestamp,
    /// Seconds until it expires; none when it never does.
    #[serde(default)]
    pub time_until_expiry: Option<f64>,
    /// Whether it has expired.
    #[serde(default)]
    pub is_expired: bool,
    /// Whether an evaluation is under way.
    pub busy: bool,
    /// The evaluation under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
    /// Evaluations so far.
    pub evaluations: u64,
    /// How many variables it has.
    pub variables: u64,
}

/// List the sessions of one client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListClientSessions {
    /// Whose.
    pub client_id: String,
}

/// What `list_client_sessions` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListClientSessionsResult {
    /// Whose.
    pub client_id: String,
    /// How many.
    pub session_count: u64,
    /// Which.
    pub sessions: Vec<SessionInfo>,
}

/// List every session in the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListSessions {}

/// What `list_sessions` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListSessionsResult {
    /// Oldest first.
    pub sessions: Vec<SessionInfo>,
}

/// Ask for counts over all sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GetSessionStatistics {}

/// What `get_session_statistics` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionStatistics {
    /// Sessions that live.
    pub total_sessions: u64,
    /// Clients that have any.
    pub active_clients: u64,
    /// Most sessions of one client.
    pub max_sessions_per_client: u64,
    /// Seconds; for sessions that do not say.
    pub default_timeout: u64,
    /// Seconds between looks for expired sessions.
    pub cleanup_interval: u64,
    /// Evaluations since the image started.
    pub evaluations_total: u64,
    /// Those of them that failed.
    pub errors_total: u64,
}

commands! {
    CreateSession => SessionSummary, "create_session", ["client_id"];
    RestoreSession => RestoreSessionResult, "restore_session", ["session_id"];
    UpdateSessionState => UpdateSessionStateResult, "update_session_state",
        ["session_id", "state_data"];
    CloseSession => CloseSessionResult, "close_session", ["session_id"];
    GetSessionInfo => SessionInfo, "get_session_info", ["session_id"];
    ListClientSessions => ListClientSessionsResult, "list_client_sessions", ["client_id"];
    ListSessions => ListSessionsResult, "list_sessions", [];
    GetSessionStatistics => SessionStatistics, "get_session_statistics", [];
}
