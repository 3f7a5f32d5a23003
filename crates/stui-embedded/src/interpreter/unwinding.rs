//! Returns: plain ones, non-local ones, and unwinding with `ensure:` and `ifCurtailed:`.
//!
//! As in Pharo the stack is cut down to the frame of the `ensure:` before its block runs on top
//! of it; a frame whose `After` is `Unwind` goes on from there.

use super::{Exit, Flow};
use crate::bytecode::Marker;
use crate::process::{After, Ending, Unwind};
use crate::value::Value;
use crate::vm::{ErrorReport, Outcome, Vm, VmEvent};

impl Vm {
    /// Ends the top frame with a value.
    #[inline]
    pub(super) fn return_value(&mut self, value: Value) -> Flow {
        let Some(frame) = self.proc.frames.pop() else {
            return Flow::Exit(Exit::Ended);
        };
        self.proc.stack.truncate(frame.base);
        match frame.after {
            None => {
                self.proc.stack.push(value);
                Flow::Frame
            }
            Some(after) => self.run_after(*after, value),
        }
    }

    fn run_after(&mut self, after: After, value: Value) -> Flow {
        match after {
            After::Drop => Flow::Frame,
            After::Unwind(unwind) => self.unwind(unwind),
            After::Evaluated => {
                self.proc.result = value;
                let Some(limit) = self.proc.print_limit else {
                    return self.finish(String::new(), false);
                };
                let selector = self.symbol("printStringLimitedTo:");
                // One more than allowed shows whether it was cut.
                let limit = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
                self.push_bridge(value, selector, &[Value::Int(limit)], Some(After::Printed));
                Flow::Frame
            }
            After::Printed => {
                let limit = self.proc.print_limit.unwrap_or(usize::MAX);
                let text = self.string_value(value).unwrap_or_default();
                let (text, truncated) = cut(text, limit);
                self.finish(text, truncated)
            }
            After::End => {
                self.proc.result = value;
                self.finish(String::new(), false)
            }
        }
    }

    /// The process has done its work.
    fn finish(&mut self, printed: String, truncated: bool) -> Flow {
        if self.proc.origin == crate::process::Origin::Owner {
            let class_name = self.class_name_of(self.proc.result);
            let value = self.pin(self.proc.result);
            let outcome = Outcome::Finished {
                value,
                printed,
                truncated,
                class_name,
            };
            self.tell_end(outcome);
        }
        self.clear_frames();
        Flow::Exit(Exit::Ended)
    }

    fn tell_end(&mut self, outcome: Outcome) {
        let (process, tag) = (self.proc.id, self.proc.tag);
        self.events.push(VmEvent::Ended {
            process,
            tag,
            outcome,
        });
    }

    fn clear_frames(&mut self) {
        self.proc.frames.clear();
        self.proc.stack.clear();
        self.proc.condition = crate::process::Condition::Ended;
    }

    /// `^` in a block.
    pub(super) fn return_home(&mut self, value: Value) -> Flow {
        let Some(frame) = self.proc.frames.last() else {
            return Flow::Exit(Exit::Ended);
        };
        let (home, base) = (frame.home, frame.base);
        if self.proc.frame_index(home).is_some() {
            return self.unwind(Unwind::Return { frame: home, value });
        }
        let closure = self.proc.stack.get(base).copied().unwrap_or_default();
        self.push(closure);
        self.push(value);
        let selector = self.known.cannot_return;
        self.send(selector, 1)
    }

    /// Goes one leg of an unwinding: up to the next unwind block, or to the end.
    pub(crate) fn unwind(&mut self, unwind: Unwind) -> Flow {
        let target = match &unwind {
            Unwind::Return { frame, .. } | Unwind::Restart { frame, .. } => {
                match self.proc.frame_index(*frame) {
                    Some(index) => Some(index),
                    // The frame went away meanwhile: an unwind block has left another way.
                    None => return Flow::Frame,
                }
            }
            Unwind::End(_) => None,
        };
        let lowest = target.map_or(0, |index| index + 1);
        for index in (lowest..self.proc.frames.len()).rev() {
            if let Some(flow) = self.run_unwind_block(index, &unwind) {
                return flow;
            }
        }
        match unwind {
            Unwind::Return { value, .. } => {
                self.proc.frames.truncate(lowest);
                self.return_value(value)
            }
            Unwind::Restart { receiver, .. } => {
                self.restart(lowest - 1, receiver);
                Flow::Frame
            }
            Unwind::End(ending) => self.end_process(*ending),
        }
    }

    /// Starts the unwind block of the frame at `index`, if it has one that has not run.
    fn run_unwind_block(&mut self, index: usize, unwind: &Unwind) -> Option<Flow> {
        let frame = self.proc.frames.get(index)?;
        if !matches!(frame.code.marker, Marker::Ensure | Marker::IfCurtailed) {
            return None;
        }
        let first = frame.base + 1;
        if !self.proc.stack.get(first + 1)?.is_nil() {
            return None;
        }
        let height = first + frame.code.locals();
        let block = self.proc.stack[first];
        self.proc.stack[first + 1] = Value::True;
        self.proc.frames.truncate(index + 1);
        self.proc.stack.truncate(height);
        self.push(block);
        let after = || Some(Box::new(After::Unwind(unwind.clone())));
        if let Some(flow) = self.activate_block(height, after()) {
            return Some(flow);
        }
        // Not a block: it is asked for its value like anything else.
        self.pop();
        let selector = self.symbol("value");
        self.push_bridge(block, selector, &[], Some(After::Unwind(unwind.clone())));
        Some(Flow::Frame)
    }

    /// Sets the frame at `index` back to its start; those above it go.
    fn restart(&mut self, index: usize, receiver: Option<Value>) {
        self.proc.frames.truncate(index + 1);
        let closure = self
            .proc
            .frames
            .last()
            .and_then(|frame| self.proc.stack.get(frame.base));
        let env = closure
            .and_then(|closure| self.block(*closure))
            .and_then(|block| block.env);
        let Some(frame) = self.proc.frames.last_mut() else {
            return;
        };
        frame.pc = 0;
        frame.env = if frame.code.is_block { env } else { None };
        let base = frame.base;
        if let Some(receiver) = receiver {
            frame.receiver = receiver;
            if let Some(place) = self.proc.stack.get_mut(base) {
                *place = receiver;
            }
        }
        let (args, locals) = (usize::from(frame.code.args), frame.code.locals());
        self.proc.stack.truncate(base + 1 + args);
        self.proc.stack.resize(base + 1 + locals, Value::Nil);
    }

    /// Begins to unwind the whole process. The first failure stays the one that is told; a
    /// request from outside goes before it.
    pub(crate) fn begin_ending(&mut self, ending: Ending) -> Flow {
        let earlier =
            self.proc
                .frames
                .iter()
                .rev()
                .find_map(|frame| match frame.after.as_deref() {
                    Some(After::Unwind(Unwind::End(earlier))) => Some((**earlier).clone()),
                    _ => None,
                });
        let ending = match (ending, earlier) {
            (stop @ Ending::Stopped { .. }, _) => stop,
            (_, Some(earlier)) => earlier,
            (ending, None) => ending,
        };
        self.unwind(Unwind::End(Box::new(ending)))
    }

    /// The frames are gone or not wanted any more.
    pub(crate) fn end_process(&mut self, ending: Ending) -> Flow {
        self.proc.ended = Some(ending.clone());
        if self.proc.origin == crate::process::Origin::Owner {
            self.tell_end(ending.outcome());
        }
        self.clear_frames();
        Flow::Exit(Exit::Ended)
    }

    /// Ends the process with an error that Smalltalk code cannot handle any more.
    pub(crate) fn fail_process(&mut self, class: &str, message: &str) -> Flow {
        let report = ErrorReport {
            class: class.to_owned(),
            message: message.to_owned(),
            receiver: String::new(),
            stack: self.stack_texts(self.proc.frames.len()),
        };
        self.begin_ending(Ending::Failed(report))
    }
}

/// The first `limit` characters, and whether there were more.
pub(crate) fn cut(mut text: String, limit: usize) -> (String, bool) {
    match text.char_indices().nth(limit) {
        Some((at, _)) => {
            text.truncate(at);
            (text, true)
        }
        None => (text, false),
    }
}
