//! Reading: first all objects without contents, then what they hold, since they may hold each
//! other. Bytes come from a disk: nothing in them is trusted, and no count is reserved for before
//! that many bytes were seen.

use num_bigint::BigInt;

use super::{LoadError, MARK, kind, tag};
use crate::object::{Body, Format, Object};
use crate::value::{Oid, Value};
use crate::vm::Vm;

type Read<T> = Result<T, LoadError>;

pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

/// A class of the table: the class that is there now, and where its saved slots belong.
struct SavedClass {
    class: Oid,
    places: Vec<Option<usize>>,
}

/// What an object holds, values still as they are written.
struct Contents {
    object: Oid,
    slots: Vec<(usize, Saved)>,
    elements: Vec<Saved>,
}

/// A value; an object is a number in the table.
#[derive(Clone, Copy)]
enum Saved {
    Value(Value),
    Object(usize),
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Read<Self> {
        let rest = bytes
            .strip_prefix(MARK)
            .ok_or(LoadError::Damaged("it has no mark"))?;
        Ok(Self { rest })
    }

    /// The value, and all objects of its graph.
    pub(super) fn graph(mut self, vm: &mut Vm) -> Read<(Value, Vec<Oid>)> {
        let mut classes = Vec::new();
        for _ in 0..self.number()? {
            classes.push(self.class(vm)?);
        }
        let mut objects = Vec::new();
        let mut contents = Vec::new();
        for _ in 0..self.number()? {
            let read = self.object(vm, &classes)?;
            objects.push(read.object);
            contents.push(read);
        }
        let root = resolve(self.value()?, &objects)?;
        if !self.rest.is_empty() {
            return Err(LoadError::Damaged("it goes on after its end"));
        }
        for read in contents {
            fill(vm, &read, &objects)?;
        }
        Ok((root, objects))
    }

    fn class(&mut self, vm: &Vm) -> Read<SavedClass> {
        let name = self.string()?;
        let class = vm.class_named(&name).ok_or(LoadError::ClassMissing(name))?;
        let now = vm
            .heap
            .class(class)
            .map(|class| class.all_slots.clone())
            .unwrap_or_default();
        let mut places = Vec::new();
        for _ in 0..self.number()? {
            let slot = self.string()?;
            places.push(now.iter().position(|other| *other == slot));
        }
        Ok(SavedClass { class, places })
    }

    fn object(&mut self, vm: &mut Vm, classes: &[SavedClass]) -> Read<Contents> {
        let bare = |object| Contents {
            object,
            slots: Vec::new(),
            elements: Vec::new(),
        };
        let kind = self.byte()?;
        match kind {
            kind::SYMBOL => {
                let text = self.string()?;
                Ok(bare(vm.symbol(&text)))
            }
            kind::GLOBAL | kind::METACLASS => {
                let name = self.string()?;
                let Some(Value::Obj(oid)) = vm.global_value(&name) else {
                    return Err(LoadError::ClassMissing(name));
                };
                Ok(bare(if kind == kind::METACLASS {
                    vm.heap.get(oid).class
                } else {
                    oid
                }))
            }
            _ => self.instance(vm, kind, classes),
        }
    }

    fn instance(&mut self, vm: &mut Vm, kind: u8, classes: &[SavedClass]) -> Read<Contents> {
        let number = self.number()?;
        let saved = classes
            .get(number)
            .ok_or(LoadError::Damaged("a class is missing"))?;
        let slots = self.values()?;
        let placed = saved.places.iter().zip(slots);
        let slots = placed
            .filter_map(|(place, value)| place.map(|place| (place, value)))
            .collect();
        let mut elements = Vec::new();
        let body = match kind {
            kind::SLOTS => Body::None,
            kind::VALUES => {
                elements = self.values()?;
                Body::Values(vec![Value::Nil; elements.len()])
            }
            kind::BYTES => Body::Bytes(self.bytes()?.to_vec()),
            kind::TEXT => Body::Text(self.string()?.chars().collect()),
            kind::INTEGER => {
                let integer = BigInt::from_signed_bytes_le(self.bytes()?);
                return Ok(Contents {
                    object: large(vm, integer)?,
                    slots: Vec::new(),
                    elements,
                });
            }
            _ => return Err(LoadError::Damaged("an object is of no kind")),
        };
        let class = vm
            .heap
            .class(saved.class)
            .map(|class| (class.format, class.all_slots.len()));
        let (format, count) = class.ok_or(LoadError::Damaged("a class is missing"))?;
        let fits = match body {
            Body::None => format == Format::Slots,
            Body::Values(_) => format == Format::Values,
            Body::Bytes(_) => format == Format::Bytes,
            _ => format == Format::Text,
        };
        if !fits {
            return Err(LoadError::Damaged("the layout of a class has changed"));
        }
        let object = Object::with_body(saved.class, count, body);
        if !vm.has_room(object.bytes()) {
            return Err(LoadError::NoRoom);
        }
        Ok(Contents {
            object: vm.allocate(object),
            slots,
            elements,
        })
    }

    fn value(&mut self) -> Read<Saved> {
        Ok(Saved::Value(match self.byte()? {
            tag::NIL => Value::Nil,
            tag::TRUE => Value::True,
            tag::FALSE => Value::False,
            tag::INT => Value::Int(i64::from_le_bytes(self.array()?)),
            tag::FLOAT => Value::Float(f64::from_bits(u64::from_le_bytes(self.array()?))),
            tag::CHAR => {
                let code = u32::from_le_bytes(self.array()?);
                Value::Char(char::from_u32(code).ok_or(LoadError::Damaged("no character"))?)
            }
            tag::OBJECT => return self.number().map(Saved::Object),
            _ => return Err(LoadError::Damaged("a value is of no kind")),
        }))
    }

    fn values(&mut self) -> Read<Vec<Saved>> {
        let mut values = Vec::new();
        for _ in 0..self.number()? {
            values.push(self.value()?);
        }
        Ok(values)
    }

    fn string(&mut self) -> Read<String> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map(str::to_owned)
            .map_err(|_| LoadError::Damaged("a text is no UTF-8"))
    }

    fn bytes(&mut self) -> Read<&'b [u8]> {
        let count = self.number()?;
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(LoadError::Damaged("it is cut off"))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Read<usize> {
        let number = u32::from_le_bytes(self.array()?);
        usize::try_from(number).map_err(|_| LoadError::Damaged("a number is too large"))
    }

    fn byte(&mut self) -> Read<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (array, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(LoadError::Damaged("it is cut off"))?;
        self.rest = rest;
        Ok(*array)
    }
}

/// A large integer. A small one has no business in the table.
fn large(vm: &mut Vm, integer: BigInt) -> Read<Oid> {
    match vm.new_integer(integer) {
        Value::Obj(oid) => Ok(oid),
        _ => Err(LoadError::Damaged("a large integer is small")),
    }
}

fn resolve(saved: Saved, objects: &[Oid]) -> Read<Value> {
    match saved {
        Saved::Value(value) => Ok(value),
        Saved::Object(number) => objects
            .get(number)
            .map(|oid| Value::Obj(*oid))
            .ok_or(LoadError::Damaged("an object is missing")),
    }
}

fn fill(vm: &mut Vm, contents: &Contents, objects: &[Oid]) -> Read<()> {
    for (place, saved) in &contents.slots {
        let value = resolve(*saved, objects)?;
        vm.heap.set_slot(contents.object, *place, value);
    }
    for (index, saved) in contents.elements.iter().enumerate() {
        let value = resolve(*saved, objects)?;
        if let Body::Values(values) = &mut vm.heap.get_mut(contents.object).body
            && let Some(element) = values.get_mut(index)
        {
            *element = value;
        }
    }
    Ok(())
}
