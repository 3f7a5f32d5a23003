//! The debugger: the stack of a suspended process, steps, breakpoints.
//!
//! A process is suspended by an unhandled exception, a halt or a breakpoint when it was spawned
//! with `OnError::Debug`. `resume` and the steps go on as if the exception had been resumed with
//! nil.

use std::ops::Range;

use thiserror::Error;

use super::{ProcessId, Vm};
use crate::value::Value;

/// One frame of a suspended process.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Class of the receiver.
    pub class_name: String,
    /// Class that holds the method.
    pub method_class_name: String,
    /// Selector of the method; `DoIt` for an evaluation.
    pub selector: String,
    /// Whether this is a block of that method.
    pub is_block: bool,
    /// 1-based line in `source` where it stands; 0 when unknown.
    pub line: usize,
    /// The source of the method or do-it; empty when there is none.
    pub source: String,
    /// The part that is being executed, in characters of `source` from 0.
    pub range: Range<usize>,
    /// The receiver.
    pub receiver: Value,
    /// Arguments and temporaries in scope.
    pub locals: Vec<(String, Value)>,
    /// As Pharo shows it: `SmallInteger(Object)>>halt`.
    pub text: String,
}

/// How far to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the next step, entering what is sent.
    Into,
    /// To the next step of this frame or a caller.
    Over,
    /// To the next step of the caller.
    Out,
}

/// A breakpoint of this VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BreakpointId(pub(crate) u64);

/// A breakpoint and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakpoint {
    /// Its id.
    pub id: BreakpointId,
    /// `Foo`, or `Foo class`.
    pub class: String,
    /// The method's selector.
    pub selector: String,
}

/// Why something could not be done to a process or a method.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DebugError {
    /// The process is not suspended (it runs, waits or is gone).
    #[error("the process is not suspended")]
    NotSuspended,
    /// There is no such frame.
    #[error("there is no frame {0}")]
    NoSuchFrame(usize),
    /// There is no such class.
    #[error("there is no class {0}")]
    NoSuchClass(String),
    /// The class has no such method.
    #[error("{0} has no method {1}")]
    NoSuchMethod(String, String),
}

impl Vm {
    /// The stack of a process, innermost frame first, at most `max` frames. For a process
    /// suspended by an exception it starts at the frame that signalled.
    #[must_use]
    pub fn stack(&self, process: ProcessId, max: usize) -> Vec<Frame> {
        let _ = (process, max);
        Vec::new()
    }

    /// Steps a suspended process; `VmEvent::Stepped` (or `Ended`, `Suspended`) tells when done.
    ///
    /// # Errors
    /// `NotSuspended`.
    pub fn step(&mut self, process: ProcessId, step: Step) -> Result<(), DebugError> {
        let _ = (process, step);
        Err(DebugError::NotSuspended)
    }

    /// Lets a suspended process go on.
    ///
    /// # Errors
    /// `NotSuspended`.
    pub fn resume(&mut self, process: ProcessId) -> Result<(), DebugError> {
        let _ = process;
        Err(DebugError::NotSuspended)
    }

    /// Drops the frames above `frame` (an index into `stack`), running their unwind blocks, and
    /// sets it back to its first instruction with fresh temporaries; `VmEvent::Stepped` tells
    /// when done.
    ///
    /// # Errors
    /// `NotSuspended`, `NoSuchFrame`.
    pub fn restart_frame(&mut self, process: ProcessId, frame: usize) -> Result<(), DebugError> {
        let _ = frame;
        let _ = process;
        Err(DebugError::NotSuspended)
    }

    /// Sets a breakpoint at the start of a method. `class` is a name, or `Foo class`.
    ///
    /// # Errors
    /// `NoSuchClass`, `NoSuchMethod`.
    pub fn set_breakpoint(
        &mut self,
        class: &str,
        selector: &str,
    ) -> Result<BreakpointId, DebugError> {
        let _ = selector;
        Err(DebugError::NoSuchClass(class.to_owned()))
    }

    /// Removes a breakpoint; says whether it was there.
    pub fn remove_breakpoint(&mut self, id: BreakpointId) -> bool {
        let _ = id;
        false
    }

    /// All breakpoints, oldest first.
    #[must_use]
    pub fn breakpoints(&self) -> Vec<Breakpoint> {
        Vec::new()
    }
}
