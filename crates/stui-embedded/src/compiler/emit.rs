//! Instructions as they are written: the function under construction, loads and stores, jumps.

use std::rc::Rc;

use stui_smalltalk::Span;

use super::Compiler;
use crate::bytecode::{Arith, Code, Op, Quick, Site};
use crate::value::{Oid, Value};

/// A method or block under construction.
#[derive(Debug, Default)]
pub(super) struct Function {
    pub(super) ops: Vec<Op>,
    pub(super) ranges: Vec<(u32, u32)>,
    pub(super) literals: Vec<Value>,
    pub(super) sites: Vec<Site>,
    pub(super) blocks: Vec<Rc<Code>>,
    pub(super) args: u16,
    /// One for each frame slot.
    pub(super) names: Vec<String>,
    /// Jumps land after this many instructions: what stands before is not to be fused with.
    barrier: usize,
}

/// Where a variable is, seen from the current place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Local(u16),
    Outer { depth: u16, index: u16 },
    Slot(u16),
    Binding(Oid),
    Undeclared(Oid),
}

/// A jump whose target is not known yet.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Hole(usize);

impl Function {
    pub(super) fn new(_selector: Oid, args: u16, names: Vec<String>) -> Self {
        Self {
            args,
            names,
            ..Self::default()
        }
    }
}

impl Compiler<'_> {
    pub(super) fn function(&mut self) -> &mut Function {
        if self.functions.is_empty() {
            self.functions.push(Function::default());
        }
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }

    pub(super) fn emit(&mut self, op: Op, span: Span) {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        let function = self.function();
        // A store whose value nobody wants.
        if let (Op::Pop, Some(Op::StoreLocal(index))) = (op, function.ops.last().copied())
            && function.barrier < function.ops.len()
        {
            let last = function.ops.len() - 1;
            function.ops[last] = Op::PopLocal(index);
            return;
        }
        function.ops.push(op);
        function.ranges.push((narrow(span.start), narrow(span.end)));
    }

    /// The index of a literal of the current function.
    pub(super) fn literal_index(&mut self, value: Value) -> u32 {
        let function = self.function();
        let same = |other: &Value| other.identical(value);
        let index = function.literals.iter().position(same).unwrap_or_else(|| {
            function.literals.push(value);
            function.literals.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    pub(super) fn emit_constant(&mut self, value: Value, span: Span) {
        let op = match value {
            Value::Nil => Op::Nil,
            Value::True => Op::True,
            Value::False => Op::False,
            Value::Int(integer) if i32::try_from(integer).is_ok() => {
                Op::Int(i32::try_from(integer).unwrap_or_default())
            }
            _ => Op::Literal(self.literal_index(value)),
        };
        self.emit(op, span);
    }

    pub(super) fn emit_load(&mut self, place: &Place, span: Span) {
        let op = match *place {
            Place::Local(index) => Op::Local(index),
            Place::Outer { depth, index } => Op::Outer { depth, index },
            Place::Slot(index) => Op::Slot(index),
            Place::Binding(binding) => Op::Global(self.literal_index(Value::Obj(binding))),
            Place::Undeclared(binding) => Op::Undeclared(self.literal_index(Value::Obj(binding))),
        };
        self.emit(op, span);
    }

    /// Stores the top and keeps it.
    pub(super) fn emit_store(&mut self, place: &Place, span: Span) {
        let op = match *place {
            Place::Local(index) => Op::StoreLocal(index),
            Place::Outer { depth, index } => Op::StoreOuter { depth, index },
            Place::Slot(index) => Op::StoreSlot(index),
            Place::Binding(binding) | Place::Undeclared(binding) => {
                Op::StoreGlobal(self.literal_index(Value::Obj(binding)))
            }
        };
        self.emit(op, span);
    }

    /// Emits a jump to be given its target later.
    pub(super) fn jump(&mut self, op: fn(u32) -> Op, span: Span) -> Hole {
        self.emit(op(u32::MAX), span);
        Hole(self.function().ops.len() - 1)
    }

    /// Lets the jump land here.
    pub(super) fn land(&mut self, hole: Hole) {
        let target = self.here();
        let op = &mut self.function().ops[hole.0];
        *op = match *op {
            Op::Jump(_) => Op::Jump(target),
            Op::JumpIfTrue(_) => Op::JumpIfTrue(target),
            Op::JumpIfFalse(_) => Op::JumpIfFalse(target),
            Op::KeepIfTrue(_) => Op::KeepIfTrue(target),
            Op::KeepIfFalse(_) => Op::KeepIfFalse(target),
            Op::JumpIfNil(_) => Op::JumpIfNil(target),
            Op::JumpIfNotNil(_) => Op::JumpIfNotNil(target),
            other => other,
        };
    }

    /// The place of the next instruction, as the target of a jump.
    pub(super) fn here(&mut self) -> u32 {
        let function = self.function();
        function.barrier = function.ops.len();
        u32::try_from(function.ops.len()).unwrap_or(u32::MAX)
    }
}

/// The operation behind a selector that has a short cut.
pub(super) fn arithmetic(selector: &str) -> Option<Arith> {
    Some(match selector {
        "+" => Arith::Add,
        "-" => Arith::Sub,
        "*" => Arith::Mul,
        "<" => Arith::Less,
        ">" => Arith::Greater,
        "<=" => Arith::LessEq,
        ">=" => Arith::GreaterEq,
        "=" => Arith::Equal,
        "~=" => Arith::NotEqual,
        "//" => Arith::Div,
        "\\\\" => Arith::Mod,
        "bitAnd:" => Arith::BitAnd,
        _ => return None,
    })
}

/// Recognises methods that need no frame.
pub(super) fn quick(code: &Code) -> Quick {
    if code.args != 0 || code.primitive.is_some() {
        return Quick::None;
    }
    match code.ops[..] {
        [Op::SelfValue, Op::Return] => Quick::SelfValue,
        [op, Op::Return] | [op, Op::Return, Op::SelfValue, Op::Return] => match op {
            Op::Slot(index) => Quick::Slot(index),
            Op::Nil => Quick::Constant(Value::Nil),
            Op::True => Quick::Constant(Value::True),
            Op::False => Quick::Constant(Value::False),
            Op::Int(integer) => Quick::Constant(Value::Int(integer.into())),
            _ => Quick::None,
        },
        _ => Quick::None,
    }
}
