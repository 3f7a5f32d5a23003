//! Names: symbols, globals, workspaces; and the objects that the VM makes most.
//!
//! A binding is an object of class LiteralVariable: slot 0 is the name, slot 1 the value.

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

use super::{Vm, WorkspaceId};
use crate::object::{Block, Body, Object};
use crate::value::{Oid, Value};

/// The slot of a binding that holds the value.
const BINDING_VALUE: usize = 1;

impl Vm {
    /// A workspace without variables.
    pub fn new_workspace(&mut self) -> WorkspaceId {
        self.last_workspace += 1;
        let id = WorkspaceId(self.last_workspace);
        self.workspaces.insert(id, Default::default());
        id
    }

    /// Forgets a workspace and its variables.
    pub fn drop_workspace(&mut self, workspace: WorkspaceId) {
        self.workspaces.remove(&workspace);
    }

    /// The variables of a workspace, sorted by name.
    #[must_use]
    pub fn variables(&self, workspace: WorkspaceId) -> Vec<(String, Value)> {
        let variables = self.workspaces.get(&workspace).into_iter().flatten();
        variables
            .map(|(name, binding)| (name.clone(), self.heap.slot(*binding, BINDING_VALUE)))
            .collect()
    }

    /// Sets a variable, declaring it when needed.
    pub fn set_variable(&mut self, workspace: WorkspaceId, name: &str, value: Value) {
        match self.workspace_binding(Some(workspace), name) {
            Some(binding) => self.heap.set_slot(binding, BINDING_VALUE, value),
            None => {
                let binding = self.new_binding(name, value);
                self.declare_variable(workspace, name, binding);
            }
        }
    }

    pub(super) fn declare_variable(&mut self, workspace: WorkspaceId, name: &str, binding: Oid) {
        if let Some(variables) = self.workspaces.get_mut(&workspace) {
            variables.insert(name.to_owned(), binding);
        }
    }

    /// Removes all variables; says how many there were.
    pub fn clear_variables(&mut self, workspace: WorkspaceId) -> usize {
        let variables = self.workspaces.get_mut(&workspace);
        variables.map_or(0, |variables| std::mem::take(variables).len())
    }

    pub(crate) fn workspace_binding(
        &self,
        workspace: Option<WorkspaceId>,
        name: &str,
    ) -> Option<Oid> {
        self.workspaces.get(&workspace?)?.get(name).copied()
    }

    /// A binding that nobody knows yet.
    pub(crate) fn new_binding(&mut self, name: &str, value: Value) -> Oid {
        let mut binding = Object::plain(self.known.literal_variable, 2);
        binding.slots[0] = Value::Obj(self.symbol(name));
        binding.slots[BINDING_VALUE] = value;
        self.allocate(binding)
    }

    pub(crate) fn binding_value(&self, binding: Value) -> Value {
        match binding {
            Value::Obj(oid) => self.heap.slot(oid, BINDING_VALUE),
            _ => Value::Nil,
        }
    }

    pub(crate) fn global_binding(&self, name: &str) -> Option<Oid> {
        self.globals.get(name).copied()
    }

    pub(crate) fn global_value(&self, name: &str) -> Option<Value> {
        self.globals
            .get(name)
            .map(|binding| self.heap.slot(*binding, BINDING_VALUE))
    }

    /// Sets a global, declaring it when needed. Methods that waited for the name see it, too.
    pub(crate) fn set_global(&mut self, name: &str, value: Value) {
        if let Some(binding) = self.globals.get(name) {
            return self.heap.set_slot(*binding, BINDING_VALUE, value);
        }
        let binding = match self.undeclared.remove(name) {
            Some(binding) => {
                self.heap.get_mut(binding).class = self.known.literal_variable;
                self.heap.set_slot(binding, BINDING_VALUE, value);
                binding
            }
            None => self.new_binding(name, value),
        };
        self.globals.insert(name.to_owned(), binding);
    }

    /// Removes a global; methods that use it find it undeclared.
    pub(crate) fn remove_global(&mut self, name: &str) -> bool {
        let Some(binding) = self.globals.remove(name) else {
            return false;
        };
        self.heap.get_mut(binding).class = self.known.undeclared_variable;
        self.heap.set_slot(binding, BINDING_VALUE, Value::Nil);
        self.undeclared.insert(name.to_owned(), binding);
        true
    }

    /// The binding that methods share for a name which is not declared yet.
    pub(crate) fn undeclared_binding(&mut self, name: &str) -> Oid {
        if let Some(binding) = self.undeclared.get(name) {
            return *binding;
        }
        let binding = self.new_binding(name, Value::Nil);
        self.heap.get_mut(binding).class = self.known.undeclared_variable;
        self.undeclared.insert(name.to_owned(), binding);
        binding
    }

    pub(crate) fn is_undeclared(&self, binding: Value) -> bool {
        match binding {
            Value::Obj(oid) => self.heap.get(oid).class == self.known.undeclared_variable,
            _ => false,
        }
    }

    /// Whether the binding names a class by its own name: such a global is not assigned.
    pub(crate) fn is_class_binding(&self, binding: Oid) -> bool {
        let name = self.string_value(self.heap.slot(binding, 0));
        match self.heap.slot(binding, BINDING_VALUE) {
            Value::Obj(oid) => self
                .heap
                .class(oid)
                .is_some_and(|c| Some(&c.name) == name.as_ref()),
            _ => false,
        }
    }

    pub(crate) fn class_named(&self, name: &str) -> Option<Oid> {
        match self.global_value(name)? {
            Value::Obj(oid) if self.heap.class(oid).is_some() => Some(oid),
            _ => None,
        }
    }

    /// The position of a slot in the instances of a class.
    pub(crate) fn slot_index(&self, class: Oid, name: &str) -> Option<u16> {
        let class = self.heap.class(class)?;
        let index = class.all_slots.iter().position(|slot| slot == name)?;
        u16::try_from(index).ok()
    }

    /// The binding of a class variable seen from `class` or its metaclass.
    pub(crate) fn class_variable(&self, class: Oid, name: &str) -> Option<Oid> {
        let instance_side = self.heap.class(class)?.instance_side.unwrap_or(class);
        let mut next = Some(instance_side);
        while let Some(class) = next.and_then(|oid| self.heap.class(oid)) {
            if let Some(binding) = class.class_vars.get(name) {
                return Some(*binding);
            }
            next = class.superclass;
        }
        None
    }

    /// A String object.
    pub fn new_string(&mut self, text: &str) -> Value {
        self.new_text(text.chars().collect())
    }

    pub(crate) fn new_text(&mut self, text: Vec<char>) -> Value {
        let object = Object::with_body(self.known.string, 0, Body::Text(text));
        Value::Obj(self.allocate(object))
    }

    /// A Symbol object.
    pub fn new_symbol(&mut self, text: &str) -> Value {
        Value::Obj(self.symbol(text))
    }

    pub(crate) fn symbol(&mut self, text: &str) -> Oid {
        let class = self.known.symbol;
        self.heap.symbol(text, class)
    }

    /// An Array object.
    pub fn new_array(&mut self, elements: Vec<Value>) -> Value {
        let object = Object::with_body(self.known.array, 0, Body::Values(elements));
        Value::Obj(self.allocate(object))
    }

    pub(crate) fn new_byte_array(&mut self, bytes: Vec<u8>) -> Value {
        let object = Object::with_body(self.known.byte_array, 0, Body::Bytes(bytes));
        Value::Obj(self.allocate(object))
    }

    /// An Integer object, small when it fits.
    pub(crate) fn new_integer(&mut self, integer: BigInt) -> Value {
        if let Some(small) = integer.to_i64() {
            return Value::Int(small);
        }
        let class = match integer.sign() {
            Sign::Minus => self.known.large_negative,
            _ => self.known.large_positive,
        };
        Value::Obj(self.allocate(Object::with_body(class, 0, Body::Integer(integer))))
    }

    /// The text of a String or Symbol.
    #[must_use]
    pub fn string_value(&self, value: Value) -> Option<String> {
        self.text(value).map(|text| text.iter().collect())
    }

    /// The characters of a String or Symbol.
    pub(crate) fn text(&self, value: Value) -> Option<&[char]> {
        match value {
            Value::Obj(oid) => match &self.heap.get(oid).body {
                Body::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The elements of an Array.
    #[must_use]
    pub fn array_elements(&self, value: Value) -> Option<Vec<Value>> {
        match value {
            Value::Obj(oid) => match &self.heap.get(oid).body {
                Body::Values(elements) => Some(elements.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn block(&self, value: Value) -> Option<&Block> {
        match value {
            Value::Obj(oid) => match &self.heap.get(oid).body {
                Body::Block(block) => Some(block),
                _ => None,
            },
            _ => None,
        }
    }

    /// The class of a value.
    #[inline]
    pub(crate) fn class_oid(&self, value: Value) -> Oid {
        match value {
            Value::Obj(oid) => self.heap.get(oid).class,
            Value::Int(_) => self.known.small_integer,
            Value::Nil => self.known.undefined_object,
            Value::True => self.known.true_class,
            Value::False => self.known.false_class,
            Value::Float(_) => self.known.float,
            Value::Char(_) => self.known.character,
        }
    }

    /// The name of the class of a value.
    pub(crate) fn class_name_of(&self, value: Value) -> String {
        self.name_of_class(self.class_oid(value))
    }

    /// `Foo` or `Foo class`.
    pub(crate) fn name_of_class(&self, class: Oid) -> String {
        match self.heap.class(class) {
            Some(class) if class.instance_side.is_some() => format!("{} class", class.name),
            Some(class) => class.name.clone(),
            None => String::new(),
        }
    }
}
