//! The instruction set and compiled code.
//!
//! One instruction list for a method, do-it or block. `ranges` runs parallel to it and says which
//! part of the source each instruction stands for. Variables that blocks capture live in heap
//! environments, the others in the frame.
//!
//! An environment is an object whose slots are: the environment outside (or nil), an Array with
//! the names of its variables, and the variables.

use std::cell::Cell;
use std::rc::Rc;

use crate::primitives::Primitive;
use crate::value::{Oid, Value};

/// Slots of an environment before its variables.
pub(crate) const ENV_HEADER: usize = 2;

/// One instruction. "Push" and "pop" speak of the operand stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Op {
    Nil,
    True,
    False,
    SelfValue,
    Int(i32),
    Literal(u32),
    ThisContext,
    ThisProcess,
    /// Frame slot: arguments from 0, then temporaries.
    Local(u16),
    /// Stores the top into a frame slot and keeps it on the stack.
    StoreLocal(u16),
    PopLocal(u16),
    Slot(u16),
    StoreSlot(u16),
    /// A variable `index` of the environment `depth` steps out.
    Outer {
        depth: u16,
        index: u16,
    },
    StoreOuter {
        depth: u16,
        index: u16,
    },
    /// The value of the binding in the literal.
    Global(u32),
    /// The same for a name that was not declared when this was compiled: an error if it still is
    /// not.
    Undeclared(u32),
    StoreGlobal(u32),
    Pop,
    Dup,
    /// A send; the index is into `sites`.
    Send(u32),
    /// A send whose lookup starts above the class of the method.
    Super(u32),
    /// Sends that need none for small integers and floats, else as `Send`.
    Arith(Arith, u32),
    /// `==`
    Identical,
    /// `~~`
    NotIdentical,
    Jump(u32),
    /// A jump backwards: a place where the process may be stopped.
    Loop(u32),
    /// Pops.
    JumpIfTrue(u32),
    JumpIfFalse(u32),
    /// `and:`, `or:`: jump and keep the Boolean, else pop it.
    KeepIfTrue(u32),
    KeepIfFalse(u32),
    /// Pops, jumps when it was nil.
    JumpIfNil(u32),
    JumpIfNotNil(u32),
    /// Makes an environment for the names in the literal Array.
    Enter(u32),
    /// Goes back to the environment outside.
    Leave,
    /// Pushes a closure of `blocks[index]`.
    Block(u32),
    /// Pops so many elements into a new Array.
    Array(u32),
    /// Ends the frame with the top as value: `^` in a method, the end of a block.
    Return,
    /// `^` in a block.
    ReturnHome,
}

/// Operations with a short cut for numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Less,
    Greater,
    LessEq,
    GreaterEq,
    Equal,
    NotEqual,
    /// `//`
    Div,
    /// `\\`
    Mod,
    BitAnd,
}

/// What is sent at one place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) selector: Oid,
    pub(crate) args: u16,
}

/// Methods that the unwinding and the exceptions look for on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Marker {
    #[default]
    None,
    /// `BlockClosure>>ensure:`: local 0 is the block, local 1 turns true when it was run.
    Ensure,
    /// `BlockClosure>>ifCurtailed:`, the same locals.
    IfCurtailed,
    /// `BlockClosure>>on:do:`: local 0 is the exception class, 1 the handler.
    OnDo,
    /// `Exception>>signal`: the receiver is the exception.
    Signal,
    /// Put on the stack by the VM; not shown.
    Bridge,
}

/// Methods so simple that they need no frame.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Quick {
    #[default]
    None,
    /// `^ self`
    SelfValue,
    /// `^ slot`
    Slot(u16),
    /// `^ literal`
    Constant(Value),
}

/// A compiled method, do-it or block.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Op>,
    /// For each instruction the bytes of the source it stands for.
    pub(crate) ranges: Vec<(u32, u32)>,
    pub(crate) literals: Vec<Value>,
    pub(crate) sites: Vec<Site>,
    pub(crate) blocks: Vec<Rc<Code>>,
    pub(crate) args: u16,
    pub(crate) temps: u16,
    /// Names of arguments and temporaries, as far as they live in the frame; hidden ones empty.
    pub(crate) names: Vec<String>,
    pub(crate) selector: Oid,
    /// Where lookups of `super` start above, and what stack lines name.
    pub(crate) method_class: Oid,
    pub(crate) source: Rc<str>,
    /// The part of the source that this is, in bytes.
    pub(crate) span: (usize, usize),
    pub(crate) category: String,
    pub(crate) is_block: bool,
    pub(crate) marker: Marker,
    pub(crate) quick: Quick,
    pub(crate) primitive: Option<Primitive>,
    pub(crate) breakpoint: Cell<bool>,
    /// The last collection that marked this.
    pub(crate) epoch: Cell<u64>,
}

impl Code {
    /// Code without instructions, to be filled in.
    pub(crate) fn empty(selector: Oid, method_class: Oid) -> Self {
        Self {
            ops: Vec::new(),
            ranges: Vec::new(),
            literals: Vec::new(),
            sites: Vec::new(),
            blocks: Vec::new(),
            args: 0,
            temps: 0,
            names: Vec::new(),
            selector,
            method_class,
            source: Rc::from(""),
            span: (0, 0),
            category: String::new(),
            is_block: false,
            marker: Marker::None,
            quick: Quick::None,
            primitive: None,
            breakpoint: Cell::new(false),
            epoch: Cell::new(0),
        }
    }

    /// The text of this method or block.
    pub(crate) fn text(&self) -> &str {
        self.source
            .get(self.span.0..self.span.1)
            .unwrap_or_default()
    }

    /// Number of frame slots.
    pub(crate) fn locals(&self) -> usize {
        usize::from(self.args) + usize::from(self.temps)
    }

    /// Whether it or a block in it sends `selector`.
    pub(crate) fn sends(&self, selector: Oid) -> bool {
        self.sites.iter().any(|site| site.selector == selector)
            || self.blocks.iter().any(|block| block.sends(selector))
    }

    /// Shows every send of it and its blocks.
    pub(crate) fn each_site(&self, show: &mut impl FnMut(&Site)) {
        self.sites.iter().for_each(&mut *show);
        self.blocks.iter().for_each(|block| block.each_site(show));
    }

    /// Whether it or a block in it has this object as literal or binding.
    pub(crate) fn has_literal(&self, value: Value) -> bool {
        self.literals.iter().any(|literal| literal.identical(value))
            || self.blocks.iter().any(|block| block.has_literal(value))
    }
}
