//! The heap: an arena of objects with a free list, byte accounting and a mark-and-sweep
//! collector.
//!
//! The heap knows no roots: whoever collects marks them first (`vm/roots.rs`). Nothing is ever
//! collected while a primitive runs, so primitives hold plain `Value`s without care.

use std::collections::HashMap;

use crate::bytecode::Code;
use crate::object::{Body, Class, Object};
use crate::value::{Oid, Value};

/// Objects and symbols.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    objects: Vec<Object>,
    free: Vec<Oid>,
    bytes: usize,
    /// Bytes allocated since the last collection.
    pub(crate) fresh_bytes: usize,
    /// Objects allocated since the last collection.
    pub(crate) fresh_objects: usize,
    pub(crate) collections: u64,
    symbols: HashMap<Box<str>, Oid>,
    /// Reached, not yet traced.
    grey: Vec<Oid>,
    /// Stands for what is not there any more.
    nothing: Object,
}

impl Heap {
    /// Takes an object in.
    pub(crate) fn add(&mut self, object: Object) -> Oid {
        let bytes = object.bytes();
        self.bytes += bytes;
        self.fresh_bytes += bytes;
        self.fresh_objects += 1;
        if let Some(oid) = self.free.pop() {
            self.objects[oid.index()] = object;
            return oid;
        }
        // 2^32 objects would take 340 GB: the heap limit strikes long before.
        let oid = Oid(u32::try_from(self.objects.len()).unwrap_or(u32::MAX));
        self.objects.push(object);
        oid
    }

    /// The object at `oid`. For one that was collected, which somebody held without a pin, a free
    /// place or another object: never a panic.
    #[inline]
    pub(crate) fn get(&self, oid: Oid) -> &Object {
        self.objects.get(oid.index()).unwrap_or(&self.nothing)
    }

    /// The object at `oid`, to be changed. Its size must not change: see `resize`.
    #[inline]
    pub(crate) fn get_mut(&mut self, oid: Oid) -> &mut Object {
        self.objects
            .get_mut(oid.index())
            .unwrap_or(&mut self.nothing)
    }

    /// Replaces slots and body of an object, counting its bytes anew.
    pub(crate) fn replace(&mut self, oid: Oid, slots: Box<[Value]>) {
        let object = self.get_mut(oid);
        let before = object.bytes();
        object.slots = slots;
        let after = object.bytes();
        self.bytes = self.bytes.saturating_sub(before) + after;
    }

    /// The class at `oid`.
    #[inline]
    pub(crate) fn class(&self, oid: Oid) -> Option<&Class> {
        match &self.get(oid).body {
            Body::Class(class) => Some(class),
            _ => None,
        }
    }

    /// The class at `oid`, to be changed.
    pub(crate) fn class_mut(&mut self, oid: Oid) -> Option<&mut Class> {
        match &mut self.get_mut(oid).body {
            Body::Class(class) => Some(class),
            _ => None,
        }
    }

    /// A slot; nil when the object has none there.
    #[inline]
    pub(crate) fn slot(&self, oid: Oid, index: usize) -> Value {
        self.get(oid).slots.get(index).copied().unwrap_or_default()
    }

    /// Sets a slot; nothing happens when the object has none there.
    #[inline]
    pub(crate) fn set_slot(&mut self, oid: Oid, index: usize, value: Value) {
        if let Some(slot) = self.get_mut(oid).slots.get_mut(index) {
            *slot = value;
        }
    }

    /// The symbol of this text, made by `make` (which gets the text's characters) when new.
    pub(crate) fn symbol(&mut self, text: &str, class: Oid) -> Oid {
        if let Some(oid) = self.symbols.get(text) {
            return *oid;
        }
        let object = Object::with_body(class, 0, Body::Text(text.chars().collect()));
        let oid = self.add(object);
        self.symbols.insert(text.into(), oid);
        oid
    }

    /// The symbol of this text if there is one.
    pub(crate) fn find_symbol(&self, text: &str) -> Option<Oid> {
        self.symbols.get(text).copied()
    }

    /// Every object that is there.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Oid, &Object)> {
        self.objects
            .iter()
            .enumerate()
            .filter_map(|(index, object)| match object.body {
                Body::Free => None,
                _ => Some((Oid(u32::try_from(index).unwrap_or(u32::MAX)), object)),
            })
    }

    /// Bytes of all objects that are there.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of all objects that are there.
    pub(crate) fn objects(&self) -> usize {
        self.objects.len() - self.free.len()
    }

    /// Marks a value as reached.
    #[inline]
    pub(crate) fn mark(&mut self, value: Value) {
        if let Value::Obj(oid) = value {
            self.mark_object(oid);
        }
    }

    /// Marks an object as reached.
    #[inline]
    pub(crate) fn mark_object(&mut self, oid: Oid) {
        if let Some(object) = self.objects.get_mut(oid.index())
            && !object.marked
        {
            object.marked = true;
            self.grey.push(oid);
        }
    }

    /// Marks what compiled code refers to, once per collection.
    pub(crate) fn mark_code(&mut self, code: &Code) {
        let epoch = self.collections + 1;
        if code.epoch.replace(epoch) == epoch {
            return;
        }
        self.mark_object(code.method_class);
        self.mark_object(code.selector);
        for literal in &code.literals {
            self.mark(*literal);
        }
        for site in &code.sites {
            self.mark_object(site.selector);
        }
        // Blocks nest as deep as the parser allows: bounded.
        for block in &code.blocks {
            self.mark_code(block);
        }
    }

    /// Marks everything reachable from what is marked so far.
    pub(crate) fn trace(&mut self) {
        while let Some(oid) = self.grey.pop() {
            let class = self.get(oid).class;
            self.mark_object(class);
            for index in 0..self.get(oid).slots.len() {
                self.mark(self.slot(oid, index));
            }
            self.trace_body(oid);
        }
    }

    fn trace_body(&mut self, oid: Oid) {
        // The body is taken out for the time of the walk, so that it can be read while marking.
        let body = std::mem::replace(&mut self.get_mut(oid).body, Body::None);
        match &body {
            Body::Values(values) => values.iter().for_each(|value| self.mark(*value)),
            Body::Block(block) => {
                self.mark(block.receiver);
                if let Some(env) = block.env {
                    self.mark_object(env);
                }
                self.mark_code(&block.code);
            }
            Body::Method(code) => self.mark_code(code),
            Body::Class(class) => self.trace_class(class),
            _ => {}
        }
        self.get_mut(oid).body = body;
    }

    fn trace_class(&mut self, class: &Class) {
        let subclasses = class.subclasses.iter().copied();
        let ends = class.superclass.into_iter().chain(class.instance_side);
        let bindings = class.class_vars.values().copied();
        for oid in ends.chain(subclasses).chain(bindings) {
            self.mark_object(oid);
        }
        for (selector, method) in &class.methods {
            self.mark_object(*selector);
            self.mark_object(*method);
        }
    }

    /// Cuts off the free places at the end, and gives the memory back when most of it is unused:
    /// one hungry evaluation must not make the image large for ever.
    fn give_back_the_end(&mut self) {
        const UNUSED_FACTOR: usize = 4;
        let last = self.objects.iter().rposition(|object| object.marked);
        let used = last.map_or(0, |index| index + 1);
        self.objects.truncate(used);
        if self.objects.capacity() > used * UNUSED_FACTOR {
            self.objects.shrink_to(used * 2);
        }
    }

    /// Frees what is not marked, and unmarks the rest. Symbols that nobody refers to go, too.
    pub(crate) fn sweep(&mut self) {
        let objects = &self.objects;
        let is_marked = |oid: &Oid| objects.get(oid.index()).is_some_and(|object| object.marked);
        self.symbols.retain(|_, oid| is_marked(oid));
        self.give_back_the_end();
        self.free.clear();
        self.bytes = 0;
        for (index, object) in self.objects.iter_mut().enumerate() {
            if object.marked {
                object.marked = false;
                self.bytes += object.bytes();
            } else {
                if !matches!(object.body, Body::Free) {
                    object.body = Body::Free;
                    object.slots = Box::default();
                }
                self.free
                    .push(Oid(u32::try_from(index).unwrap_or(u32::MAX)));
            }
        }
        // Low places first, so that a heap that shrank stays dense.
        self.free.reverse();
        self.fresh_bytes = 0;
        self.fresh_objects = 0;
        self.collections += 1;
    }
}
