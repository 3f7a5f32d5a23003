//! What every object can do: identity, class, slots, copies, `perform:`.

use super::{Call, Done, count, table};
use crate::object::{Body, Object};
use crate::value::Value;
use crate::vm::Vm;

table! {
    "identityHash" => identity_hash,
    "identical" => identical,
    "class" => class,
    "shallowCopy" => shallow_copy,
    "instVarAt" => inst_var_at,
    "instVarAtPut" => inst_var_at_put,
    "instVarCount" => inst_var_count,
    "isKindOf" => is_kind_of,
    "respondsTo" => responds_to,
    "performWith" => perform,
    "performWithArguments" => perform_with_arguments,
    "performInSuperclass" => perform_in_superclass,
}

fn identity_hash(vm: &mut Vm, call: Call) -> Option<Value> {
    let hash = vm.identity_hash(vm.recv(call));
    i64::try_from(hash).ok().map(Value::Int)
}

fn identical(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(Value::from_bool(vm.recv(call).identical(vm.arg(call, 0))))
}

fn class(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(Value::Obj(vm.class_oid(vm.recv(call))))
}

/// A copy that shares what the slots and elements hold. What is the only one of its kind (a
/// class, a Symbol, a number) is its own copy.
fn shallow_copy(vm: &mut Vm, call: Call) -> Option<Done> {
    let receiver = vm.recv(call);
    let Value::Obj(oid) = receiver else {
        return Some(Done::Value(receiver));
    };
    let object = vm.heap.get(oid);
    if object.class == vm.known.symbol {
        return Some(Done::Value(receiver));
    }
    if !vm.has_room(object.bytes()) {
        return Some(Done::NoMemory);
    }
    let body = match &object.body {
        Body::None => Body::None,
        Body::Values(values) => Body::Values(values.clone()),
        Body::Bytes(bytes) => Body::Bytes(bytes.clone()),
        Body::Text(text) => Body::Text(text.clone()),
        _ => return Some(Done::Value(receiver)),
    };
    let copy = Object {
        class: object.class,
        marked: false,
        slots: object.slots.clone(),
        body,
    };
    Some(Done::Value(Value::Obj(vm.allocate(copy))))
}

fn inst_var_at(vm: &mut Vm, call: Call) -> Option<Value> {
    let index = vm.arg_usize(call, 0)?.checked_sub(1)?;
    vm.heap.get(vm.recv_oid(call)?).slots.get(index).copied()
}

fn inst_var_at_put(vm: &mut Vm, call: Call) -> Option<Value> {
    let index = vm.arg_usize(call, 0)?.checked_sub(1)?;
    let value = vm.arg(call, 1);
    *vm.heap.get_mut(vm.recv_oid(call)?).slots.get_mut(index)? = value;
    Some(value)
}

fn inst_var_count(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(count(
        vm.recv_oid(call)
            .map_or(0, |oid| vm.heap.get(oid).slots.len()),
    ))
}

fn is_kind_of(vm: &mut Vm, call: Call) -> Option<Value> {
    let Value::Obj(wanted) = vm.arg(call, 0) else {
        return None;
    };
    let class = vm.class_oid(vm.recv(call));
    Some(Value::from_bool(vm.inherits(class, wanted)))
}

fn responds_to(vm: &mut Vm, call: Call) -> Option<Value> {
    let Value::Obj(selector) = vm.arg(call, 0) else {
        return None;
    };
    let class = vm.class_oid(vm.recv(call));
    Some(Value::from_bool(vm.lookup(class, selector).is_some()))
}

impl Vm {
    /// Whether `class` is `ancestor` or stands below it.
    pub(crate) fn inherits(&self, class: crate::value::Oid, ancestor: crate::value::Oid) -> bool {
        let mut next = Some(class);
        while let Some(oid) = next {
            if oid == ancestor {
                return true;
            }
            next = self.heap.class(oid).and_then(|class| class.superclass);
        }
        false
    }

    /// The selector, when `value` is a Symbol (or a String, as Pharo allows) that takes so many
    /// arguments.
    fn selector(&mut self, value: Value, args: usize) -> Option<crate::value::Oid> {
        let text = self.string_value(value)?;
        (arity(&text) == args).then(|| self.symbol(&text))
    }
}

/// How many arguments a selector takes.
pub(super) fn arity(selector: &str) -> usize {
    let colons = selector.matches(':').count();
    let is_word = selector.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    if is_word { colons } else { 1 }
}

/// `perform: selector with: …`: the selector is taken out from below the arguments.
fn perform(vm: &mut Vm, call: Call) -> Option<Done> {
    let args = call.args.checked_sub(1)?;
    let selector = vm.selector(vm.arg(call, 0), args)?;
    vm.proc.stack.remove(call.base + 1);
    Some(Done::Send {
        class: vm.class_oid(vm.recv(call)),
        selector,
        args,
    })
}

/// `perform: selector withArguments: array`
fn perform_with_arguments(vm: &mut Vm, call: Call) -> Option<Done> {
    let arguments = vm.array_elements(vm.arg(call, 1))?;
    let selector = vm.selector(vm.arg(call, 0), arguments.len())?;
    vm.proc.stack.truncate(call.base + 1);
    vm.proc.stack.extend_from_slice(&arguments);
    let class = vm.class_oid(vm.recv(call));
    Some(Done::Send {
        class,
        selector,
        args: arguments.len(),
    })
}

/// `perform: selector withArguments: array inSuperclass: class`
fn perform_in_superclass(vm: &mut Vm, call: Call) -> Option<Done> {
    let arguments = vm.array_elements(vm.arg(call, 1))?;
    let selector = vm.selector(vm.arg(call, 0), arguments.len())?;
    let Value::Obj(class) = vm.arg(call, 2) else {
        return None;
    };
    if !vm.inherits(vm.class_oid(vm.recv(call)), class) {
        return None;
    }
    vm.proc.stack.truncate(call.base + 1);
    vm.proc.stack.extend_from_slice(&arguments);
    Some(Done::Send {
        class,
        selector,
        args: arguments.len(),
    })
}
