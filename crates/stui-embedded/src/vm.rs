//! The virtual machine as its owner sees it.
//!
//! One thread owns a `Vm` and everything in it. Smalltalk processes are green: they run only
//! inside `run_slice` and `call`. Between slices the owner compiles, spawns, interrupts, looks
//! and takes the events.

pub mod debugging;
pub mod events;
pub mod reflection;
pub mod saving;

use std::time::{Duration, Instant};

use thiserror::Error;

pub use debugging::{Breakpoint, BreakpointId, DebugError, Frame, Step};
pub use events::{
    ErrorReport, EvaluationTag, FrameText, InterruptReason, Outcome, Pin, ProcessId, Tier, VmEvent,
};
pub use reflection::{ClassInfo, ClassRef, Field, FieldKind, MethodInfo, Search};
pub use saving::{LoadError, Unsaveable};

use crate::value::Value;

/// The variables of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkspaceId(pub(crate) u64);

/// Bounds of one VM.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of live objects; beyond them the allocating process gets `OutOfMemory`.
    pub heap_bytes: usize,
    /// Frames of one process; beyond them it gets `RecursionTooDeep`.
    pub frames: usize,
    /// Living processes; beyond them `fork` fails.
    pub processes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heap_bytes: 256 << 20,
            frames: 10_000,
            processes: 10_000,
        }
    }
}

/// The class library could not be read: the binary itself is broken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("reading the class library: {0}")]
pub struct BootstrapError(pub String);

/// Source that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// As Pharo words it: `Variable or expression expected`.
    pub message: String,
    /// 1-based character offset.
    pub position: usize,
    /// 1-based line.
    pub line: usize,
    /// 1-based column in characters.
    pub column: usize,
    /// The source merely ends too early.
    pub incomplete: bool,
}

/// A do-it ready to run. Can be spawned more than once.
#[derive(Debug, Clone)]
pub struct CompiledCode {}

/// What happens at an unhandled error, halt or breakpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The process ends with `Outcome::Failed`.
    #[default]
    Return,
    /// The process is suspended with `VmEvent::Suspended`.
    Debug,
}

/// How to run something.
#[derive(Debug, Clone, Default)]
pub struct SpawnOptions {
    /// Whom its output and its children belong to.
    pub evaluation: EvaluationTag,
    /// Name of the process.
    pub name: String,
    /// Print the result inside the process, at most this many characters.
    pub print_limit: Option<usize>,
    /// What happens at an unhandled error.
    pub on_error: OnError,
}

/// What `run_slice` left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Some process could go on at once.
    pub runnable: bool,
    /// When none can: the time the next waiting one wakes up by itself.
    pub next_wakeup: Option<Instant>,
}

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs or would run if it were its turn.
    Running,
    /// It waits on a semaphore or a delay.
    Waiting,
    /// It is held by the debugger or by `suspend`.
    Suspended,
    /// It is gone.
    Ended,
}

/// Why `Vm::call` has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The code signalled an error that it did not handle.
    #[error("{}: {}", .0.class, .0.message)]
    Failed(ErrorReport),
    /// The budget was used up.
    #[error("it took too long")]
    TooLong,
}

/// A bounded print string.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrintedValue {
    /// The text.
    pub text: String,
    /// It was cut at the limit.
    pub truncated: bool,
}

/// Numbers about the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeapStats {
    /// Living objects, as far as known.
    pub objects: usize,
    /// Their bytes.
    pub bytes: usize,
    /// The limit on them.
    pub limit_bytes: usize,
    /// Collections so far.
    pub collections: u64,
}

/// A class to define or redefine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassDefinition {
    /// Its name.
    pub name: String,
    /// Name of its superclass.
    pub superclass: String,
    /// Names of its instance variables.
    pub slots: Vec<String>,
    /// Names of its class variables.
    pub class_vars: Vec<String>,
    /// Names of the instance variables of its class side.
    pub class_slots: Vec<String>,
    /// Its package.
    pub package: String,
}

/// Why a class or method could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// There is no such class.
    #[error("there is no class {0}")]
    NoSuchClass(String),
    /// There is no such method.
    #[error("{0} has no method {1}")]
    NoSuchMethod(String, String),
    /// The source does not compile.
    #[error("{0}")]
    Syntax(SyntaxError),
    /// The definition is refused; the text says why.
    #[error("{0}")]
    Refused(String),
}

/// The virtual machine.
#[derive(Debug)]
pub struct Vm {
    limits: Limits,
}

impl Vm {
    /// A VM with the class library in it.
    ///
    /// # Errors
    /// When the library inside the binary cannot be read.
    pub fn new(limits: Limits) -> Result<Self, BootstrapError> {
        Ok(Self { limits })
    }

    /// Runs ready processes in turn for about `budget`.
    pub fn run_slice(&mut self, budget: Duration) -> Slice {
        let _ = budget;
        Slice {
            runnable: false,
            next_wakeup: None,
        }
    }

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<VmEvent> {
        Vec::new()
    }

    /// A workspace without variables.
    pub fn new_workspace(&mut self) -> WorkspaceId {
        WorkspaceId(0)
    }

    /// Forgets a workspace and its variables.
    pub fn drop_workspace(&mut self, workspace: WorkspaceId) {
        let _ = workspace;
    }

    /// The variables of a workspace, sorted by name.
    #[must_use]
    pub fn variables(&self, workspace: WorkspaceId) -> Vec<(String, Value)> {
        let _ = workspace;
        Vec::new()
    }

    /// Sets a variable, declaring it when needed.
    pub fn set_variable(&mut self, workspace: WorkspaceId, name: &str, value: Value) {
        let _ = (workspace, name, value);
    }

    /// Removes a variable; says whether it was there.
    pub fn remove_variable(&mut self, workspace: WorkspaceId, name: &str) -> bool {
        let _ = (workspace, name);
        false
    }

    /// Removes all variables; says how many there were.
    pub fn clear_variables(&mut self, workspace: WorkspaceId) -> usize {
        let _ = workspace;
        0
    }

    /// Compiles a do-it. Unknown lower-case names become variables of the workspace (holding nil)
    /// when the whole source compiles.
    ///
    /// # Errors
    /// The first syntax error.
    pub fn compile_expression(
        &mut self,
        workspace: Option<WorkspaceId>,
        source: &str,
    ) -> Result<CompiledCode, SyntaxError> {
        let _ = (workspace, source);
        Ok(CompiledCode {})
    }

    /// Starts a process that runs `code`; `VmEvent::Ended` tells its end.
    pub fn spawn(&mut self, code: &CompiledCode, options: SpawnOptions) -> ProcessId {
        let _ = (code, options);
        ProcessId(0)
    }

    /// Starts a process that sends a message; `VmEvent::Ended` tells its end.
    pub fn spawn_send(
        &mut self,
        receiver: Value,
        selector: &str,
        args: &[Value],
        options: SpawnOptions,
    ) -> ProcessId {
        let _ = (receiver, selector, args, options);
        ProcessId(0)
    }

    /// Sends a message and runs it to its end now; all other processes wait.
    ///
    /// # Errors
    /// When it fails or `budget` is over.
    pub fn call(
        &mut self,
        receiver: Value,
        selector: &str,
        args: &[Value],
        budget: Duration,
    ) -> Result<Value, CallError> {
        let _ = (receiver, selector, args, budget);
        Err(CallError::TooLong)
    }

    /// The print string of a value, at most `limit` characters. Never fails: when printing does,
    /// the text says so: `a Foo (printing failed: ...)`.
    pub fn print_string(&mut self, value: Value, limit: usize, budget: Duration) -> PrintedValue {
        let _ = (value, limit, budget);
        PrintedValue::default()
    }

    /// Signals an `Interrupt` in the process: first tier. Its end comes as `VmEvent::Ended`, or
    /// never when the code swallows it: then `terminate`.
    pub fn interrupt(&mut self, process: ProcessId, reason: InterruptReason) {
        let _ = (process, reason);
    }

    /// Unwinds the process, running its unwind blocks: second tier. They may take for ever: then
    /// `abandon`.
    pub fn terminate(&mut self, process: ProcessId, reason: InterruptReason) {
        let _ = (process, reason);
    }

    /// Drops the frames of the process: third tier, always works. `VmEvent::Ended` is ready
    /// when this returns.
    pub fn abandon(&mut self, process: ProcessId, reason: InterruptReason) {
        let _ = (process, reason);
    }

    /// Terminates the processes that code of this evaluation forked; says how many. Those whose
    /// unwind blocks do not end within a short time are abandoned.
    pub fn end_children(&mut self, tag: EvaluationTag) -> usize {
        let _ = tag;
        0
    }

    /// How many forked processes of this evaluation live.
    #[must_use]
    pub fn children(&self, tag: EvaluationTag) -> usize {
        let _ = tag;
        0
    }

    /// Where a process is in its life.
    #[must_use]
    pub fn state(&self, process: ProcessId) -> ProcessState {
        let _ = process;
        ProcessState::Ended
    }

    /// Defines a class, or redefines it: then its instances keep the slots that are left.
    ///
    /// # Errors
    /// When the superclass is missing or a name is refused.
    pub fn define_class(&mut self, definition: &ClassDefinition) -> Result<ClassRef, ChangeError> {
        Err(ChangeError::NoSuchClass(definition.superclass.clone()))
    }

    /// Sets the comment of a class.
    pub fn set_class_comment(&mut self, class: ClassRef, comment: &str) {
        let _ = (class, comment);
    }

    /// Removes a class from the globals; its instances live on.
    ///
    /// # Errors
    /// When it came with the image or has subclasses.
    pub fn remove_class(&mut self, class: ClassRef) -> Result<(), ChangeError> {
        let _ = class;
        Ok(())
    }

    /// Compiles a method into one side of a class; the old one stays when it does not compile.
    ///
    /// # Errors
    /// The syntax error.
    pub fn compile_method(
        &mut self,
        class: ClassRef,
        meta: bool,
        source: &str,
        category: &str,
    ) -> Result<MethodInfo, ChangeError> {
        let _ = (class, meta, source, category);
        Ok(MethodInfo::default())
    }

    /// Removes a method.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_method(
        &mut self,
        class: ClassRef,
        meta: bool,
        selector: &str,
    ) -> Result<(), ChangeError> {
        let _ = (class, meta, selector);
        Ok(())
    }

    /// A String object.
    pub fn new_string(&mut self, text: &str) -> Value {
        let _ = text;
        Value::Nil
    }

    /// A Symbol object.
    pub fn new_symbol(&mut self, text: &str) -> Value {
        let _ = text;
        Value::Nil
    }

    /// The text of a String or Symbol.
    #[must_use]
    pub fn string_value(&self, value: Value) -> Option<String> {
        let _ = value;
        None
    }

    /// The elements of an Array.
    #[must_use]
    pub fn array_elements(&self, value: Value) -> Option<Vec<Value>> {
        let _ = value;
        None
    }

    /// Keeps a value alive.
    pub fn pin(&mut self, value: Value) -> Pin {
        let _ = value;
        Pin(0)
    }

    /// Releases a pin.
    pub fn unpin(&mut self, pin: Pin) {
        let _ = pin;
    }

    /// The value of a pin; nil when it was released.
    #[must_use]
    pub fn pinned(&self, pin: Pin) -> Value {
        let _ = pin;
        Value::Nil
    }

    /// Numbers about the heap.
    #[must_use]
    pub fn heap_stats(&self) -> HeapStats {
        HeapStats {
            limit_bytes: self.limits.heap_bytes,
            ..HeapStats::default()
        }
    }

    /// Collects garbage now.
    pub fn collect_garbage(&mut self) {}
}
