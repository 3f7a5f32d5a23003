//! What the interpreter itself has to tell Smalltalk code: messages not understood, conditions
//! that are no Booleans, undeclared names, too many frames, a full heap, breakpoints. Each is a
//! send; the rules are in the class library.

use super::Flow;
use crate::object::Object;
use crate::process::After;
use crate::value::{Oid, Value};
use crate::vm::Vm;

/// Frames that a process gets beyond the limit to handle `RecursionTooDeep` and print it.
const SPARE_FRAMES: usize = 500;

/// How often it gets them: the handling may recurse too deep itself, and be handled.
const MAX_SPARES: usize = 4;

impl Vm {
    pub(super) fn not_understood(&mut self, selector: Oid, args: usize) -> Flow {
        let from = self.proc.stack.len().saturating_sub(args);
        let arguments = self.proc.stack.split_off(from);
        let receiver = self.proc.stack.last().copied().unwrap_or_default();
        let arguments = self.new_array(arguments);
        let mut message = Object::plain(self.known.message, 2);
        message.slots[0] = Value::Obj(selector);
        message.slots[1] = arguments;
        let message = self.allocate(message);
        self.push(Value::Obj(message));
        let class = self.class_oid(receiver);
        let handler = self.known.does_not_understand;
        if self.lookup(class, handler).is_some() {
            return self.send_from(class, handler, 1);
        }
        let text = format!("{} has no doesNotUnderstand:", self.class_name_of(receiver));
        self.fail_process("MessageNotUnderstood", &text)
    }

    /// A conditional jump met something else than a Boolean; it is on the stack.
    pub(super) fn must_be_boolean(&mut self) -> Flow {
        let selector = self.known.must_be_boolean;
        match self.send(selector, 0) {
            Flow::Next => Flow::Frame,
            other => other,
        }
    }

    pub(super) fn undeclared_read(&mut self, binding: Value) -> Flow {
        let name = match binding {
            Value::Obj(oid) => self.heap.slot(oid, 0),
            _ => Value::Nil,
        };
        let Some(class) = self.global_value("UndeclaredVariableRead") else {
            self.push(Value::Nil);
            return Flow::Frame;
        };
        self.push(class);
        self.push(name);
        let selector = self.symbol("signalName:");
        match self.send(selector, 1) {
            Flow::Next => Flow::Frame,
            other => other,
        }
    }

    pub(super) fn recursion_too_deep(&mut self, at: usize) -> Flow {
        if self.proc.spare_frames >= SPARE_FRAMES * MAX_SPARES {
            return self.fail_process("RecursionTooDeep", "the recursion is too deep");
        }
        self.proc.spare_frames += SPARE_FRAMES;
        self.signal_class("RecursionTooDeep", at)
    }

    /// The heap is over its limit even after a collection.
    pub(super) fn heap_is_full(&mut self) -> Flow {
        let hard_limit = self.limits.heap_bytes + self.limits.heap_bytes / 8;
        if !self.proc.told_heap_full {
            self.proc.told_heap_full = true;
            let Some(class) = self.global_value("OutOfMemory") else {
                return self.fail_process("OutOfMemory", "the heap is full");
            };
            let signal = self.symbol("signal");
            self.push_bridge(class, signal, &[], Some(After::Drop));
            return Flow::Frame;
        }
        if self.heap.bytes() > hard_limit {
            return self.fail_process("OutOfMemory", "the heap is full");
        }
        Flow::Frame
    }

    /// Sends `signal` to the exception class of this name in place of the send whose receiver is
    /// at `at`.
    pub(crate) fn signal_class(&mut self, name: &str, at: usize) -> Flow {
        let Some(class) = self.global_value(name) else {
            return self.fail_process(name, name);
        };
        self.proc.stack.truncate(at);
        self.push(class);
        let selector = self.symbol("signal");
        match self.send(selector, 0) {
            Flow::Next => Flow::Frame,
            other => other,
        }
    }

    pub(super) fn breakpoint_hit(&mut self) -> Flow {
        if let Some(class) = self.global_value("Break") {
            let signal = self.symbol("signal");
            self.push_bridge(class, signal, &[], Some(After::Drop));
        }
        Flow::Frame
    }
}
