//! Classes: definition and reflection. The receiver is a class or metaclass.

use super::{Call, Done, table};
use crate::object::{Class, Format};
use crate::value::{Oid, Value};
use crate::vm::{ClassRef, Definition, Vm};

table! {
    "className" => name,
    "classSuperclass" => superclass,
    "classSubclasses" => subclasses,
    "classSlots" => |vm: &mut Vm, call| names(vm, call, |class| class.own_slots.clone()),
    "classAllSlots" => |vm: &mut Vm, call| names(vm, call, |class| class.all_slots.clone()),
    "classVariables" => |vm: &mut Vm, call| names(vm, call, variables),
    "classVariableAt" => variable_at,
    "classVariableAtPut" => variable_at_put,
    "classComment" => |vm: &mut Vm, call| text(vm, call, |class| class.comment.clone()),
    "classSetComment" => set_comment,
    "classPackage" => |vm: &mut Vm, call| text(vm, call, |class| class.package.clone()),
    "classTag" => |vm: &mut Vm, call| text(vm, call, |class| class.tag.clone()),
    "classInstanceSide" => instance_side,
    "classIsMeta" => is_meta,
    "classIsVariable" => |vm: &mut Vm, call| has_format(vm, call, &VARIABLE),
    "classIsBytes" => |vm: &mut Vm, call| has_format(vm, call, &[Format::Bytes]),
    "classIsSystem" => is_system,
    "classSelectors" => selectors,
    "classMethodAt" => method_at,
    "classDefine" => define,
    "classRemove" => remove,
}

/// Formats with indexed elements.
const VARIABLE: [Format; 3] = [Format::Values, Format::Bytes, Format::Text];

fn receiver(vm: &Vm, call: Call) -> Option<&Class> {
    vm.heap.class(vm.recv_oid(call)?)
}

fn value(class: Option<Oid>) -> Value {
    class.map_or(Value::Nil, Value::Obj)
}

fn name(vm: &mut Vm, call: Call) -> Option<Value> {
    receiver(vm, call)?;
    let name = vm.name_of_class(vm.recv_oid(call)?);
    // A class is named by a Symbol, a metaclass has a description.
    let is_meta = receiver(vm, call)?.instance_side.is_some();
    Some(if is_meta {
        vm.new_string(&name)
    } else {
        vm.new_symbol(&name)
    })
}

fn superclass(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(value(receiver(vm, call)?.superclass))
}

fn subclasses(vm: &mut Vm, call: Call) -> Option<Value> {
    let subclasses = receiver(vm, call)?
        .subclasses
        .iter()
        .map(|oid| Value::Obj(*oid))
        .collect();
    Some(vm.new_array(subclasses))
}

fn variables(class: &Class) -> Vec<String> {
    class.class_vars.keys().cloned().collect()
}

fn names(vm: &mut Vm, call: Call, ask: impl FnOnce(&Class) -> Vec<String>) -> Option<Value> {
    let names = ask(receiver(vm, call)?);
    Some(vm.new_symbols(&names))
}

fn text(vm: &mut Vm, call: Call, ask: impl FnOnce(&Class) -> String) -> Option<Value> {
    let text = ask(receiver(vm, call)?);
    Some(vm.new_string(&text))
}

fn variable_at(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = vm.arg_string(call, 0)?;
    let binding = vm.class_variable(vm.recv_oid(call)?, &name)?;
    Some(vm.binding_value(Value::Obj(binding)))
}

fn variable_at_put(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = vm.arg_string(call, 0)?;
    let binding = vm.class_variable(vm.recv_oid(call)?, &name)?;
    vm.heap.set_slot(binding, 1, vm.arg(call, 1));
    Some(vm.arg(call, 1))
}

fn set_comment(vm: &mut Vm, call: Call) -> Option<Value> {
    let comment = vm.arg_string(call, 0)?;
    let oid = vm.recv_oid(call)?;
    vm.set_class_comment(ClassRef(oid), &comment);
    Some(vm.recv(call))
}

fn instance_side(vm: &mut Vm, call: Call) -> Option<Value> {
    let oid = vm.recv_oid(call)?;
    Some(Value::Obj(receiver(vm, call)?.instance_side.unwrap_or(oid)))
}

fn is_meta(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(Value::from_bool(
        receiver(vm, call)?.instance_side.is_some(),
    ))
}

fn has_format(vm: &mut Vm, call: Call, formats: &[Format]) -> Option<Value> {
    Some(Value::from_bool(
        formats.contains(&receiver(vm, call)?.format),
    ))
}

fn is_system(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(Value::from_bool(receiver(vm, call)?.is_system))
}

/// The selectors of the class itself, sorted.
fn selectors(vm: &mut Vm, call: Call) -> Option<Value> {
    let symbols = receiver(vm, call)?.methods.keys().copied();
    let mut selectors: Vec<_> = symbols
        .map(|symbol| (vm.selector_text(symbol), symbol))
        .collect();
    selectors.sort();
    let symbols = selectors
        .into_iter()
        .map(|(_, symbol)| Value::Obj(symbol))
        .collect();
    Some(vm.new_array(symbols))
}

/// The method of the class itself; fails when there is none.
fn method_at(vm: &mut Vm, call: Call) -> Option<Value> {
    let selector = vm.arg_string(call, 0)?;
    let symbol = vm.heap.find_symbol(&selector)?;
    receiver(vm, call)?
        .methods
        .get(&symbol)
        .map(|method| Value::Obj(*method))
}

/// `name: slots: classVariables: classSlots: package: tag: format:` below the receiver, a class
/// or nil. A String is answered when the definition is refused: it says why.
fn define(vm: &mut Vm, call: Call) -> Option<Value> {
    let definition = Definition {
        name: vm.arg_string(call, 0)?,
        superclass: vm.recv_oid(call),
        slots: vm.strings(vm.arg(call, 1))?,
        class_vars: vm.strings(vm.arg(call, 2))?,
        class_slots: vm.strings(vm.arg(call, 3)),
        package: vm.arg_string(call, 4),
        tag: vm.arg_string(call, 5).unwrap_or_default(),
        format: match vm.arg_string(call, 6).as_deref() {
            Some("variable") => Some(Format::Values),
            Some("bytes") => Some(Format::Bytes),
            _ => None,
        },
        is_system: false,
    };
    Some(match vm.check_definition(&definition) {
        Ok(()) => Value::Obj(vm.build_class(definition)),
        Err(why) => vm.new_string(&why),
    })
}

/// A String is answered when it is refused.
fn remove(vm: &mut Vm, call: Call) -> Option<Done> {
    receiver(vm, call)?;
    let class = ClassRef(vm.recv_oid(call)?);
    Some(Done::Value(match vm.remove_class(class) {
        Ok(()) => vm.recv(call),
        Err(why) => vm.new_string(&why.to_string()),
    }))
}
