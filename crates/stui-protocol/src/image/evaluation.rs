//! Evaluations: jobs that are started, asked for, interrupted, debugged.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command::commands;
use crate::error::Failure;
use crate::limits::DEFAULT_PRINT_LIMIT;
use crate::message::Outcome;

/// Evaluate code. Its `evaluation_id` is the id of the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluate {
    /// The code.
    pub code: String,
    /// In which session; without one, in bindings of its own that are dropped at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How long the reply may wait for the end. Default: 0, and `timeout_ms` for a 1.0 client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// How long the code may run; it is stopped then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether the result is put into the object registry.
    #[serde(default = "yes")]
    pub keep_result: bool,
    /// Most characters of the result's print string.
    #[serde(default = "default_print_limit")]
    pub print_limit: usize,
    /// What becomes of a process that fails.
    #[serde(default)]
    pub on_error: OnError,
}

impl Evaluate {
    /// Evaluate code in a session, everything else by default.
    #[must_use]
    pub fn new(code: impl Into<String>, session_id: Option<String>) -> Self {
        Self {
            code: code.into(),
            session_id,
            wait_ms: None,
            timeout_ms: None,
            keep_result: true,
            print_limit: DEFAULT_PRINT_LIMIT,
            on_error: OnError::Return,
        }
    }
}

fn yes() -> bool {
    true
}

fn default_print_limit() -> usize {
    DEFAULT_PRINT_LIMIT
}

/// What becomes of a process that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// It ends; the error is the answer.
    #[default]
    Return,
    /// It is kept suspended for the debugger; the error says under which `debug_session_id`.
    Debug,
}

/// A job's state, with its result once it has ended well. A job that failed is an error reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Job<T> {
    /// It goes on.
    Running {
        /// The id of the request that started it.
        evaluation_id: String,
    },
    /// It has ended well.
    Finished(T),
}

/// What a finished evaluation answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The id of the request that started it.
    pub evaluation_id: String,
    /// Print string of the value.
    pub result: String,
    /// Class of the value.
    pub result_type: String,
    /// The value in the object registry, when it is kept.
    #[serde(default)]
    pub object_id: Option<String>,
    /// Milliseconds from start to end.
    pub execution_time: f64,
    /// False.
    #[serde(default)]
    pub has_error: bool,
    /// What the code wrote to the Transcript.
    #[serde(default)]
    pub output: String,
    /// Whether `result` or `output` was cut.
    #[serde(default)]
    pub truncated: bool,
}

/// Data of the event `output` and `transcript`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputData {
    /// The text, line ends LF.
    pub text: String,
    /// Characters that the evaluation had written before it; told by images, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
}

impl OutputData {
    /// Text of which nobody says where it stands.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            from: None,
        }
    }
}

/// What an evaluation that runs has written, in the answer to [`EvaluationStatus::output_from`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSoFar {
    /// From there on, as far as the image keeps it.
    pub output: String,
    /// Characters that it has written, kept or not.
    pub output_end: u64,
}

/// Data of the event `evaluation_started`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationStartedData {
    /// The code.
    pub code: String,
    /// Who asked for it; told by the daemon on the client link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Requester>,
}

/// The client that asked for an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The daemon's number for the connection.
    pub client: u64,
    /// The process at the other end.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
}

/// Data of the event `evaluation_finished`: what the reply would have said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum EvaluationFinishedData {
    /// It ended well.
    Success {
        /// As the reply's result: `Job<Evaluated>` or `Job<TestReport>`.
        result: Value,
    },
    /// It failed.
    Error(Failure),
}

impl From<Outcome> for EvaluationFinishedData {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(result) => Self::Success { result },
            Err(failure) => Self::Error(failure),
        }
    }
}

impl From<EvaluationFinishedData> for Outcome {
    fn from(data: EvaluationFinishedData) -> Self {
        match data {
            EvaluationFinishedData::Success { result } => Ok(result),
            EvaluationFinishedData::Error(failure) => Err(failure),
        }
    }
}

/// Ask for an evaluation. Its failure is the reply's failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationStatus {
    /// The id of the request that started it.
    pub evaluation_id: String,
    /// How long the reply may wait for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Characters of its output that the asker has: while it runs, the answer has the rest
    /// ([`OutputSoFar`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_from: Option<u64>,
}

/// Stop an evaluation, keep the bindings. One of the two ids is needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interrupt {
    /// Whatever runs in this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// This evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
}

/// How an evaluation was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// An exception signalled in its process unwound it.
    Signal,
    /// Its process was terminated; its `ensure:` blocks ran.
    Terminate,
    /// Its process was taken away as it was.
    Abandon,
    /// Nothing was running.
    Idle,
    /// It waited in the daemon's queue and was taken out of it; only daemons answer that.
    Queued,
}

/// What `interrupt` answers, after the evaluation has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterruptResult {
    /// What worked.
    pub tier: Tier,
    /// The evaluation that was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_id: Option<String>,
}

/// Run SUnit tests as a job of the session. One of class, package or pattern is needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunTests {
    /// A test class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Only this test of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_name: Option<String>,
    /// All test classes of a package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// All test classes whose names match (`*` and `?`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// As in `evaluate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// As in `evaluate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// As in `evaluate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What a finished test run answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestReport {
    /// The id of the request that started it.
    pub evaluation_id: String,
    /// How many passed.
    pub passed: u64,
    /// How many failed an assertion.
    pub failed: u64,
    /// How many ended with another error.
    pub errors: u64,
    /// How many were skipped.
    #[serde(default)]
    pub skipped: u64,
    /// Milliseconds from start to end.
    pub execution_time: f64,
    /// What the tests wrote to the Transcript.
    #[serde(default)]
    pub output: String,
    /// Each test that did not pass.
    pub problems: Vec<TestProblem>,
}

/// A test that did not pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestProblem {
    /// The test class.
    pub class_name: String,
    /// The test.
    pub method_name: String,
    /// `failed`, `error` or `skipped`.
    pub outcome: String,
    /// What the test said.
    pub message: String,
    /// Frames, innermost first.
    #[serde(default)]
    pub stack: Vec<Frame>,
}

/// One frame of a stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// As Pharo shows it, such as `SmallInteger(Object)>>foo:` or `[ ... ] in Foo>>bar`.
    pub method: String,
    /// 1-based line in the source; 0 when there is none.
    #[serde(default)]
    pub line: u64,
    /// The method's source; sent for the asked frame only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Print string of the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// Arguments and temporaries; sent for the asked frame only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locals: Option<Vec<super::Variable>>,
}

/// Work on a suspended evaluation, or on breakpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Debug {
    /// What to do.
    pub operation: DebugOperation,
    /// Which suspended evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_session_id: Option<String>,
    /// Or: the newest one of this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Frame to look at or restart; 0 is the innermost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<usize>,
    /// Class of a breakpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Method of a breakpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_name: Option<String>,
    /// Whether the breakpoint is on the class side.
    #[serde(default)]
    pub is_class_method: bool,
}

/// What the debugger can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it
pub enum DebugOperation {
    StepInto,
    StepOver,
    StepOut,
    Continue,
    Restart,
    Terminate,
    GetStackTrace,
    GetLocalVars,
    SetBreakpoint,
    RemoveBreakpoint,
    ListBreakpoints,
}

/// What `debug` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DebugResult {
    /// State of the process.
    pub state: DebugState,
    /// The suspended evaluation, for operations on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_session_id: Option<String>,
    /// Frames, innermost first.
    #[serde(default)]
    pub stack: Vec<Frame>,
    /// The asked frame, with source and locals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    /// Print string of the value, when finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Breakpoints, for operations on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakpoints: Option<Vec<Breakpoint>>,
}

/// State of a process under the debugger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DebugState {
    /// It stands at a message.
    Suspended,
    /// It goes on, or a step has not ended yet.
    Running,
    /// It has ended.
    Finished,
}

/// A breakpoint at the start of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breakpoint {
    /// Class of the method.
    pub class_name: String,
    /// Selector of the method.
    pub method_name: String,
    /// Whether it is on the class side.
    #[serde(default)]
    pub is_class_method: bool,
}

commands! {
    Evaluate => Job<Evaluated>, "evaluate", ["code"];
    EvaluationStatus => Job<Evaluated>, "evaluation_status", ["evaluation_id"];
    Interrupt => InterruptResult, "interrupt", [];
    RunTests => Job<TestReport>, "run_tests", [];
    Debug => DebugResult, "debug", ["operation"];
}
