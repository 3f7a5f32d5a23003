//! Green processes: a stack of frames, a stack of values, and where they are in their life.

use std::rc::Rc;
use std::time::Instant;

use crate::bytecode::Code;
use crate::value::{Oid, Value};
use crate::vm::{ErrorReport, EvaluationTag, InterruptReason, Outcome, ProcessId, Step, Tier};

/// One activation of a method, do-it or block.
///
/// Its part of the value stack starts at `base`: receiver (or closure), arguments, temporaries,
/// operands.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) code: Rc<Code>,
    pub(crate) pc: usize,
    pub(crate) base: usize,
    /// `self`.
    pub(crate) receiver: Value,
    pub(crate) env: Option<Oid>,
    /// Unique in the VM, and larger than those of the frames below.
    pub(crate) id: u64,
    /// The frame that `^` returns from: `id` itself unless this is a block's.
    pub(crate) home: u64,
    /// What happens with its value when it returns; `None` gives it to the frame below.
    pub(crate) after: Option<Box<After>>,
}

/// What happens when a frame returns.
#[derive(Debug)]
pub(crate) enum After {
    /// The value is dropped: the frame was put on top from outside.
    Drop,
    /// An unwind block is done: go on unwinding.
    Unwind(Unwind),
    /// The evaluation has its value.
    Evaluated,
    /// The print string of the value is there.
    Printed,
    /// A forked block or a `Vm::call` has its value.
    End,
}

/// An unwinding under way.
#[derive(Debug, Clone)]
pub(crate) enum Unwind {
    /// To the frame of this id, which then returns the value.
    Return { frame: u64, value: Value },
    /// To the frame of this id, which then starts again, with this receiver if one is given.
    Restart { frame: u64, receiver: Option<Value> },
    /// Of the whole process, which then ends so.
    End(Box<Ending>),
}

/// How a process is going to end.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    Failed(ErrorReport),
    Stopped { reason: InterruptReason, tier: Tier },
    Terminated,
}

impl Ending {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Failed(report) => Outcome::Failed(report),
            Self::Stopped {
                reason: InterruptReason::User,
                tier,
            } => Outcome::Interrupted { tier },
            Self::Stopped {
                reason: InterruptReason::Timeout,
                tier,
            } => Outcome::TimedOut { tier },
            Self::Terminated => Outcome::Terminated,
        }
    }
}

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Waits for its turn, or has it.
    Ready,
    /// Waits for a semaphore, a time, or both: whichever comes first.
    Waiting {
        semaphore: Option<Oid>,
        until: Option<Instant>,
    },
    /// Sent `suspend`, or not yet sent `resume`.
    Suspended,
    /// Held by the debugger.
    Debugged,
    Ended,
}

/// Who started a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `Vm::spawn`.
    Owner,
    /// `Vm::call`.
    Call,
    /// Smalltalk code.
    Fork,
}

/// A stop requested by the debugger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stepping {
    pub(crate) step: Step,
    /// The frame it started in.
    pub(crate) frame: u64,
    /// Instructions done since.
    pub(crate) done: u64,
}

/// A green process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    pub(crate) tag: EvaluationTag,
    pub(crate) origin: Origin,
    pub(crate) name: String,
    pub(crate) priority: i64,
    pub(crate) condition: Condition,
    pub(crate) frames: Vec<Frame>,
    pub(crate) stack: Vec<Value>,
    /// The Smalltalk object.
    pub(crate) object: Option<Oid>,
    pub(crate) print_limit: Option<usize>,
    pub(crate) debug: bool,
    /// The value of the evaluation, or the call.
    pub(crate) result: Value,
    /// What an interrupt under way is for.
    pub(crate) interrupted: Option<InterruptReason>,
    pub(crate) stepping: Option<Stepping>,
    /// The exception it was suspended by.
    pub(crate) exception: Option<Value>,
    /// Frames it may use beyond the limit while it handles `RecursionTooDeep`.
    pub(crate) spare_frames: usize,
    /// It was told that the heap is full, and the heap still is.
    pub(crate) told_heap_full: bool,
    /// When its unwind blocks must be done after a termination that nobody watches.
    pub(crate) deadline: Option<Instant>,
    /// How it ended, once it has.
    pub(crate) ended: Option<Ending>,
}

impl Process {
    pub(crate) fn new(id: ProcessId, tag: EvaluationTag, origin: Origin) -> Self {
        Self {
            id,
            tag,
            origin,
            name: String::new(),
            priority: DEFAULT_PRIORITY,
            condition: Condition::Ready,
            frames: Vec::new(),
            stack: Vec::new(),
            object: None,
            print_limit: None,
            debug: false,
            result: Value::Nil,
            interrupted: None,
            stepping: None,
            exception: None,
            spare_frames: 0,
            told_heap_full: false,
            deadline: None,
            ended: None,
        }
    }

    /// The index of the frame of this id.
    pub(crate) fn frame_index(&self, id: u64) -> Option<usize> {
        self.frames.binary_search_by_key(&id, |frame| frame.id).ok()
    }
}

/// `Processor userSchedulingPriority`, as in Pharo.
pub(crate) const DEFAULT_PRIORITY: i64 = 40;
