//! Methods: compiling, removing, and what is known of them.

use std::rc::Rc;

use super::{Call, count, table};
use crate::bytecode::Code;
use crate::object::{Block, Body, Object};
use crate::value::Value;
use crate::vm::{ClassRef, SyntaxError, Vm};

table! {
    "compileScript" => compile_script,
    "classCompile" => compile,
    "classRemoveSelector" => remove,
    "methodSelector" => |vm: &mut Vm, call| code(vm, call).map(|code| Value::Obj(code.selector)),
    "methodClass" => |vm: &mut Vm, call| code(vm, call).map(|code| Value::Obj(code.method_class)),
    "methodSource" => source,
    "methodProtocol" => protocol,
    "methodNumArgs" => |vm: &mut Vm, call| code(vm, call).map(|code| count(code.args.into())),
    "methodSendsSelector" => sends_selector,
    "methodSelectorsSent" => selectors_sent,
    "methodReferences" => references,
    "methodIsPrimitive" => is_primitive,
}

fn code(vm: &Vm, call: Call) -> Option<Rc<Code>> {
    match &vm.heap.get(vm.recv_oid(call)?).body {
        Body::Method(code) => Some(Rc::clone(code)),
        _ => None,
    }
}

/// `compile: source classified: protocol`. Answers the selector, or an Array of message and
/// position when the source does not compile.
fn compile(vm: &mut Vm, call: Call) -> Option<Value> {
    let class = vm.recv_oid(call)?;
    vm.heap.class(class)?;
    let (source, category) = (vm.arg_string(call, 0)?, vm.arg_string(call, 1)?);
    match vm.install_method(class, &source, &category) {
        Ok(selector) => {
            vm.flush_cache();
            Some(Value::Obj(selector))
        }
        Err(error) => Some(refusal(vm, &error)),
    }
}

/// A script as a block, or an Array of message and position when it does not compile.
fn compile_script(vm: &mut Vm, call: Call) -> Option<Value> {
    let source = vm.arg_string(call, 0)?;
    match vm.compile_expression(None, &source) {
        Ok(script) => {
            let block = Block {
                code: script.code,
                receiver: Value::Nil,
                env: None,
                home: 0,
            };
            let object = Object::with_body(vm.known.block, 0, Body::Block(Box::new(block)));
            Some(Value::Obj(vm.allocate(object)))
        }
        Err(error) => Some(refusal(vm, &error)),
    }
}

fn refusal(vm: &mut Vm, error: &SyntaxError) -> Value {
    let message = vm.new_string(&error.message);
    vm.new_array(vec![message, count(error.position)])
}

fn remove(vm: &mut Vm, call: Call) -> Option<Value> {
    let selector = vm.arg_string(call, 0)?;
    let class = ClassRef(vm.recv_oid(call)?);
    vm.remove_method(class, false, &selector).ok()?;
    Some(vm.recv(call))
}

fn source(vm: &mut Vm, call: Call) -> Option<Value> {
    let code = code(vm, call)?;
    Some(vm.new_string(&code.source))
}

fn protocol(vm: &mut Vm, call: Call) -> Option<Value> {
    let code = code(vm, call)?;
    Some(vm.new_string(&code.category))
}

fn sends_selector(vm: &mut Vm, call: Call) -> Option<Value> {
    let Value::Obj(selector) = vm.arg(call, 0) else {
        return None;
    };
    Some(Value::from_bool(code(vm, call)?.sends(selector)))
}

fn selectors_sent(vm: &mut Vm, call: Call) -> Option<Value> {
    let mut selectors = Vec::new();
    code(vm, call)?.each_site(&mut |site| {
        let selector = Value::Obj(site.selector);
        if !selectors
            .iter()
            .any(|other: &Value| other.identical(selector))
        {
            selectors.push(selector);
        }
    });
    Some(vm.new_array(selectors))
}

/// Whether the method names the global or class of this name.
fn references(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = vm.arg_string(call, 0)?;
    let binding = vm.global_binding(&name)?;
    Some(Value::from_bool(
        code(vm, call)?.has_literal(Value::Obj(binding)),
    ))
}

fn is_primitive(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(Value::from_bool(code(vm, call)?.primitive.is_some()))
}
