//! Stacks as text, and the report of an unhandled exception.

use stui_smalltalk::LineIndex;

use super::{ErrorReport, FrameText, Vm};
use crate::bytecode::Marker;
use crate::interpreter::cut;
use crate::process::{Condition, Process};
use crate::value::{Oid, Value};

/// Lines of a stack in a report: the innermost ones.
const STACK_LINES: usize = 60;

/// Characters of each text in a report.
const TEXT_CHARS: usize = 2000;

impl Vm {
    /// Whether the frame at `index` of the active process was put there by the VM and is not
    /// shown.
    pub(crate) fn is_hidden(&self, index: usize) -> bool {
        Self::is_hidden_in(&self.proc, index)
    }

    pub(crate) fn is_hidden_in(process: &Process, index: usize) -> bool {
        process
            .frames
            .get(index)
            .is_none_or(|frame| frame.code.marker == Marker::Bridge)
    }

    /// The index of the frame that signalled `exception`: the first below its `signal` that works
    /// neither for the exception nor for its class.
    pub(crate) fn signaler_index(&self, exception: Value) -> Option<usize> {
        self.signaler_in(&self.proc, exception)
    }

    pub(crate) fn signaler_in(&self, process: &Process, exception: Value) -> Option<usize> {
        let Value::Obj(oid) = exception else {
            return None;
        };
        let Value::Int(frame) = self.heap.slot(oid, 0) else {
            return None;
        };
        let start = process.frame_index(u64::try_from(frame).ok()?)?;
        let class = Value::Obj(self.heap.get(oid).class);
        (0..=start).rev().find(|index| {
            let receiver = process.frames[*index].receiver;
            !receiver.identical(exception)
                && !receiver.identical(class)
                && !Self::is_hidden_in(process, *index)
        })
    }

    /// The report of an exception whose `signal` is on the stack of the active process.
    pub(crate) fn report(
        &self,
        exception: Value,
        message: String,
        receiver: String,
    ) -> ErrorReport {
        let top = self.signaler_index(exception).map_or(0, |index| index + 1);
        ErrorReport {
            class: self.class_name_of(exception),
            message: cut(message, TEXT_CHARS).0,
            receiver: cut(receiver, TEXT_CHARS).0,
            stack: self.stack_texts(top),
        }
    }

    /// The lines of the active process's stack below `top`, innermost first.
    pub(crate) fn stack_texts(&self, top: usize) -> Vec<FrameText> {
        let visible = (0..top).rev().filter(|index| !self.is_hidden(*index));
        visible
            .take(STACK_LINES)
            .map(|index| FrameText {
                text: self.frame_text(index),
                line: Self::line_in(&self.proc, index),
            })
            .collect()
    }

    /// `Foo(Object)>>bar`, `[ ... ] in Foo>>bar`.
    pub(crate) fn frame_text(&self, index: usize) -> String {
        self.text_in(&self.proc, index)
    }

    pub(crate) fn text_in(&self, process: &Process, index: usize) -> String {
        let Some(frame) = process.frames.get(index) else {
            return String::new();
        };
        let receiver_class = self.class_oid(frame.receiver);
        let mut text = String::new();
        if frame.code.is_block {
            text.push_str("[ ... ] in ");
        }
        text.push_str(&self.name_of_class(receiver_class));
        if receiver_class != frame.code.method_class {
            text.push('(');
            text.push_str(&self.name_of_class(frame.code.method_class));
            text.push(')');
        }
        text.push_str(">>");
        text.push_str(&self.selector_text(frame.code.selector));
        if frame.code.selector == self.known.does_not_understand
            && let Some(Value::Obj(message)) = process.stack.get(frame.base + 1)
            && let Some(selector) = self.string_value(self.heap.slot(*message, 0))
        {
            text.push_str(&format!(" #{selector}"));
        }
        text
    }

    pub(crate) fn selector_text(&self, selector: Oid) -> String {
        self.string_value(Value::Obj(selector)).unwrap_or_default()
    }

    /// The part of the source that the frame at `index` executes, in bytes.
    pub(crate) fn range_in(process: &Process, index: usize) -> (usize, usize) {
        let Some(frame) = process.frames.get(index) else {
            return (0, 0);
        };
        // A frame that has sent something stands behind the send until that returns. The top one
        // of a process that made a step stands before what it does next.
        let is_top = index + 1 == process.frames.len();
        let is_before = is_top
            && process.exception.is_none()
            && matches!(process.condition, Condition::Debugged | Condition::Ready);
        let pc = if is_before {
            frame.pc
        } else {
            frame.pc.saturating_sub(1)
        };
        let range = frame.code.ranges.get(pc).copied().unwrap_or_default();
        (range.0 as usize, range.1 as usize)
    }

    pub(super) fn line_in(process: &Process, index: usize) -> usize {
        match process.frames.get(index) {
            Some(frame) if !frame.code.source.is_empty() => {
                let (start, _) = Self::range_in(process, index);
                LineIndex::new(&frame.code.source).position(start).line
            }
            _ => 0,
        }
    }
}
