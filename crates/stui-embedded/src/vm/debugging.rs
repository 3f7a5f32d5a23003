//! The debugger: the stack of a suspended process, and steps.
//!
//! A process is suspended by an unhandled exception, a halt or a breakpoint when it was spawned
//! with `OnError::Debug`. `resume` and the steps go on as if the exception had been resumed with
//! nil.

use std::ops::Range;

use stui_smalltalk::LineIndex;
use thiserror::Error;

use super::{FrameText, ProcessId, Vm};
use crate::bytecode::ENV_HEADER;
use crate::object::Body;
use crate::process::{Condition, Process, Stepping, Unwind};
use crate::value::{Oid, Value};

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
        let Some(process) = self.processes.get(&process) else {
            return Vec::new();
        };
        let indexes = self.visible_frames(process);
        indexes
            .into_iter()
            .take(max)
            .map(|index| self.frame(process, index))
            .collect()
    }

    /// The stack of a process as lines, innermost first, at most `max`. Nothing is printed for it,
    /// so it can be asked of any process at any time.
    pub fn stack_lines(&self, process: ProcessId, max: usize) -> Vec<FrameText> {
        let Some(process) = self.processes.get(&process) else {
            return Vec::new();
        };
        let indexes = self.visible_frames(process);
        let lines = indexes.into_iter().take(max).map(|index| FrameText {
            text: self.text_in(process, index),
            line: Self::line_in(process, index),
        });
        lines.collect()
    }

    /// The frames that are shown, innermost first.
    fn visible_frames(&self, process: &Process) -> Vec<usize> {
        let top = process
            .exception
            .and_then(|exception| self.signaler_in(process, exception));
        let end = top.map_or(process.frames.len(), |top| top + 1);
        (0..end)
            .rev()
            .filter(|index| !Self::is_hidden_in(process, *index))
            .collect()
    }

    fn frame(&self, process: &Process, index: usize) -> Frame {
        let frame = &process.frames[index];
        let source = frame.code.source.to_string();
        let (start, end) = Self::range_in(process, index);
        let lines = LineIndex::new(&source);
        let (from, to) = (lines.position(start), lines.position(end));
        Frame {
            class_name: self.class_name_of(frame.receiver),
            method_class_name: self.name_of_class(frame.code.method_class),
            selector: self.selector_text(frame.code.selector),
            is_block: frame.code.is_block,
            line: if source.is_empty() { 0 } else { from.line },
            range: from.character - 1..to.character - 1,
            source,
            receiver: frame.receiver,
            locals: self.locals(process, index),
            text: self.text_in(process, index),
        }
    }

    /// The named variables of a frame, then those of the environments around it.
    fn locals(&self, process: &Process, index: usize) -> Vec<(String, Value)> {
        let frame = &process.frames[index];
        let mut locals: Vec<(String, Value)> = Vec::new();
        let mut add = |name: String, value: Value| {
            if !name.is_empty() && !locals.iter().any(|(known, _)| *known == name) {
                locals.push((name, value));
            }
        };
        let mut env = frame.env;
        while let Some(oid) = env {
            for (name, value) in self.environment_variables(oid) {
                add(name, value);
            }
            env = match self.heap.slot(oid, 0) {
                Value::Obj(outside) => Some(outside),
                _ => None,
            };
        }
        for (slot, name) in frame.code.names.iter().enumerate() {
            let value = process
                .stack
                .get(frame.base + 1 + slot)
                .copied()
                .unwrap_or_default();
            add(name.clone(), value);
        }
        locals
    }

    fn environment_variables(&self, env: Oid) -> Vec<(String, Value)> {
        let Value::Obj(names) = self.heap.slot(env, 1) else {
            return Vec::new();
        };
        let Body::Values(names) = &self.heap.get(names).body else {
            return Vec::new();
        };
        let name = |value: &Value| self.string_value(*value).unwrap_or_default();
        let places = ENV_HEADER..;
        names
            .iter()
            .zip(places)
            .map(|(n, slot)| (name(n), self.heap.slot(env, slot)))
            .collect()
    }

    /// Steps a suspended process; `VmEvent::Stepped` (or `Ended`, `Suspended`) tells when done.
    ///
    /// # Errors
    /// `NotSuspended`.
    pub fn step(&mut self, process: ProcessId, step: Step) -> Result<(), DebugError> {
        self.held(process)?;
        self.with_process(process, |vm| {
            let shown = vm.visible_frames(&vm.proc).first().copied();
            vm.leave_exception();
            let frame = shown.and_then(|index| vm.proc.frames.get(index));
            if let Some(frame) = frame.map(|frame| frame.id) {
                vm.proc.stepping = Some(Stepping {
                    step,
                    frame,
                    done: 0,
                });
            }
            vm.proc.condition = Condition::Ready;
        });
        Ok(())
    }

    /// Lets a suspended process go on.
    ///
    /// # Errors
    /// `NotSuspended`.
    pub fn resume(&mut self, process: ProcessId) -> Result<(), DebugError> {
        self.held(process)?;
        self.with_process(process, |vm| {
            vm.proc.condition = Condition::Ready;
            vm.leave_exception();
        });
        Ok(())
    }

    /// Drops the frames above `frame` (an index into `stack`), running their unwind blocks, and
    /// sets it back to its first instruction with fresh temporaries; `VmEvent::Stepped` tells
    /// when done.
    ///
    /// # Errors
    /// `NotSuspended`, `NoSuchFrame`.
    pub fn restart_frame(&mut self, process: ProcessId, frame: usize) -> Result<(), DebugError> {
        self.held(process)?;
        let restarted = self.with_process(process, |vm| {
            let index = *vm.visible_frames(&vm.proc).get(frame)?;
            let id = vm.proc.frames.get(index)?.id;
            vm.proc.exception = None;
            vm.proc.condition = Condition::Ready;
            vm.unwind(Unwind::Restart {
                frame: id,
                receiver: None,
            });
            // The first step of the frame is where it stops; its unwind blocks come before.
            vm.proc.stepping = Some(Stepping {
                step: Step::Over,
                frame: id,
                done: 1,
            });
            Some(())
        });
        restarted.flatten().ok_or(DebugError::NoSuchFrame(frame))
    }

    fn held(&self, process: ProcessId) -> Result<(), DebugError> {
        match self
            .processes
            .get(&process)
            .map(|process| process.condition)
        {
            Some(Condition::Debugged) => Ok(()),
            _ => Err(DebugError::NotSuspended),
        }
    }

    /// Lets the exception that holds the active process go on with nil.
    fn leave_exception(&mut self) {
        let Some(Value::Obj(exception)) = self.proc.exception.take() else {
            return;
        };
        if let Value::Int(frame) = self.heap.slot(exception, 0)
            && let Ok(frame) = u64::try_from(frame)
            && self.proc.frame_index(frame).is_some()
        {
            self.unwind(Unwind::Return {
                frame,
                value: Value::Nil,
            });
        }
    }
}
