//! Objects with indexed elements: Array, ByteArray, String and user-made variable classes.

use super::{Call, Done, count, table};
use crate::object::{Body, Format, Object, Semaphore};
use crate::value::Value;
use crate::vm::Vm;

table! {
    "basicAt" => basic_at,
    "basicAtPut" => basic_at_put,
    "basicSize" => basic_size,
    "basicNew" => basic_new,
    "basicNewSize" => basic_new_size,
    "replaceFromToWithStartingAt" => replace,
    "indexedFill" => fill,
}

fn basic_at(vm: &mut Vm, call: Call) -> Option<Value> {
    let index = vm.arg_usize(call, 0)?.checked_sub(1)?;
    match &vm.heap.get(vm.recv_oid(call)?).body {
        Body::Values(values) => values.get(index).copied(),
        Body::Text(text) => text.get(index).copied().map(Value::Char),
        Body::Bytes(bytes) => bytes.get(index).map(|byte| Value::Int((*byte).into())),
        _ => None,
    }
}

fn basic_at_put(vm: &mut Vm, call: Call) -> Option<Value> {
    let index = vm.arg_usize(call, 0)?.checked_sub(1)?;
    let value = vm.arg(call, 1);
    let symbol = vm.known.symbol;
    let object = vm.heap.get_mut(vm.recv_oid(call)?);
    if object.class == symbol {
        return None;
    }
    match (&mut object.body, value) {
        (Body::Values(values), value) => *values.get_mut(index)? = value,
        (Body::Text(text), Value::Char(character)) => *text.get_mut(index)? = character,
        (Body::Bytes(bytes), Value::Int(byte)) => {
            *bytes.get_mut(index)? = u8::try_from(byte).ok()?;
        }
        _ => return None,
    }
    Some(value)
}

fn basic_size(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(count(
        vm.recv_oid(call)
            .map_or(0, |oid| vm.heap.get(oid).elements()),
    ))
}

impl Object {
    /// How many indexed elements it has.
    pub(crate) fn elements(&self) -> usize {
        match &self.body {
            Body::Values(values) => values.len(),
            Body::Text(text) => text.len(),
            Body::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

fn basic_new(vm: &mut Vm, call: Call) -> Option<Done> {
    new_instance(vm, call, 0)
}

fn basic_new_size(vm: &mut Vm, call: Call) -> Option<Done> {
    let size = vm.arg_usize(call, 0)?;
    let class = vm.heap.class(vm.recv_oid(call)?)?;
    if !matches!(class.format, Format::Values | Format::Bytes | Format::Text) {
        return None;
    }
    new_instance(vm, call, size)
}

fn new_instance(vm: &mut Vm, call: Call, size: usize) -> Option<Done> {
    let oid = vm.recv_oid(call)?;
    let class = vm.heap.class(oid)?;
    let (slots, format) = (class.all_slots.len(), class.format);
    let element = match format {
        Format::Values => size_of::<Value>(),
        Format::Text => size_of::<char>(),
        _ => 1,
    };
    if !vm.has_room(size.saturating_mul(element)) {
        return Some(Done::NoMemory);
    }
    let body = match format {
        Format::Slots => Body::None,
        Format::Values => Body::Values(vec![Value::Nil; size]),
        Format::Bytes => Body::Bytes(vec![0; size]),
        Format::Text => Body::Text(vec!['\0'; size]),
        Format::Semaphore => Body::Semaphore(Box::<Semaphore>::default()),
        Format::Native => return None,
    };
    let instance = Object::with_body(oid, slots, body);
    Some(Done::Value(Value::Obj(vm.allocate(instance))))
}

/// `replaceFrom: start to: stop with: collection startingAt: first`
fn replace(vm: &mut Vm, call: Call) -> Option<Value> {
    let (start, stop) = (vm.arg_usize(call, 0)?, vm.arg_usize(call, 1)?);
    let first = vm.arg_usize(call, 3)?.checked_sub(1)?;
    let target = vm.recv_oid(call)?;
    let Value::Obj(source) = vm.arg(call, 2) else {
        return None;
    };
    if stop < start {
        return (stop + 1 == start).then(|| vm.recv(call));
    }
    let start = start.checked_sub(1)?;
    let length = stop - start;
    let end = first.checked_add(length)?;
    if vm.heap.get(target).class == vm.known.symbol {
        return None;
    }
    if source == target {
        return replace_within(vm, target, start..stop, first).then(|| vm.recv(call));
    }
    // The target's body is taken out for the time of the copy.
    let mut body = std::mem::replace(&mut vm.heap.get_mut(target).body, Body::None);
    let copied = match (&mut body, &vm.heap.get(source).body) {
        (Body::Values(to), Body::Values(from)) => copy(to, start..stop, from, first..end),
        (Body::Text(to), Body::Text(from)) => copy(to, start..stop, from, first..end),
        (Body::Bytes(to), Body::Bytes(from)) => copy(to, start..stop, from, first..end),
        _ => None,
    };
    vm.heap.get_mut(target).body = body;
    copied.map(|()| vm.recv(call))
}

fn copy<T: Copy>(
    to: &mut [T],
    target: std::ops::Range<usize>,
    from: &[T],
    source: std::ops::Range<usize>,
) -> Option<()> {
    to.get_mut(target)?.copy_from_slice(from.get(source)?);
    Some(())
}

fn replace_within(
    vm: &mut Vm,
    oid: crate::value::Oid,
    target: std::ops::Range<usize>,
    first: usize,
) -> bool {
    fn shift<T: Copy>(all: &mut [T], target: std::ops::Range<usize>, first: usize) -> bool {
        let fits = target.end <= all.len() && first + target.len() <= all.len();
        if fits {
            all.copy_within(first..first + target.len(), target.start);
        }
        fits
    }
    match &mut vm.heap.get_mut(oid).body {
        Body::Values(values) => shift(values, target, first),
        Body::Text(text) => shift(text, target, first),
        Body::Bytes(bytes) => shift(bytes, target, first),
        _ => false,
    }
}

/// `from: start to: stop put: value`
fn fill(vm: &mut Vm, call: Call) -> Option<Value> {
    let start = vm.arg_usize(call, 0)?.checked_sub(1)?;
    let stop = vm.arg_usize(call, 1)?;
    let value = vm.arg(call, 2);
    let symbol = vm.known.symbol;
    let object = vm.heap.get_mut(vm.recv_oid(call)?);
    if object.class == symbol {
        return None;
    }
    match (&mut object.body, value) {
        (Body::Values(values), value) => values.get_mut(start..stop)?.fill(value),
        (Body::Text(text), Value::Char(with)) => text.get_mut(start..stop)?.fill(with),
        (Body::Bytes(bytes), Value::Int(with)) => {
            bytes.get_mut(start..stop)?.fill(u8::try_from(with).ok()?);
        }
        _ => return None,
    }
    Some(vm.recv(call))
}
