//! `thisContext` and its relatives: Context objects that name a frame.
//!
//! A Context is a snapshot: it knows receiver, selector and class of its frame for ever, its
//! sender only while the frame lives.

use crate::object::{Body, Object};
use crate::value::Value;
use crate::vm::Vm;

/// The slots of a Context, in the order of its class definition.
const CONTEXT_SLOTS: usize = 6;

impl Vm {
    pub(super) fn this_context(&mut self) -> Value {
        self.context_at(self.proc.frames.len().saturating_sub(1))
    }

    /// A Context for the frame at `index`, or nil.
    pub(crate) fn context_at(&mut self, index: usize) -> Value {
        let Some(frame) = self.proc.frames.get(index) else {
            return Value::Nil;
        };
        let (receiver, id) = (frame.receiver, frame.id);
        let (selector, method_class) = (frame.code.selector, frame.code.method_class);
        let is_block = frame.code.is_block;
        let text = self.frame_text(index);
        let text = self.new_string(&text);
        let mut context = Object::with_body(self.known.context, CONTEXT_SLOTS, Body::None);
        context.slots[0] = receiver;
        context.slots[1] = Value::Obj(selector);
        context.slots[2] = Value::Obj(method_class);
        context.slots[3] = Value::from_bool(is_block);
        context.slots[4] = Value::Int(i64::try_from(id).unwrap_or(i64::MAX));
        context.slots[5] = text;
        Value::Obj(self.allocate(context))
    }

    /// The index of the next visible frame below `index`.
    pub(crate) fn sender_index(&self, index: usize) -> Option<usize> {
        (0..index.min(self.proc.frames.len()))
            .rev()
            .find(|i| !self.is_hidden(*i))
    }
}
