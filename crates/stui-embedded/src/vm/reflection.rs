//! Looking at values, classes and methods. Nothing here runs Smalltalk code.

use stui_smalltalk::parse_method;

use super::Vm;
use crate::bytecode::Code;
use crate::object::{Body, Class};
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

impl Vm {
    /// The class of `value`.
    #[must_use]
    pub fn class_of(&self, value: Value) -> ClassRef {
        ClassRef(self.class_oid(value))
    }

    /// The name of a class; a metaclass is named `Foo class`.
    #[must_use]
    pub fn class_name(&self, class: ClassRef) -> String {
        self.name_of_class(class.0)
    }

    /// The class of this name.
    #[must_use]
    pub fn find_class(&self, name: &str) -> Option<ClassRef> {
        self.class_named(name).map(ClassRef)
    }

    /// All classes, sorted by name.
    #[must_use]
    pub fn classes(&self) -> Vec<ClassInfo> {
        self.all_classes()
            .map(|class| self.class_info(ClassRef(class)))
            .collect()
    }

    pub(super) fn all_classes(&self) -> impl Iterator<Item = Oid> {
        self.globals.keys().filter_map(|name| {
            let class = self.class_named(name)?;
            // A second name for a class is not another class.
            (self.heap.class(class)?.name == *name).then_some(class)
        })
    }

    /// One class.
    #[must_use]
    pub fn class_info(&self, class: ClassRef) -> ClassInfo {
        let Some(body) = self.heap.class(class.0) else {
            return ClassInfo::default();
        };
        let metaclass = self.heap.class(self.heap.get(class.0).class);
        let mut subclasses: Vec<_> = body
            .subclasses
            .iter()
            .map(|subclass| self.name_of_class(*subclass))
            .collect();
        subclasses.sort();
        ClassInfo {
            name: self.name_of_class(class.0),
            superclass: body
                .superclass
                .map(|superclass| self.name_of_class(superclass)),
            comment: body.comment.clone(),
            package: body.package.clone(),
            is_system: body.is_system,
            instance_vars: body.own_slots.clone(),
            class_vars: body.class_vars.keys().cloned().collect(),
            class_instance_vars: metaclass
                .map(|meta| meta.own_slots.clone())
                .unwrap_or_default(),
            subclasses,
            traits: Vec::new(),
        }
    }

    /// The methods of one side of a class, sorted by selector.
    #[must_use]
    pub fn methods(&self, class: ClassRef, meta: bool) -> Vec<MethodInfo> {
        let Some(body) = self.heap.class(self.side(class, meta)) else {
            return Vec::new();
        };
        let mut methods: Vec<_> = self
            .codes(body)
            .map(|code| self.method_info(body, code))
            .collect();
        methods.sort_by(|a, b| a.selector.cmp(&b.selector));
        methods
    }

    pub(super) fn codes<'v>(&'v self, class: &'v Class) -> impl Iterator<Item = &'v Code> {
        class
            .methods
            .values()
            .filter_map(|method| match &self.heap.get(*method).body {
                Body::Method(code) => Some(&**code),
                _ => None,
            })
    }

    pub(super) fn method_info(&self, class: &Class, code: &Code) -> MethodInfo {
        MethodInfo {
            selector: self.selector_text(code.selector),
            source: code.source.to_string(),
            category: code.category.clone(),
            is_class_method: class.instance_side.is_some(),
            arguments: code.names.iter().take(code.args.into()).cloned().collect(),
            comment: first_comment(&code.source),
            class_name: class.name.clone(),
        }
    }

    /// One method that stands in this class itself.
    #[must_use]
    pub fn method(&self, class: ClassRef, meta: bool, selector: &str) -> Option<MethodInfo> {
        let body = self.heap.class(self.side(class, meta))?;
        let method = body.methods.get(&self.heap.find_symbol(selector)?)?;
        match &self.heap.get(*method).body {
            Body::Method(code) => Some(self.method_info(body, code)),
            _ => None,
        }
    }

    /// Names of all globals (classes among them), sorted.
    #[must_use]
    pub fn globals(&self) -> Vec<String> {
        self.globals.keys().cloned().collect()
    }

    /// All selectors that some class implements, sorted.
    #[must_use]
    pub fn selectors(&self) -> Vec<String> {
        let sides = self
            .all_classes()
            .flat_map(|class| [class, self.heap.get(class).class]);
        let mut selectors: Vec<_> = sides.flat_map(|side| self.selectors_in(side)).collect();
        selectors.sort();
        selectors.dedup();
        selectors
    }

    /// The selectors that instances of `class` understand, sorted.
    #[must_use]
    pub fn selectors_of(&self, class: ClassRef) -> Vec<String> {
        let mut selectors = Vec::new();
        let mut next = Some(class.0);
        while let Some(oid) = next {
            selectors.extend(self.selectors_in(oid));
            next = self.heap.class(oid).and_then(|class| class.superclass);
        }
        selectors.sort();
        selectors.dedup();
        selectors
    }

    fn selectors_in(&self, class: Oid) -> Vec<String> {
        let symbols = self
            .heap
            .class(class)
            .into_iter()
            .flat_map(|class| class.methods.keys());
        symbols.map(|symbol| self.selector_text(*symbol)).collect()
    }

    /// The identity hash.
    #[must_use]
    pub fn identity_hash(&self, value: Value) -> u64 {
        match value {
            Value::Nil => 0,
            Value::False => 1,
            Value::True => 2,
            Value::Int(integer) => integer.unsigned_abs(),
            Value::Char(character) => u64::from(u32::from(character)),
            // Fewer bits than a small integer has.
            Value::Float(float) => float.to_bits() >> 4,
            // Objects do not move.
            Value::Obj(oid) => u64::from(oid.0) + 16,
        }
    }
}

/// The comment that opens a method, without its quotes.
fn first_comment(source: &str) -> String {
    let Ok(method) = parse_method(source) else {
        return String::new();
    };
    let text = method.comments.first().map_or("", |span| span.text(source));
    text.trim_matches('"').replace("\"\"", "\"")
}
