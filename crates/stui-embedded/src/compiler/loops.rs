//! Inlined loops: the body is compiled for its effect, the loop's value is put on the stack at
//! the end.

use stui_smalltalk::Span;
use stui_smalltalk::ast::{Expression, MessageSend};

use super::control::unless;
use super::emit::Hole;
use super::{Compiled, Compiler};
use crate::bytecode::Op;

impl Compiler<'_> {
    pub(super) fn while_loop(&mut self, send: &MessageSend, sense: bool) -> Compiled {
        let at = send.span;
        let start = self.here();
        self.body(Some(&send.receiver))?;
        let end = self.jump(unless(sense), at);
        self.loop_body(send.message.arguments.first(), None)?;
        self.emit(Op::Loop(start), at);
        self.land(end);
        self.emit(Op::Nil, at);
        Ok(())
    }

    pub(super) fn repeat(&mut self, send: &MessageSend) -> Compiled {
        let start = self.here();
        self.loop_body(Some(&send.receiver), None)?;
        self.emit(Op::Loop(start), send.span);
        // Never reached; keeps the height of the stack the same on all ways.
        self.emit(Op::Nil, send.span);
        Ok(())
    }

    pub(super) fn times_repeat(&mut self, send: &MessageSend) -> Compiled {
        let at = send.span;
        self.value(&send.receiver)?;
        let limit = self.new_local("", at)?;
        let counter = self.new_local("", at)?;
        self.emit(Op::PopLocal(limit), at);
        self.emit(Op::Int(1), at);
        self.emit(Op::PopLocal(counter), at);
        let (start, end) = self.loop_head(counter, limit, 1, at)?;
        self.loop_body(send.message.arguments.first(), None)?;
        self.loop_foot(counter, 1, start, at)?;
        self.land(end);
        self.emit(Op::Local(limit), at);
        Ok(())
    }

    /// `to:do:` and `to:by:do:`. The block's argument is the counter itself: it cannot be
    /// assigned, and a block that captures it gets a copy for each turn.
    pub(super) fn counted_loop(&mut self, send: &MessageSend, step: i32) -> Compiled {
        let at = send.span;
        let body = send.message.arguments.last();
        let name = match body {
            Some(Expression::Block(block)) => block.arguments.first(),
            _ => None,
        };
        let name = name.map_or("", |argument| argument.name.as_str());
        self.value(&send.receiver)?;
        let first = self.new_local("", at)?;
        let counter = self.new_local(name, at)?;
        let limit = self.new_local("", at)?;
        self.emit(Op::StoreLocal(first), at);
        self.emit(Op::PopLocal(counter), at);
        if let Some(end) = send.message.arguments.first() {
            self.value(end)?;
        }
        self.emit(Op::PopLocal(limit), at);
        let (start, end) = self.loop_head(counter, limit, step, at)?;
        self.loop_body(body, Some(counter))?;
        self.loop_foot(counter, step, start, at)?;
        self.land(end);
        self.emit(Op::Local(first), at);
        Ok(())
    }

    /// The statements of the block, in place, for their effect.
    fn loop_body(&mut self, body: Option<&Expression>, argument: Option<u16>) -> Compiled {
        let Some(Expression::Block(block)) = body else {
            return Ok(());
        };
        let arguments: Vec<_> = block.arguments.iter().zip(argument).collect();
        self.open_inlined(&arguments, &block.body.temporaries, block.span)?;
        self.statements_for_effect(&block.body.statements)?;
        self.close_inlined(block.span);
        Ok(())
    }

    fn loop_head(
        &mut self,
        counter: u16,
        limit: u16,
        step: i32,
        at: Span,
    ) -> Compiled<(u32, Hole)> {
        let start = self.here();
        self.emit(Op::Local(counter), at);
        self.emit(Op::Local(limit), at);
        self.emit_send(if step > 0 { "<=" } else { ">=" }, 1, false, at)?;
        let end = self.jump(Op::JumpIfFalse, at);
        Ok((start, end))
    }

    fn loop_foot(&mut self, counter: u16, step: i32, start: u32, at: Span) -> Compiled {
        self.emit(Op::Local(counter), at);
        self.emit(Op::Int(step), at);
        self.emit_send("+", 1, false, at)?;
        self.emit(Op::PopLocal(counter), at);
        self.emit(Op::Loop(start), at);
        Ok(())
    }
}
