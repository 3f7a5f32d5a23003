//! The fields of an object, for inspectors: slots, elements, and what the collections of the class
//! library hold. Nothing here runs Smalltalk code, so the layouts of those collections are known
//! by the names of their slots.

use super::{Field, FieldKind, Vm};
use crate::object::Body;
use crate::primitives::float_text;
use crate::value::{Oid, Value};

/// Characters of a key in a field's name.
const KEY_CHARS: usize = 100;

/// What an object holds beside its slots.
enum Elements {
    /// By number.
    Indexed(Vec<Value>),
    /// By key.
    Keyed(Vec<(Value, Value)>),
}

impl Vm {
    /// The fields of `value` from `offset` on, at most `limit`, and how many there are in all.
    /// Named instance variables first, then elements: of an Array and its like, of an
    /// OrderedCollection, a Set, and the values of a Dictionary by key.
    #[must_use]
    pub fn fields(&self, value: Value, offset: usize, limit: usize) -> (Vec<Field>, usize) {
        let slots = self.slots(value);
        let elements = self.elements(value);
        let total = slots.len() + elements.len();
        let slots = slots
            .into_iter()
            .map(|(name, value)| (name, FieldKind::InstanceVariable, value));
        let fields = slots
            .chain(elements.named(self))
            .skip(offset)
            .take(limit)
            .map(|(name, kind, value)| Field {
                name,
                kind,
                value,
                expandable: self.has_fields(value),
            })
            .collect();
        (fields, total)
    }

    /// The field of this name, key (as printed in `Field::name`) or index.
    #[must_use]
    pub fn field(&self, value: Value, name: &str) -> Option<Value> {
        let slot = self.slots(value).into_iter().find(|(slot, _)| slot == name);
        slot.map(|(_, value)| value).or_else(|| {
            let elements = self.elements(value);
            elements
                .named(self)
                .find(|(key, ..)| key == name)
                .map(|(.., value)| value)
        })
    }

    /// How many elements the object has (characters of a String, elements of a collection),
    /// 0 for an object without any.
    #[must_use]
    pub fn size(&self, value: Value) -> usize {
        self.elements(value).len()
    }

    fn has_fields(&self, value: Value) -> bool {
        let Value::Obj(oid) = value else { return false };
        let object = self.heap.get(oid);
        match &object.body {
            Body::Text(_) | Body::Integer(_) => false,
            Body::Values(values) => !values.is_empty() || !object.slots.is_empty(),
            Body::Bytes(bytes) => !bytes.is_empty(),
            _ => !object.slots.is_empty(),
        }
    }

    fn slots(&self, value: Value) -> Vec<(String, Value)> {
        let Value::Obj(oid) = value else {
            return Vec::new();
        };
        let object = self.heap.get(oid);
        let names = self
            .heap
            .class(object.class)
            .map(|class| class.all_slots.as_slice());
        let names = names.unwrap_or_default().iter().cloned();
        names.zip(object.slots.iter().copied()).collect()
    }

    fn slot_named(&self, oid: Oid, name: &str) -> Value {
        let index = self.slot_index(self.heap.get(oid).class, name);
        index.map_or(Value::Nil, |index| self.heap.slot(oid, index.into()))
    }

    fn is_a(&self, oid: Oid, class: &str) -> bool {
        let class = self.class_named(class);
        class.is_some_and(|class| self.inherits(self.heap.get(oid).class, class))
    }

    fn elements(&self, value: Value) -> Elements {
        let Value::Obj(oid) = value else {
            return Elements::Indexed(Vec::new());
        };
        let byte = |byte: &u8| Value::Int((*byte).into());
        Elements::Indexed(match &self.heap.get(oid).body {
            Body::Values(values) => values.clone(),
            Body::Text(text) => text.iter().copied().map(Value::Char).collect(),
            Body::Bytes(bytes) => bytes.iter().map(byte).collect(),
            Body::None if self.is_a(oid, "OrderedCollection") => self.ordered(oid),
            Body::None if self.is_a(oid, "Dictionary") => return Elements::Keyed(self.keyed(oid)),
            Body::None if self.is_a(oid, "Set") => self.hashed(oid),
            _ => Vec::new(),
        })
    }

    fn ordered(&self, oid: Oid) -> Vec<Value> {
        let array = self
            .array_elements(self.slot_named(oid, "array"))
            .unwrap_or_default();
        let index = |name| match self.slot_named(oid, name) {
            Value::Int(index) => usize::try_from(index).unwrap_or_default(),
            _ => 0,
        };
        let (first, last) = (index("firstIndex").max(1) - 1, index("lastIndex"));
        array.get(first..last).unwrap_or_default().to_vec()
    }

    /// The occupied places of a hashed collection.
    fn hashed(&self, oid: Oid) -> Vec<Value> {
        let places = self
            .array_elements(self.slot_named(oid, "array"))
            .unwrap_or_default();
        let element = |value: Value| match value {
            // A set wraps nil, which means an empty place by itself.
            Value::Obj(wrapper) if self.is_a(wrapper, "CollectionElement") => {
                self.heap.slot(wrapper, 0)
            }
            other => other,
        };
        places
            .into_iter()
            .filter(|place| !place.is_nil())
            .map(element)
            .collect()
    }

    fn keyed(&self, oid: Oid) -> Vec<(Value, Value)> {
        let pair = |value: Value| match value {
            Value::Obj(pair) => {
                Some((self.slot_named(pair, "key"), self.slot_named(pair, "value")))
            }
            _ => None,
        };
        self.hashed(oid).into_iter().filter_map(pair).collect()
    }

    /// What a key looks like, as far as it can be told without running code.
    fn key_text(&self, key: Value) -> String {
        match key {
            Value::Nil => "nil".to_owned(),
            Value::True => "true".to_owned(),
            Value::False => "false".to_owned(),
            Value::Int(integer) => integer.to_string(),
            Value::Float(float) => float_text(float),
            Value::Char(character) => format!("${character}"),
            Value::Obj(oid) => {
                let Some(text) = self.string_value(key) else {
                    return format!("a {} ({})", self.class_name_of(key), oid.0);
                };
                let text: String = text.chars().take(KEY_CHARS).collect();
                let is_symbol = self.heap.get(oid).class == self.known.symbol;
                if is_symbol {
                    format!("#{text}")
                } else {
                    format!("'{text}'")
                }
            }
        }
    }
}

impl Elements {
    fn len(&self) -> usize {
        match self {
            Self::Indexed(values) => values.len(),
            Self::Keyed(pairs) => pairs.len(),
        }
    }

    fn named(self, vm: &Vm) -> Box<dyn Iterator<Item = (String, FieldKind, Value)> + '_> {
        match self {
            Self::Indexed(values) => {
                let number = |(index, value)| (format!("{}", index + 1), FieldKind::Index, value);
                Box::new(values.into_iter().enumerate().map(number))
            }
            Self::Keyed(pairs) => {
                let key = |(key, value)| (vm.key_text(key), FieldKind::Key, value);
                Box::new(pairs.into_iter().map(key))
            }
        }
    }
}
