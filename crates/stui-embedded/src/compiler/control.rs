//! The sends that are compiled to jumps, as in Pharo, when their blocks are written in place.
//! The loops among them are in `loops`.

use stui_smalltalk::ast::{Block, Expression, LiteralValue, MessageSend};

use super::emit::Hole;
use super::{Compiled, Compiler};
use crate::bytecode::Op;

/// How a send is inlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inline {
    /// `ifTrue:` and its like; the flag is the Boolean that the first block is for.
    If(bool),
    IfElse(bool),
    And,
    Or,
    /// `whileTrue:`, `whileTrue`; the flag is the Boolean that goes on.
    While(bool),
    WhileBare(bool),
    Repeat,
    TimesRepeat,
    /// `to:do:`, with the step.
    ToDo(i32),
    /// `ifNil:`; the flag says whether the first block is for nil.
    Nil(bool),
    NilElse(bool),
}

/// How this send is inlined, if it is. `capture` and the compiler ask the same question.
pub(super) fn inline(send: &MessageSend) -> Option<Inline> {
    let args = &send.message.arguments;
    let block = |index: usize, arity: usize| matches!(args.get(index), Some(Expression::Block(b)) if b.arguments.len() == arity);
    let nil_block = |index: usize, for_nil: bool| block(index, 0) || (!for_nil && block(index, 1));
    let receiver_block =
        matches!(&send.receiver, Expression::Block(block) if block.arguments.is_empty());
    let (kind, fits) = match send.message.selector.as_str() {
        "ifTrue:" => (Inline::If(true), block(0, 0)),
        "ifFalse:" => (Inline::If(false), block(0, 0)),
        "ifTrue:ifFalse:" => (Inline::IfElse(true), block(0, 0) && block(1, 0)),
        "ifFalse:ifTrue:" => (Inline::IfElse(false), block(0, 0) && block(1, 0)),
        "and:" => (Inline::And, block(0, 0)),
        "or:" => (Inline::Or, block(0, 0)),
        "whileTrue:" => (Inline::While(true), receiver_block && block(0, 0)),
        "whileFalse:" => (Inline::While(false), receiver_block && block(0, 0)),
        "whileTrue" => (Inline::WhileBare(true), receiver_block),
        "whileFalse" => (Inline::WhileBare(false), receiver_block),
        "repeat" => (Inline::Repeat, receiver_block),
        "timesRepeat:" => (Inline::TimesRepeat, block(0, 0)),
        "to:do:" => (Inline::ToDo(1), block(1, 1) && !is_block(args.first())),
        "to:by:do:" => (
            Inline::ToDo(step(args.get(1)?)?),
            block(2, 1) && !is_block(args.first()),
        ),
        "ifNil:" => (Inline::Nil(true), nil_block(0, true)),
        "ifNotNil:" => (Inline::Nil(false), nil_block(0, false)),
        "ifNil:ifNotNil:" => (
            Inline::NilElse(true),
            nil_block(0, true) && nil_block(1, false),
        ),
        "ifNotNil:ifNil:" => (
            Inline::NilElse(false),
            nil_block(0, false) && nil_block(1, true),
        ),
        _ => return None,
    };
    // Only the blocks that `capture` may treat as inlined; a Boolean block receiver stays real.
    let only_inlined_blocks = !matches!(&send.receiver, Expression::Block(_))
        || matches!(
            kind,
            Inline::While(_) | Inline::WhileBare(_) | Inline::Repeat
        );
    (fits && only_inlined_blocks).then_some(kind)
}

fn is_block(expression: Option<&Expression>) -> bool {
    matches!(expression, Some(Expression::Block(_)))
}

fn step(expression: &Expression) -> Option<i32> {
    let Expression::Literal(literal) = expression else {
        return None;
    };
    let LiteralValue::Integer(integer) = &literal.value else {
        return None;
    };
    i32::try_from(integer.to_i64()?)
        .ok()
        .filter(|step| *step != 0)
}

impl Compiler<'_> {
    /// Compiles an inlined send; false when this is an ordinary one.
    pub(super) fn inlined(&mut self, send: &MessageSend, wanted: bool) -> Compiled<bool> {
        let Some(kind) = inline(send) else {
            return Ok(false);
        };
        match kind {
            Inline::If(sense) => self.if_then(send, sense)?,
            Inline::IfElse(sense) => self.if_else(send, sense)?,
            Inline::And | Inline::Or => self.and_or(send, kind == Inline::And)?,
            Inline::While(sense) | Inline::WhileBare(sense) => self.while_loop(send, sense)?,
            Inline::Repeat => self.repeat(send)?,
            Inline::TimesRepeat => self.times_repeat(send)?,
            Inline::ToDo(step) => self.counted_loop(send, step)?,
            Inline::Nil(for_nil) => self.if_nil(send, for_nil)?,
            Inline::NilElse(for_nil) => self.if_nil_else(send, for_nil)?,
        }
        if !wanted {
            self.emit(Op::Pop, send.span);
        }
        Ok(true)
    }

    /// The statements of a block without arguments, in place; leaves its value.
    pub(super) fn body(&mut self, expression: Option<&Expression>) -> Compiled {
        match expression {
            Some(Expression::Block(block)) => self.body_with(block, None),
            _ => Ok(()),
        }
    }

    pub(super) fn body_with(&mut self, block: &Block, argument: Option<u16>) -> Compiled {
        let arguments: Vec<_> = block.arguments.iter().zip(argument).collect();
        self.open_inlined(&arguments, &block.body.temporaries, block.span)?;
        self.statements_for_value(&block.body, block.span)?;
        self.close_inlined(block.span);
        Ok(())
    }

    fn if_then(&mut self, send: &MessageSend, sense: bool) -> Compiled {
        let end = self.branch(send, sense)?;
        self.emit(Op::Nil, send.span);
        self.land(end);
        Ok(())
    }

    fn if_else(&mut self, send: &MessageSend, sense: bool) -> Compiled {
        let end = self.branch(send, sense)?;
        self.body(send.message.arguments.get(1))?;
        self.land(end);
        Ok(())
    }

    /// The condition and the first block. What is emitted next is the other branch; the jump that
    /// is answered leads from the first block over it.
    fn branch(&mut self, send: &MessageSend, sense: bool) -> Compiled<Hole> {
        let at = send.span;
        self.value(&send.receiver)?;
        let skip = self.jump(unless(sense), at);
        self.body(send.message.arguments.first())?;
        let end = self.jump(Op::Jump, at);
        self.land(skip);
        Ok(end)
    }

    fn and_or(&mut self, send: &MessageSend, and: bool) -> Compiled {
        self.value(&send.receiver)?;
        let keep = if and { Op::KeepIfFalse } else { Op::KeepIfTrue };
        let end = self.jump(keep, send.span);
        self.body(send.message.arguments.first())?;
        self.land(end);
        Ok(())
    }

    fn if_nil(&mut self, send: &MessageSend, for_nil: bool) -> Compiled {
        let at = send.span;
        self.value(&send.receiver)?;
        self.emit(Op::Dup, at);
        let end = self.jump(unless_nil(for_nil), at);
        self.nil_body(send, 0)?;
        self.land(end);
        Ok(())
    }

    fn if_nil_else(&mut self, send: &MessageSend, for_nil: bool) -> Compiled {
        let at = send.span;
        self.value(&send.receiver)?;
        self.emit(Op::Dup, at);
        let other = self.jump(unless_nil(for_nil), at);
        self.nil_body(send, 0)?;
        let end = self.jump(Op::Jump, at);
        self.land(other);
        self.nil_body(send, 1)?;
        self.land(end);
        Ok(())
    }

    /// A block of an `ifNil:` kind of send: the tested value is on the stack and goes into the
    /// block's argument, if it has one.
    fn nil_body(&mut self, send: &MessageSend, index: usize) -> Compiled {
        let Some(Expression::Block(block)) = send.message.arguments.get(index) else {
            return Ok(());
        };
        match block.arguments.first() {
            Some(argument) => {
                let slot = self.new_local(&argument.name, argument.span)?;
                self.emit(Op::PopLocal(slot), send.span);
                self.body_with(block, Some(slot))
            }
            None => {
                self.emit(Op::Pop, send.span);
                self.body_with(block, None)
            }
        }
    }
}

/// The jump over a block that is for this Boolean.
pub(super) fn unless(sense: bool) -> fn(u32) -> Op {
    if sense {
        Op::JumpIfFalse
    } else {
        Op::JumpIfTrue
    }
}

/// The jump over a block that is for nil, or for what is not nil.
fn unless_nil(for_nil: bool) -> fn(u32) -> Op {
    if for_nil {
        Op::JumpIfNotNil
    } else {
        Op::JumpIfNil
    }
}
