//! Value graphs as bytes, for contexts on disk.
//!
//! Structural: identity is kept within one graph. Instances are saved by class name and slot
//! names, so that they survive a change of their class; classes and the few other globals by
//! name. Layout of the bytes, all numbers little endian: the mark, the table of classes, the
//! table of objects, the value.

mod reading;
mod writing;

use std::time::Duration;

use thiserror::Error;

use super::Vm;
use crate::value::{Oid, Value};

/// First bytes of a saved value; the last one counts versions.
const MARK: &[u8; 4] = b"SGV\x01";

/// Time for one hashed collection to find its elements' new places.
const REHASH_BUDGET: Duration = Duration::from_secs(2);

/// What a record of the table of objects is.
mod kind {
    pub(super) const SLOTS: u8 = 0;
    pub(super) const VALUES: u8 = 1;
    pub(super) const BYTES: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const INTEGER: u8 = 4;
    pub(super) const SYMBOL: u8 = 5;
    pub(super) const GLOBAL: u8 = 6;
    pub(super) const METACLASS: u8 = 7;
}

/// What a value is.
mod tag {
    pub(super) const NIL: u8 = 0;
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const CHAR: u8 = 5;
    pub(super) const OBJECT: u8 = 6;
}

/// Why a value cannot be saved; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Unsaveable {
    /// What is in the way, `it holds a BlockClosure`.
    pub reason: String,
}

/// Why bytes could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The bytes are not what `Vm::dump` writes.
    #[error("the saved value is damaged: {0}")]
    Damaged(&'static str),
    /// A class or global of the saved graph is not in the image.
    #[error("{0} is not in the image")]
    ClassMissing(String),
    /// The heap has no room for it.
    #[error("the image has no room for the saved value")]
    NoRoom,
}

impl Vm {
    /// Writes the graph of `value`, at most `max_bytes`.
    ///
    /// # Errors
    /// When it holds a block, a process or the like, or is larger than `max_bytes`.
    pub fn dump(&self, value: Value, max_bytes: usize) -> Result<Vec<u8>, Unsaveable> {
        writing::Writer::new(self, max_bytes).graph(value)
    }

    /// Reads a graph written by `dump`. Hashed collections in it are put in order by their own
    /// `rehash`, since identity hashes change.
    ///
    /// # Errors
    /// See `LoadError`; nothing is left behind then.
    pub fn load(&mut self, bytes: &[u8]) -> Result<Value, LoadError> {
        if !self.has_room(bytes.len()) {
            self.collect();
            if !self.has_room(bytes.len()) {
                return Err(LoadError::NoRoom);
            }
        }
        let (value, objects) = reading::Reader::new(bytes)?.graph(self)?;
        self.rehash(value, &objects);
        Ok(value)
    }

    fn rehash(&mut self, value: Value, objects: &[Oid]) {
        let Some(hashed) = self.class_named("HashedCollection") else {
            return;
        };
        let is_hashed = |oid: &&Oid| self.inherits(self.heap.get(**oid).class, hashed);
        let collections: Vec<Oid> = objects.iter().filter(is_hashed).copied().collect();
        // All of them are reached from the value: with it they live through the calls.
        let pin = self.pin(value);
        for collection in collections {
            // One that cannot be rehashed is still readable element by element.
            let _ = self.call(Value::Obj(collection), "rehash", &[], REHASH_BUDGET);
        }
        self.unpin(pin);
    }
}
