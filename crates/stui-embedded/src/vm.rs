//! The virtual machine as its owner sees it.
//!
//! One thread owns a `Vm` and everything in it. Smalltalk processes are green: they run only
//! inside `run_slice` and `call`. Between slices the owner compiles, spawns, interrupts, looks
//! and takes the events.

mod breakpoints;
mod building;
pub mod debugging;
mod doorbell;
pub mod events;
mod fields;
mod known;
mod memory;
mod methods;
mod names;
pub mod reflection;
mod reporting;
mod running;
pub mod saving;
mod scheduling;
mod searching;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::time::Instant;

use thiserror::Error;

pub use breakpoints::{Breakpoint, BreakpointId};
pub use debugging::{DebugError, Frame, Step};
pub use doorbell::Doorbell;
pub use events::{
    ErrorReport, EvaluationTag, FrameText, InterruptReason, Outcome, Pin, ProcessId, Tier, VmEvent,
};
pub use reflection::{ClassInfo, ClassRef, Field, FieldKind, MethodInfo};
pub use saving::{LoadError, Unsaveable};
pub use searching::Search;

use crate::bytecode::Code;
use crate::heap::Heap;
use crate::interpreter::{CACHE_ENTRIES, Cached, FUEL};
use crate::process::{Origin, Process};
use crate::value::{Oid, Value};
pub(crate) use building::Definition;
use known::Known;
pub(crate) use known::NATIVE;

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
pub struct CompiledCode {
    pub(crate) code: Rc<Code>,
}

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
    pub(crate) limits: Limits,
    pub(crate) heap: Heap,
    pub(crate) known: Known,
    /// Name → binding.
    pub(crate) globals: BTreeMap<String, Oid>,
    /// Bindings of names that methods use and nobody has declared yet.
    pub(crate) undeclared: BTreeMap<String, Oid>,
    workspaces: BTreeMap<WorkspaceId, BTreeMap<String, Oid>>,
    pins: BTreeMap<u64, Value>,
    /// The active process; an ended one between slices.
    pub(crate) proc: Process,
    /// All others that live.
    pub(crate) processes: HashMap<ProcessId, Process>,
    /// Those that could go on, in turn.
    pub(crate) ready: VecDeque<ProcessId>,
    /// Those that wait for a time.
    pub(crate) sleepers: BTreeSet<(Instant, ProcessId)>,
    pub(crate) cache: Vec<Cached>,
    pub(crate) events: Vec<VmEvent>,
    pub(crate) fuel: u32,
    pub(crate) slice_end: Instant,
    /// When the active process has had its least turn.
    pub(crate) least_end: Instant,
    doorbell: Doorbell,
    pub(crate) last_frame: u64,
    last_process: u64,
    last_workspace: u64,
    last_pin: u64,
    /// Fresh bytes that call for a collection.
    pub(crate) collect_at_bytes: usize,
    /// For tests: collect after so many fresh objects.
    pub(crate) stress: Option<usize>,
    /// Do-its that the owner may still run.
    compiled: Vec<Weak<Code>>,
    breakpoints: BTreeMap<BreakpointId, Breakpoint>,
    last_breakpoint: u64,
    pub(crate) started: Instant,
}

impl Vm {
    /// A VM with the class library in it.
    ///
    /// # Errors
    /// When the library inside the binary cannot be read.
    pub fn new(limits: Limits) -> Result<Self, BootstrapError> {
        let mut vm = Self::empty(limits);
        crate::bootstrap::load_library(&mut vm)?;
        Ok(vm)
    }

    /// A VM without classes.
    pub(crate) fn empty(limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            limits,
            heap: Heap::default(),
            known: Known::default(),
            globals: BTreeMap::new(),
            undeclared: BTreeMap::new(),
            workspaces: BTreeMap::new(),
            pins: BTreeMap::new(),
            proc: Process::new(ProcessId(0), EvaluationTag(0), Origin::Call),
            processes: HashMap::new(),
            ready: VecDeque::new(),
            sleepers: BTreeSet::new(),
            cache: vec![Cached::default(); CACHE_ENTRIES],
            events: Vec::new(),
            fuel: FUEL,
            slice_end: now,
            least_end: now,
            doorbell: Doorbell::default(),
            last_frame: 0,
            last_process: 0,
            last_workspace: 0,
            last_pin: 0,
            collect_at_bytes: memory::FIRST_COLLECTION_BYTES,
            stress: None,
            compiled: Vec::new(),
            breakpoints: BTreeMap::new(),
            last_breakpoint: 0,
            started: now,
        }
    }

    /// What another thread rings to have a slice end sooner.
    #[must_use]
    pub fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    /// Listens to that doorbell from now on.
    pub fn listen_to(&mut self, doorbell: Doorbell) {
        self.doorbell = doorbell;
    }

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<VmEvent> {
        std::mem::take(&mut self.events)
    }

    /// Keeps a value alive.
    pub fn pin(&mut self, value: Value) -> Pin {
        self.last_pin += 1;
        self.pins.insert(self.last_pin, value);
        Pin(self.last_pin)
    }

    /// Releases a pin.
    pub fn unpin(&mut self, pin: Pin) {
        self.pins.remove(&pin.0);
    }

    /// The value of a pin; nil when it was released.
    #[must_use]
    pub fn pinned(&self, pin: Pin) -> Value {
        self.pins.get(&pin.0).copied().unwrap_or_default()
    }
}
