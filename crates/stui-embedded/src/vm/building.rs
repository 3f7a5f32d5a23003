//! Making and changing classes. Methods are in `methods`.
//!
//! A class is one object, its metaclass another; both have a native body. When the slots of a
//! class change, its instances and those of its subclasses are rebuilt slot by slot by name, and
//! their methods are compiled anew.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::{ChangeError, ClassDefinition, ClassRef, Vm};
use crate::object::{Body, Class, Format, Object};
use crate::value::{Oid, Value};
use crate::vm::known::NATIVE;

/// Slots that one class may have in all.
const MAX_SLOTS: usize = 1000;

/// What a class is to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) superclass: Option<Oid>,
    /// `None` inherits it.
    pub(crate) format: Option<Format>,
    pub(crate) slots: Vec<String>,
    pub(crate) class_vars: Vec<String>,
    /// `None` leaves them as they are.
    pub(crate) class_slots: Option<Vec<String>>,
    /// `None` leaves it as it is.
    pub(crate) package: Option<String>,
    pub(crate) tag: String,
    pub(crate) is_system: bool,
}

impl Vm {
    /// Defines a class, or redefines it: then its instances keep the slots that are left.
    ///
    /// # Errors
    /// When the superclass is missing or a name is refused.
    pub fn define_class(&mut self, definition: &ClassDefinition) -> Result<ClassRef, ChangeError> {
        let superclass = self
            .class_named(&definition.superclass)
            .ok_or_else(|| ChangeError::NoSuchClass(definition.superclass.clone()))?;
        let definition = Definition {
            name: definition.name.clone(),
            superclass: Some(superclass),
            slots: definition.slots.clone(),
            class_vars: definition.class_vars.clone(),
            class_slots: Some(definition.class_slots.clone()),
            package: Some(definition.package.clone()),
            ..Definition::default()
        };
        self.check_definition(&definition)
            .map_err(ChangeError::Refused)?;
        Ok(ClassRef(self.build_class(definition)))
    }

    /// Why a definition that comes from a user is refused.
    pub(crate) fn check_definition(&self, definition: &Definition) -> Result<(), String> {
        let name = &definition.name;
        if !is_name(name) || !name.starts_with(char::is_uppercase) {
            return Err(format!(
                "{name} is no name for a class: it must begin with a capital"
            ));
        }
        if NATIVE.iter().any(|native| native.name == name) {
            return Err(format!(
                "{name} is built into the embedded image: subclass it instead"
            ));
        }
        let existing = self.class_named(name);
        if existing.is_none() && self.global_value(name).is_some_and(|value| !value.is_nil()) {
            return Err(format!("{name} is taken by a global that is no class"));
        }
        let superclass = definition.superclass;
        let mut above = superclass;
        while let Some(class) = above {
            if Some(class) == existing {
                return Err(format!("{name} cannot be its own superclass"));
            }
            above = self.heap.class(class).and_then(|class| class.superclass);
        }
        let inherited = superclass.and_then(|class| self.heap.class(class));
        let mut all = inherited
            .map(|class| class.all_slots.clone())
            .unwrap_or_default();
        all.extend(definition.slots.iter().cloned());
        check_slots(name, &all)?;
        let class_slots = definition.class_slots.clone().unwrap_or_default();
        check_slots(name, &class_slots)?;
        match definition
            .class_vars
            .iter()
            .find(|variable| !is_name(variable))
        {
            Some(variable) => Err(format!("{variable} is no name for a variable")),
            None => Ok(()),
        }
    }

    /// Makes or changes the class of this name. The definition has been checked.
    pub(crate) fn build_class(&mut self, definition: Definition) -> Oid {
        let class = match self.class_named(&definition.name) {
            Some(class) => class,
            None => self.new_class(&definition.name, definition.is_system),
        };
        self.set_global(&definition.name, Value::Obj(class));
        let metaclass = self.heap.get(class).class;
        let meta_superclass = match definition.superclass {
            Some(superclass) => self.heap.get(superclass).class,
            None => self.known.class,
        };
        let inherited = definition
            .superclass
            .and_then(|class| self.heap.class(class));
        let format = definition
            .format
            .or(inherited.map(|class| class.format))
            .unwrap_or(Format::Slots);
        self.set_class_vars(class, &definition.class_vars);
        if let Some(body) = self.heap.class_mut(class) {
            body.format = format;
            body.own_slots = definition.slots;
            body.tag = definition.tag;
            body.package = definition
                .package
                .unwrap_or_else(|| std::mem::take(&mut body.package));
        }
        if let (Some(slots), Some(body)) = (definition.class_slots, self.heap.class_mut(metaclass))
        {
            body.own_slots = slots;
        }
        self.set_superclass(class, definition.superclass);
        self.set_superclass(metaclass, Some(meta_superclass));
        self.reshape(class);
        self.reshape(metaclass);
        self.flush_cache();
        class
    }

    /// A class and its metaclass, not yet in the globals, under no superclass.
    pub(crate) fn new_class(&mut self, name: &str, is_system: bool) -> Oid {
        let body = |instance_side: Option<Oid>| {
            Body::Class(Box::new(Class {
                name: name.to_owned(),
                superclass: None,
                subclasses: Vec::new(),
                methods: HashMap::new(),
                own_slots: Vec::new(),
                all_slots: Vec::new(),
                format: if instance_side.is_some() {
                    Format::Native
                } else {
                    Format::Slots
                },
                class_vars: BTreeMap::new(),
                comment: String::new(),
                package: String::new(),
                tag: String::new(),
                instance_side,
                is_system,
            }))
        };
        let class = self.allocate(Object::with_body(self.known.metaclass, 0, body(None)));
        let metaclass = self.allocate(Object::with_body(
            self.known.metaclass,
            0,
            body(Some(class)),
        ));
        self.heap.get_mut(class).class = metaclass;
        class
    }

    fn set_class_vars(&mut self, class: Oid, names: &[String]) {
        let old = self
            .heap
            .class_mut(class)
            .map(|body| std::mem::take(&mut body.class_vars));
        let mut old = old.unwrap_or_default();
        let mut kept = BTreeMap::new();
        for name in names {
            let binding = match old.remove(name) {
                Some(binding) => binding,
                None => self.new_binding(name, Value::Nil),
            };
            kept.insert(name.clone(), binding);
        }
        if let Some(body) = self.heap.class_mut(class) {
            body.class_vars = kept;
        }
    }

    fn set_superclass(&mut self, class: Oid, superclass: Option<Oid>) {
        let Some(body) = self.heap.class_mut(class) else {
            return;
        };
        let old = std::mem::replace(&mut body.superclass, superclass);
        if old == superclass {
            return;
        }
        if let Some(old) = old.and_then(|old| self.heap.class_mut(old)) {
            old.subclasses.retain(|subclass| *subclass != class);
        }
        if let Some(new) = superclass.and_then(|new| self.heap.class_mut(new)) {
            new.subclasses.push(class);
        }
    }

    /// Computes the slots of a class and its subclasses, and rebuilds what has changed.
    fn reshape(&mut self, class: Oid) {
        let mut changed = HashMap::new();
        let mut waiting = vec![class];
        while let Some(class) = waiting.pop() {
            let Some(body) = self.heap.class(class) else {
                continue;
            };
            let inherited = body
                .superclass
                .and_then(|superclass| self.heap.class(superclass));
            let mut slots = inherited
                .map(|class| class.all_slots.clone())
                .unwrap_or_default();
            slots.extend(body.own_slots.iter().cloned());
            // Within a class, the outcome is the same for all that stand below it.
            if slots != body.all_slots {
                waiting.extend(&body.subclasses);
                if let Some(body) = self.heap.class_mut(class) {
                    let old = std::mem::replace(&mut body.all_slots, slots);
                    changed.insert(class, old);
                }
            }
        }
        if !changed.is_empty() {
            self.migrate_instances(&changed);
            self.recompile(changed.keys().copied().collect());
        }
    }

    fn migrate_instances(&mut self, changed: &HashMap<Oid, Vec<String>>) {
        let instances: Vec<(Oid, Oid)> = self
            .heap
            .iter()
            .filter(|(_, object)| changed.contains_key(&object.class))
            .map(|(oid, object)| (oid, object.class))
            .collect();
        for (instance, class) in instances {
            let (Some(old), Some(body)) = (changed.get(&class), self.heap.class(class)) else {
                continue;
            };
            let value_of = |name: &String| {
                let index = old.iter().position(|slot| slot == name);
                index.map_or(Value::Nil, |index| self.heap.slot(instance, index))
            };
            let slots: Box<[Value]> = body.all_slots.iter().map(value_of).collect();
            self.heap.replace(instance, slots);
        }
    }

    /// Compiles the methods of these classes anew: the places of slots have changed.
    fn recompile(&mut self, classes: Vec<Oid>) {
        for class in classes {
            let Some(body) = self.heap.class(class) else {
                continue;
            };
            let methods: Vec<Oid> = body.methods.values().copied().collect();
            for method in methods {
                let Body::Method(code) = &self.heap.get(method).body else {
                    continue;
                };
                let (source, category) = (Rc::clone(&code.source), code.category.clone());
                // A method that used a slot which is gone keeps its old code: it reads nil there.
                let _ = self.install_method(class, &source, &category);
            }
        }
        self.flush_cache();
    }

    /// Sets the comment of a class.
    pub fn set_class_comment(&mut self, class: ClassRef, comment: &str) {
        if let Some(body) = self.heap.class_mut(class.0) {
            comment.clone_into(&mut body.comment);
        }
    }

    /// Removes a class from the globals; its instances live on.
    ///
    /// # Errors
    /// When it came with the image or has subclasses.
    pub fn remove_class(&mut self, class: ClassRef) -> Result<(), ChangeError> {
        let name = self.name_of_class(class.0);
        let refused = |why: &str| Err(ChangeError::Refused(format!("{name} {why}")));
        let Some(body) = self.heap.class(class.0) else {
            return Err(ChangeError::NoSuchClass(name));
        };
        if body.is_system {
            return refused("belongs to the image");
        }
        if !body.subclasses.is_empty() {
            return refused("has subclasses");
        }
        let metaclass = self.heap.get(class.0).class;
        for side in [class.0, metaclass] {
            let superclass = self.heap.class(side).and_then(|body| body.superclass);
            if let Some(above) = superclass.and_then(|above| self.heap.class_mut(above)) {
                above.subclasses.retain(|subclass| *subclass != side);
            }
        }
        self.remove_global(&name);
        Ok(())
    }

    /// The class itself or its metaclass.
    pub(crate) fn side(&self, class: ClassRef, meta: bool) -> Oid {
        let is_metaclass = self
            .heap
            .class(class.0)
            .is_some_and(|c| c.instance_side.is_some());
        if meta && !is_metaclass {
            self.heap.get(class.0).class
        } else {
            class.0
        }
    }
}

/// Whether it is an identifier.
fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || other == '_')
}

fn check_slots(class: &str, slots: &[String]) -> Result<(), String> {
    if slots.len() > MAX_SLOTS {
        return Err(format!(
            "{class} has more than {MAX_SLOTS} instance variables"
        ));
    }
    for (index, slot) in slots.iter().enumerate() {
        if !is_name(slot) || stui_smalltalk::ast::VariableKind::of(slot).is_pseudo() {
            return Err(format!("{slot} is no name for an instance variable"));
        }
        if slots[..index].contains(slot) {
            return Err(format!(
                "{class} would have two instance variables named {slot}"
            ));
        }
    }
    Ok(())
}
