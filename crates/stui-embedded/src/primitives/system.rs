//! The world outside: clocks, random numbers, the Transcript; and the globals.

use std::time::{SystemTime, UNIX_EPOCH};

use rand::Rng;

use super::{Call, Done, count, table};
use crate::value::Value;
use crate::vm::{Vm, VmEvent};

table! {
    "clockMillis" => |_: &mut Vm, _| Some(Value::Int(since_epoch().0)),
    "clockMicros" => |_: &mut Vm, _| Some(Value::Int(since_epoch().1)),
    "clockMonotonicMicros" => monotonic,
    "timezoneOffsetSeconds" => timezone_offset,
    "randomFloat" => |_: &mut Vm, _| Some(Value::Float(rand::rng().random())),
    "randomIntegerBelow" => random_below,
    "randomBits" => |_: &mut Vm, _| Some(Value::Int(rand::rng().random_range(0..i64::MAX))),
    "transcriptWrite" => transcript_write,
    "globalAt" => global_at,
    "globalAtPut" => global_at_put,
    "globalRemove" => global_remove,
    "globalIncludes" => global_includes,
    "globalKeys" => global_keys,
    "collectGarbage" => collect_garbage,
    "heapBytes" => |vm: &mut Vm, _| Some(count(vm.heap_stats().bytes)),
    "instancesOf" => instances_of,
}

/// Bytes of one write to the Transcript; what is more is cut. Nobody reads that much.
const MAX_WRITE_BYTES: usize = 4 << 20;

/// Milliseconds and microseconds since 1970, UTC.
fn since_epoch() -> (i64, i64) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let narrow = |number: u128| i64::try_from(number).unwrap_or(i64::MAX);
    (narrow(now.as_millis()), narrow(now.as_micros()))
}

fn monotonic(vm: &mut Vm, _call: Call) -> Option<Value> {
    let micros = vm.started.elapsed().as_micros();
    i64::try_from(micros).ok().map(Value::Int)
}

/// The image lives in UTC: what it prints is the same everywhere.
fn timezone_offset(_vm: &mut Vm, _call: Call) -> Option<Value> {
    Some(Value::Int(0))
}

/// A random integer from 0 up to a small one.
fn random_below(vm: &mut Vm, call: Call) -> Option<Value> {
    match vm.arg(call, 0) {
        Value::Int(bound) if bound > 0 => Some(Value::Int(rand::rng().random_range(0..bound))),
        _ => None,
    }
}

impl Vm {
    /// Writes to the Transcript in the name of the active process.
    pub(crate) fn write_output(&mut self, text: &str) {
        let tag = self.proc.tag;
        let text = text
            .get(..text.floor_char_boundary(MAX_WRITE_BYTES))
            .unwrap_or_default();
        // What comes in one go is told in one go.
        if let Some(VmEvent::Output {
            tag: last,
            text: before,
        }) = self.events.last_mut()
            && *last == tag
        {
            before.push_str(text);
            return;
        }
        self.events.push(VmEvent::Output {
            tag,
            text: text.to_owned(),
        });
    }
}

fn transcript_write(vm: &mut Vm, call: Call) -> Option<Value> {
    let text = vm.arg_string(call, 0)?;
    vm.write_output(&text);
    Some(vm.recv(call))
}

fn global_at(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = vm.arg_string(call, 0)?;
    vm.global_value(&name)
}

fn global_at_put(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = vm.arg_string(call, 0)?;
    let value = vm.arg(call, 1);
    let binding = vm.global_binding(&name);
    if binding.is_some_and(|binding| vm.is_class_binding(binding)) {
        return None;
    }
    vm.set_global(&name, value);
    Some(value)
}

fn global_remove(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = vm.arg_string(call, 0)?;
    let binding = vm.global_binding(&name)?;
    if vm.is_class_binding(binding) {
        return None;
    }
    let value = vm.global_value(&name)?;
    vm.remove_global(&name);
    Some(value)
}

fn global_includes(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = vm.arg_string(call, 0)?;
    Some(Value::from_bool(vm.global_binding(&name).is_some()))
}

fn global_keys(vm: &mut Vm, _call: Call) -> Option<Value> {
    let names: Vec<String> = vm.globals.keys().cloned().collect();
    Some(vm.new_symbols(&names))
}

/// Everything that lives is on the stack or reachable from the roots: nothing is in Rust's hands.
fn collect_garbage(vm: &mut Vm, _call: Call) -> Option<Done> {
    vm.collect();
    Some(Done::Value(count(vm.heap_stats().bytes)))
}

/// The direct instances of the receiver.
fn instances_of(vm: &mut Vm, call: Call) -> Option<Value> {
    let class = vm.recv_oid(call)?;
    let instances = vm.heap.iter().filter(|(_, object)| object.class == class);
    let instances = instances.map(|(oid, _)| Value::Obj(oid)).collect();
    Some(vm.new_array(instances))
}
