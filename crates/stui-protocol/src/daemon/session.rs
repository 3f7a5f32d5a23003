//! Sessions as the daemon knows them: by name, with clients attached and a log.

use serde::{Deserialize, Serialize};

use super::Sharing;
use crate::command::commands;
use crate::error::Failure;
use crate::image::{Evaluated, Job, OnError};
use crate::message::Event;
use crate::time::Timestamp;

/// Join a session: its log from a position, then its events as they happen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attach {
    /// Name or id.
    pub session: String,
    /// Make it when it is not there.
    #[serde(default)]
    pub create: bool,
    /// When the image has lost it: make it anew, with what its newest saved context has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recreate: bool,
    /// What the client may do.
    #[serde(default)]
    pub mode: AttachMode,
    /// Take over from the one who drives.
    #[serde(default)]
    pub steal: bool,
    /// Last position seen; the log follows from the next. Without it, only what is new follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// The client's terminal, for people who look at who is attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
}

/// What an attached client may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachMode {
    /// Evaluate and interrupt.
    #[default]
    Drive,
    /// Look on.
    Watch,
}

/// What `attach` answers, before the first line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttachResult {
    /// The session.
    pub session: ClientSession,
    /// Position of the newest line in the log; replayed lines go up to it.
    pub position: u64,
    /// Whether the session was made just now.
    pub created: bool,
    /// What of a lost session was brought back, when that was asked for and there was something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recreated: Option<Recreated>,
}

/// What of a lost session was brought back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recreated {
    /// The saved context that it was made from.
    pub context_id: String,
    /// When that was saved.
    pub saved_at: Timestamp,
    /// How many variables were loaded.
    pub loaded: u64,
}

/// Leave the session; it and whatever runs in it go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detach {}

/// What `detach` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetachResult {
    /// The session that was left; none when the client was attached to none.
    pub session: Option<String>,
}

/// Make a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewSession {
    /// Its name; made up without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What commands on one session answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionResult {
    /// The session.
    pub session: ClientSession,
}

/// List the sessions that the client may see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListSessions {}

/// What `list_sessions` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListSessionsResult {
    /// Sorted by name.
    pub sessions: Vec<ClientSession>,
}

/// A session as the daemon knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientSession {
    /// Its name.
    pub name: String,
    /// Its id in the image.
    pub session_id: String,
    /// User id of its owner.
    pub owner: u32,
    /// What state it is in.
    pub state: SessionState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something last happened in it.
    pub last_active: Timestamp,
    /// Who is attached.
    pub attached: Vec<AttachedClient>,
    /// The evaluation under way.
    #[serde(default)]
    pub running: Option<RunningEvaluation>,
    /// Evaluations that wait for it.
    pub queued: u64,
    /// The first of those that wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingEvaluation>,
    /// Position of the newest line in its log.
    pub position: u64,
    /// Why the image has it no more; only of one that is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// With whom it is shared; none while it is its owner's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Sharing>,
}

/// Why the image has a session no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    /// What happened, for people.
    pub reason: String,
    /// When that was noticed.
    pub since: Timestamp,
    /// The newest context that is known to be saved: `attach` with `recreate` loads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_id: Option<String>,
    /// When that was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
}

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// Nothing runs.
    Idle,
    /// An evaluation is under way.
    Busy,
    /// The image that had it is gone.
    Lost,
}

/// A client that is attached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttachedClient {
    /// The daemon's number for the connection.
    pub client: u64,
    /// The process at the other end.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// What it may do.
    pub mode: AttachMode,
    /// Its terminal, as the kernel says; where it cannot tell, as the client did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Whether it has not read for a while what is there for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lagging: bool,
    /// The name of its program, as the kernel says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Why it was detached, when it did not leave by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Data of the event `lagging`: a client has fallen behind with reading, or has caught up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaggingData {
    /// The daemon's number for the connection.
    pub client: u64,
    /// The process at the other end.
    pub pid: u32,
    /// False when it has caught up.
    pub lagging: bool,
    /// Lines of its session's log that it has not got.
    pub behind: u64,
}

/// An evaluation under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningEvaluation {
    /// Its id.
    pub evaluation_id: String,
    /// Its code, cut.
    pub code: String,
    /// Milliseconds since it began.
    pub running_ms: u64,
}

/// An evaluation that waits for those before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingEvaluation {
    /// Its id.
    pub evaluation_id: String,
    /// Its code, cut.
    pub code: String,
    /// Milliseconds since it was accepted.
    pub waiting_ms: u64,
}

/// Give a session another name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenameSession {
    /// Name or id.
    pub session: String,
    /// The new name.
    pub name: String,
}

/// Data of the event `session_renamed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenamedData {
    /// The new name.
    pub name: String,
}

/// End a session; an evaluation under way is terminated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KillSession {
    /// Name or id.
    pub session: String,
}

/// Evaluate and answer at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submit {
    /// Name or id.
    pub session: String,
    /// The code.
    pub code: String,
    /// How long the code may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Most characters of the result's print string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print_limit: Option<usize>,
    /// What becomes of a process that fails.
    #[serde(default)]
    pub on_error: OnError,
}

/// What `submit` answers; the session's events tell the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubmitResult {
    /// The id in `evaluation_started`, `output` and `evaluation_finished`.
    pub evaluation_id: String,
    /// Evaluations that wait before it; 0 when it runs at once.
    pub queue_position: u64,
}

/// Wait for an evaluation, from any client. Its failure is the reply's failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Await {
    /// Which evaluation.
    pub evaluation_id: String,
    /// How long to wait; without it, until it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Past evaluations of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Name or id.
    pub session: String,
    /// Only those whose code has this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grep: Option<String>,
    /// Most to answer, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What `history` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryResult {
    /// Oldest first.
    pub evaluations: Vec<PastEvaluation>,
}

/// One past evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastEvaluation {
    /// Its id.
    pub evaluation_id: String,
    /// Position in the log where it began.
    pub position: u64,
    /// Its code.
    pub code: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Print string of its value; none while it runs or when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Lines of a session's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// Name or id.
    pub session: String,
    /// After this position; 0 is from the start.
    #[serde(default)]
    pub since: u64,
    /// Most lines to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What `log` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogResult {
    /// The lines, oldest first; the first may be a `gap`.
    pub events: Vec<Event>,
    /// Position of the newest line in the log.
    pub position: u64,
}

/// Data of the event `gap`: these positions are gone from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapData {
    /// First position that is gone.
    pub from: u64,
    /// Last position that is gone.
    pub to: u64,
}

/// Data of the event `queue_position`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueuePositionData {
    /// Evaluations before it.
    pub position: u64,
    /// Why it would wait even as the first, for people: an operator holds new work back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The request that waits, when it is no evaluation of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

commands! {
    Attach => AttachResult, "attach", ["session"];
    Detach => DetachResult, "detach", [];
    NewSession => SessionResult, "new_session", [];
    ListSessions => ListSessionsResult, "list_sessions", [];
    RenameSession => SessionResult, "rename_session", ["session", "name"];
    KillSession => SessionResult, "kill_session", ["session"];
    Submit => SubmitResult, "submit", ["session", "code"];
    Await => Job<Evaluated>, "await", ["evaluation_id"];
    History => HistoryResult, "history", ["session"];
    Log => LogResult, "log", ["session"];
}
