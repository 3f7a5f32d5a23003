//! What an object is made of: a class, named slots, and for some kinds a native body.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use num_bigint::BigInt;

use crate::bytecode::Code;
use crate::value::{Oid, Value};
use crate::vm::ProcessId;

/// An object in the heap.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) class: Oid,
    pub(crate) marked: bool,
    pub(crate) slots: Box<[Value]>,
    pub(crate) body: Body,
}

/// What an object has beside its named slots.
#[derive(Debug)]
pub(crate) enum Body {
    /// Not an object: a free place in the heap.
    Free,
    /// Nothing.
    None,
    /// Indexed elements.
    Values(Vec<Value>),
    /// Indexed bytes.
    Bytes(Vec<u8>),
    /// The characters of a String or Symbol.
    Text(Vec<char>),
    /// An integer outside the 64-bit range.
    Integer(BigInt),
    /// A closure.
    Block(Box<Block>),
    /// A compiled method.
    Method(Rc<Code>),
    /// A class or metaclass.
    Class(Box<Class>),
    /// A semaphore.
    Semaphore(Box<Semaphore>),
}

/// A closure.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) code: Rc<Code>,
    /// `self` inside.
    pub(crate) receiver: Value,
    /// The captured variables of the scopes outside.
    pub(crate) env: Option<Oid>,
    /// The frame that `^` returns from.
    pub(crate) home: u64,
}

/// A semaphore's state.
#[derive(Debug, Default)]
pub(crate) struct Semaphore {
    pub(crate) signals: u64,
    pub(crate) waiting: VecDeque<ProcessId>,
}

/// What the instances of a class look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Named slots only.
    Slots,
    /// Elements of any kind.
    Values,
    /// Bytes.
    Bytes,
    /// Characters.
    Text,
    /// A semaphore.
    Semaphore,
    /// Made by the VM alone: numbers, symbols, blocks, classes.
    Native,
}

/// A class or a metaclass.
#[derive(Debug)]
pub(crate) struct Class {
    /// The name; for a metaclass that of its instance, without ` class`.
    pub(crate) name: String,
    pub(crate) superclass: Option<Oid>,
    pub(crate) subclasses: Vec<Oid>,
    /// Symbol → method.
    pub(crate) methods: HashMap<Oid, Oid>,
    /// Names of the own slots.
    pub(crate) own_slots: Vec<String>,
    /// Names of all slots, inherited ones first.
    pub(crate) all_slots: Vec<String>,
    pub(crate) format: Format,
    /// Name → binding.
    pub(crate) class_vars: BTreeMap<String, Oid>,
    pub(crate) comment: String,
    pub(crate) package: String,
    pub(crate) tag: String,
    /// For a metaclass: the class it belongs to.
    pub(crate) instance_side: Option<Oid>,
    pub(crate) is_system: bool,
}

impl Default for Object {
    fn default() -> Self {
        Self::with_body(Oid(0), 0, Body::Free)
    }
}

impl Object {
    /// An object without a body.
    pub(crate) fn plain(class: Oid, slots: usize) -> Self {
        Self::with_body(class, slots, Body::None)
    }

    /// An object with `slots` slots that hold nil.
    pub(crate) fn with_body(class: Oid, slots: usize, body: Body) -> Self {
        Self {
            class,
            marked: false,
            slots: vec![Value::Nil; slots].into_boxed_slice(),
            body,
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        /// The struct itself and the allocator's overhead for its parts.
        const HEADER: usize = 80;
        /// A class, a block or a method counts flat: there are few large ones.
        const NATIVE: usize = 200;
        let body = match &self.body {
            Body::Free => return 0,
            Body::None => 0,
            Body::Values(values) => values.len() * size_of::<Value>(),
            Body::Bytes(bytes) => bytes.len(),
            Body::Text(chars) => chars.len() * size_of::<char>(),
            Body::Integer(integer) => usize::try_from(integer.bits() / 8).unwrap_or(usize::MAX),
            Body::Block(_) => size_of::<Block>(),
            Body::Method(_) | Body::Class(_) => NATIVE,
            Body::Semaphore(semaphore) => size_of::<Semaphore>() + semaphore.waiting.len() * 8,
        };
        HEADER + self.slots.len() * size_of::<Value>() + body
    }
}
