//! Blocks: evaluation and what is known of them.

use super::{Call, Done, count, table};
use crate::value::Value;
use crate::vm::Vm;

table! {
    "blockValue" => value,
    "blockValueWithArguments" => value_with_arguments,
    "blockNumArgs" => num_args,
    "blockReceiver" => |vm: &mut Vm, call| vm.block(vm.recv(call)).map(|block| block.receiver),
    "blockSource" => source,
}

fn value(vm: &mut Vm, call: Call) -> Option<Done> {
    vm.activate_block(call.base, None).map(Done::Flow)
}

fn value_with_arguments(vm: &mut Vm, call: Call) -> Option<Done> {
    let arguments = vm.array_elements(vm.arg(call, 0))?;
    let block = vm.block(vm.recv(call))?;
    if usize::from(block.code.args) != arguments.len() {
        return None;
    }
    vm.proc.stack.truncate(call.base + 1);
    vm.proc.stack.extend_from_slice(&arguments);
    vm.activate_block(call.base, None).map(Done::Flow)
}

fn num_args(vm: &mut Vm, call: Call) -> Option<Value> {
    vm.block(vm.recv(call))
        .map(|block| count(usize::from(block.code.args)))
}

/// The text of the block, with its brackets.
fn source(vm: &mut Vm, call: Call) -> Option<Value> {
    let text = vm.block(vm.recv(call))?.code.text().to_owned();
    Some(vm.new_string(&text))
}
