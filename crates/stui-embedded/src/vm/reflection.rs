//! Looking at values, classes and methods. Nothing here runs Smalltalk code.

use super::Vm;
use crate::value::{Oid, Value};

/// A class of this VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassRef(pub(crate) Oid);

/// What is known of a class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassInfo {
    /// Its name.
    pub name: String,
    /// Name of the superclass; `None` for the root.
    pub superclass: Option<String>,
    /// Its comment, empty when there is none.
    pub comment: String,
    /// Its package.
    pub package: String,
    /// Whether it came with the image.
    pub is_system: bool,
    /// Names of its own instance variables.
    pub instance_vars: Vec<String>,
    /// Names of its own class variables.
    pub class_vars: Vec<String>,
    /// Names of the instance variables of its class side.
    pub class_instance_vars: Vec<String>,
    /// Names of its direct subclasses, sorted.
    pub subclasses: Vec<String>,
    /// Names of its traits: always empty here.
    pub traits: Vec<String>,
}

/// What is known of a method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MethodInfo {
    /// `at:put:`
    pub selector: String,
    /// The text that was compiled.
    pub source: String,
    /// Its protocol.
    pub category: String,
    /// Whether it stands on the class side.
    pub is_class_method: bool,
    /// Names of the arguments.
    pub arguments: Vec<String>,
    /// The comment that opens the method, without its quotes; empty when there is none.
    pub comment: String,
    /// Name of the class it stands in (without ` class`).
    pub class_name: String,
}

/// What a field of an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A named instance variable.
    InstanceVariable,
    /// An element by number, from 1.
    Index,
    /// A value by key, of a dictionary.
    Key,
    /// Something else worth seeing.
    Property,
}

/// One field of an object.
#[derive(Debug, Clone)]
pub struct Field {
    /// Variable name, index, or print string of the key.
    pub name: String,
    /// What it is.
    pub kind: FieldKind,
    /// What it holds.
    pub value: Value,
    /// Whether it has fields itself.
    pub expandable: bool,
}

/// What to search methods for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Methods that send this selector.
    Senders(String),
    /// Methods with this selector.
    Implementors(String),
    /// Methods that name this class or global.
    References(String),
    /// Methods whose source holds this text.
    Source(String),
}

impl Vm {
    /// The class of `value`.
    #[must_use]
    pub fn class_of(&self, value: Value) -> ClassRef {
        let _ = value;
        ClassRef(Oid(0))
    }

    /// The name of a class; a metaclass is named `Foo class`.
    #[must_use]
    pub fn class_name(&self, class: ClassRef) -> String {
        let _ = class;
        String::new()
    }

    /// The class of this name.
    #[must_use]
    pub fn find_class(&self, name: &str) -> Option<ClassRef> {
        let _ = name;
        None
    }

    /// All classes, sorted by name.
    #[must_use]
    pub fn classes(&self) -> Vec<ClassInfo> {
        Vec::new()
    }

    /// One class.
    #[must_use]
    pub fn class_info(&self, class: ClassRef) -> ClassInfo {
        let _ = class;
        ClassInfo::default()
    }

    /// The methods of one side of a class, sorted by selector.
    #[must_use]
    pub fn methods(&self, class: ClassRef, meta: bool) -> Vec<MethodInfo> {
        let _ = (class, meta);
        Vec::new()
    }

    /// One method that stands in this class itself.
    #[must_use]
    pub fn method(&self, class: ClassRef, meta: bool, selector: &str) -> Option<MethodInfo> {
        let _ = (class, meta, selector);
        None
    }

    /// Methods that match, sorted by class and selector; at most `limit`.
    #[must_use]
    pub fn search(&self, search: &Search, limit: usize) -> Vec<MethodInfo> {
        let _ = (search, limit);
        Vec::new()
    }

    /// Names of all globals (classes among them), sorted.
    #[must_use]
    pub fn globals(&self) -> Vec<String> {
        Vec::new()
    }

    /// All selectors that some class implements, sorted.
    #[must_use]
    pub fn selectors(&self) -> Vec<String> {
        Vec::new()
    }

    /// The selectors that instances of `class` understand, sorted.
    #[must_use]
    pub fn selectors_of(&self, class: ClassRef) -> Vec<String> {
        let _ = class;
        Vec::new()
    }

    /// The fields of `value` from `offset` on, at most `limit`, and how many there are in all.
    /// Named instance variables first, then elements: of an Array and its like, of an
    /// OrderedCollection, a Set, and the values of a Dictionary by key.
    #[must_use]
    pub fn fields(&self, value: Value, offset: usize, limit: usize) -> (Vec<Field>, usize) {
        let _ = (value, offset, limit);
        (Vec::new(), 0)
    }

    /// The field of this name, key (as printed in `Field::name`) or index.
    #[must_use]
    pub fn field(&self, value: Value, name: &str) -> Option<Value> {
        let _ = (value, name);
        None
    }

    /// The identity hash.
    #[must_use]
    pub fn identity_hash(&self, value: Value) -> u64 {
        let _ = value;
        0
    }

    /// How many elements the object has (characters of a String, elements of a collection),
    /// 0 for an object without any.
    #[must_use]
    pub fn size(&self, value: Value) -> usize {
        let _ = value;
        0
    }
}
