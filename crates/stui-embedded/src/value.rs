//! Values: what a variable of the embedded Smalltalk holds.
//!
//! A value is a plain copyable word pair. Small integers, floats, characters and the three
//! singletons are immediate; everything else is an index into the heap (`heap.rs`). A `Value`
//! kept outside the heap does not keep its object alive: pin it (`Vm::pin`) when it must live.

/// Index of an object in the heap of one VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(pub(crate) u32);

impl Oid {
    /// The index as a number, for tables.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One Smalltalk value.
#[derive(Debug, Clone, Copy, Default)]
pub enum Value {
    /// `nil`
    #[default]
    Nil,
    /// `true`
    True,
    /// `false`
    False,
    /// A SmallInteger: the 64-bit range. Larger ones are heap objects.
    Int(i64),
    /// A Float.
    Float(f64),
    /// A Character.
    Char(char),
    /// Anything else.
    Obj(Oid),
}

impl Value {
    /// The Boolean object for `truth`.
    #[must_use]
    pub fn from_bool(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }

    /// Whether this is the same object (`==`). Floats are the same when their bits are.
    #[must_use]
    pub fn identical(self, other: Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) | (Self::True, Self::True) | (Self::False, Self::False) => true,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::Obj(a), Self::Obj(b)) => a == b,
            _ => false,
        }
    }

    /// Whether this is `nil`.
    #[must_use]
    pub fn is_nil(self) -> bool {
        matches!(self, Self::Nil)
    }
}
