//! Writing: objects get numbers in the order in which they are reached.

use std::collections::HashMap;

use super::{MARK, Unsaveable, kind, tag};
use crate::object::{Body, Object};
use crate::value::{Oid, Value};
use crate::vm::Vm;

/// Classes whose instances mean nothing outside their image.
const BOUND_TO_THE_IMAGE: [&str; 5] = ["Context", "Process", "Delay", "Mutex", "SharedQueue"];

pub(super) struct Writer<'v> {
    vm: &'v Vm,
    max_bytes: usize,
    numbers: HashMap<Oid, u32>,
    /// Numbered, in order; those from `written` on are still to be written.
    objects: Vec<Oid>,
    classes: HashMap<Oid, u32>,
    class_table: Vec<u8>,
    out: Vec<u8>,
}

type Written<T = ()> = Result<T, Unsaveable>;

fn refuse<T>(reason: impl Into<String>) -> Written<T> {
    Err(Unsaveable {
        reason: reason.into(),
    })
}

impl<'v> Writer<'v> {
    pub(super) fn new(vm: &'v Vm, max_bytes: usize) -> Self {
        Self {
            vm,
            max_bytes,
            numbers: HashMap::new(),
            objects: Vec::new(),
            classes: HashMap::new(),
            class_table: Vec::new(),
            out: Vec::new(),
        }
    }

    pub(super) fn graph(mut self, value: Value) -> Written<Vec<u8>> {
        let mut root = Vec::new();
        self.value(&mut root, value);
        let mut next = 0;
        while let Some(oid) = self.objects.get(next).copied() {
            self.object(oid)?;
            next += 1;
            if self.out.len() + self.class_table.len() > self.max_bytes {
                return refuse(format!("it is larger than {} bytes", self.max_bytes));
            }
        }
        let mut bytes = MARK.to_vec();
        number(&mut bytes, self.classes.len());
        bytes.extend(self.class_table);
        number(&mut bytes, self.objects.len());
        bytes.extend(self.out);
        bytes.extend(root);
        if bytes.len() > self.max_bytes {
            return refuse(format!("it is larger than {} bytes", self.max_bytes));
        }
        Ok(bytes)
    }

    fn value(&mut self, out: &mut Vec<u8>, value: Value) {
        match value {
            Value::Nil => out.push(tag::NIL),
            Value::True => out.push(tag::TRUE),
            Value::False => out.push(tag::FALSE),
            Value::Int(integer) => {
                out.push(tag::INT);
                out.extend(integer.to_le_bytes());
            }
            Value::Float(float) => {
                out.push(tag::FLOAT);
                out.extend(float.to_bits().to_le_bytes());
            }
            Value::Char(character) => {
                out.push(tag::CHAR);
                out.extend(u32::from(character).to_le_bytes());
            }
            Value::Obj(oid) => {
                out.push(tag::OBJECT);
                let new = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
                let number = *self.numbers.entry(oid).or_insert(new);
                if number == new {
                    self.objects.push(oid);
                }
                out.extend(number.to_le_bytes());
            }
        }
    }

    fn values(&mut self, out: &mut Vec<u8>, values: &[Value]) -> Written {
        number(out, values.len());
        for value in values {
            self.value(out, *value);
            if out.len() > self.max_bytes {
                return refuse(format!("it is larger than {} bytes", self.max_bytes));
            }
        }
        Ok(())
    }

    fn object(&mut self, oid: Oid) -> Written {
        let vm = self.vm;
        let object = vm.heap.get(oid);
        if let Some(name) = vm.global_name(oid) {
            return self.named(kind::GLOBAL, &name);
        }
        let mut out = std::mem::take(&mut self.out);
        let written = match &object.body {
            Body::Text(text) if object.class == vm.known.symbol => {
                let text: String = text.iter().collect();
                out.push(kind::SYMBOL);
                string(&mut out, &text);
                Ok(())
            }
            Body::Class(class) => match class.instance_side {
                Some(class) if vm.global_name(class).is_some() => {
                    out.push(kind::METACLASS);
                    string(&mut out, &vm.global_name(class).unwrap_or_default());
                    Ok(())
                }
                _ => refuse(format!("it holds the removed class {}", class.name)),
            },
            _ => self.instance(&mut out, object),
        };
        self.out = out;
        written
    }

    fn named(&mut self, kind: u8, name: &str) -> Written {
        self.out.push(kind);
        string(&mut self.out, name);
        Ok(())
    }

    fn instance(&mut self, out: &mut Vec<u8>, object: &Object) -> Written {
        let class = self.class(object.class)?;
        let kind = match &object.body {
            Body::None => kind::SLOTS,
            Body::Values(_) => kind::VALUES,
            Body::Bytes(_) => kind::BYTES,
            Body::Text(_) => kind::TEXT,
            Body::Integer(_) => kind::INTEGER,
            _ => {
                return refuse(format!(
                    "it holds a {}",
                    self.vm.name_of_class(object.class)
                ));
            }
        };
        out.push(kind);
        out.extend(class.to_le_bytes());
        self.values(out, &object.slots)?;
        match &object.body {
            Body::Values(values) => self.values(out, values)?,
            Body::Bytes(bytes) => bytes_of(out, bytes),
            Body::Text(text) => string(out, &text.iter().collect::<String>()),
            Body::Integer(integer) => bytes_of(out, &integer.to_signed_bytes_le()),
            _ => {}
        }
        Ok(())
    }

    /// The number of a class in the table; its name and slots are written once.
    fn class(&mut self, class: Oid) -> Written<u32> {
        if let Some(number) = self.classes.get(&class) {
            return Ok(*number);
        }
        let vm = self.vm;
        let name = vm.name_of_class(class);
        if vm.global_name(class).is_none() {
            return refuse(format!("it holds an instance of the removed class {name}"));
        }
        let is_bound = |bound: &&str| vm.class_named(bound).is_some_and(|b| vm.inherits(class, b));
        if BOUND_TO_THE_IMAGE.iter().any(is_bound) {
            return refuse(format!("it holds a {name}"));
        }
        let slots = vm
            .heap
            .class(class)
            .map(|class| class.all_slots.clone())
            .unwrap_or_default();
        string(&mut self.class_table, &name);
        number(&mut self.class_table, slots.len());
        for slot in slots {
            string(&mut self.class_table, &slot);
        }
        let number = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.classes.insert(class, number);
        Ok(number)
    }
}

impl Vm {
    /// The name of the global that holds this class, or this only instance of its class
    /// (`Transcript` and its like).
    fn global_name(&self, oid: Oid) -> Option<String> {
        const SINGLETONS: [&str; 3] = ["Smalltalk", "Transcript", "Processor"];
        let holds = |name: &str| {
            self.global_value(name)
                .is_some_and(|value| value.identical(Value::Obj(oid)))
        };
        match &self.heap.get(oid).body {
            Body::Class(class) if class.instance_side.is_none() => {
                holds(&class.name).then(|| class.name.clone())
            }
            _ => SINGLETONS
                .iter()
                .find(|name| holds(name))
                .map(|name| (*name).to_owned()),
        }
    }
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn bytes_of(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend(bytes);
}

fn string(out: &mut Vec<u8>, text: &str) {
    bytes_of(out, text.as_bytes());
}
