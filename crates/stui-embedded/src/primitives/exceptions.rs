//! Exceptions: looking for handlers, leaving frames, and the end of those that nobody handles.
//!
//! The rules are Smalltalk (`Exception` in the class library); here is the walk over the frames.
//! Frames are named by their numbers. An exception's first slots are the frame of its `signal`
//! and the frame of the `on:do:` whose handler runs.

use super::{Call, Done, table};
use crate::bytecode::Marker;
use crate::process::{Condition, Ending, Origin, Unwind};
use crate::value::Value;
use crate::vm::{InterruptReason, Tier, Vm, VmEvent};

/// The slot of an exception with the frame of its handler.
const HANDLER_FRAME: usize = 1;

/// The locals of `on:do:`.
const HANDLED_CLASS: usize = 0;
const HANDLER: usize = 1;

table! {
    "frameCurrent" => current,
    "frameNextHandler" => next_handler,
    "frameHandledClass" => |vm: &mut Vm, call| local(vm, call, HANDLED_CLASS),
    "frameHandler" => |vm: &mut Vm, call| local(vm, call, HANDLER),
    "frameIsAlive" => is_alive,
    "frameReturn" => return_from,
    "frameRestart" => restart,
    "frameRestartWithReceiver" => restart_with_receiver,
    "exceptionSignalerContext" => signaler_context,
    "exceptionUnhandled" => unhandled,
    "exceptionInterrupted" => interrupted,
    "contextSender" => sender,
    "contextIsAlive" => context_is_alive,
    "contextReturn" => context_return,
    "contextStack" => context_stack,
}

fn number(id: u64) -> Value {
    Value::Int(i64::try_from(id).unwrap_or(i64::MAX))
}

fn frame(vm: &Vm, value: Value) -> Option<usize> {
    let Value::Int(id) = value else { return None };
    vm.proc.frame_index(u64::try_from(id).ok()?)
}

fn frame_id(value: Value) -> Option<u64> {
    match value {
        Value::Int(id) => u64::try_from(id).ok(),
        _ => None,
    }
}

/// The frame of the method that asks.
fn current(vm: &mut Vm, _call: Call) -> Option<Value> {
    vm.proc.frames.last().map(|frame| number(frame.id))
}

/// The next `on:do:` below a frame, or nil. What lies between the `signal` of an exception being
/// handled and its handler is passed over: a handler runs as if it stood at its `on:do:`.
fn next_handler(vm: &mut Vm, call: Call) -> Option<Value> {
    let mut index = frame(vm, vm.arg(call, 0))?;
    while index > 0 {
        index -= 1;
        let frame = &vm.proc.frames[index];
        match frame.code.marker {
            Marker::OnDo => return Some(number(frame.id)),
            Marker::Signal => {
                if let Some(handler) = handler_of(vm, frame.receiver)
                    && handler < index
                {
                    index = handler;
                }
            }
            _ => {}
        }
    }
    Some(Value::Nil)
}

fn handler_of(vm: &Vm, exception: Value) -> Option<usize> {
    let Value::Obj(oid) = exception else {
        return None;
    };
    frame(vm, vm.heap.slot(oid, HANDLER_FRAME))
}

fn local(vm: &mut Vm, call: Call, index: usize) -> Option<Value> {
    let frame = &vm.proc.frames[frame(vm, vm.arg(call, 0))?];
    if index >= frame.code.locals() {
        return None;
    }
    vm.proc.stack.get(frame.base + 1 + index).copied()
}

fn is_alive(vm: &mut Vm, call: Call) -> Option<Value> {
    Some(Value::from_bool(frame(vm, vm.arg(call, 0)).is_some()))
}

fn return_from(vm: &mut Vm, call: Call) -> Option<Done> {
    frame(vm, vm.arg(call, 0))?;
    let (frame, value) = (frame_id(vm.arg(call, 0))?, vm.arg(call, 1));
    Some(Done::Flow(vm.unwind(Unwind::Return { frame, value })))
}

fn restart(vm: &mut Vm, call: Call) -> Option<Done> {
    frame(vm, vm.arg(call, 0))?;
    let frame = frame_id(vm.arg(call, 0))?;
    Some(Done::Flow(vm.unwind(Unwind::Restart {
        frame,
        receiver: None,
    })))
}

fn restart_with_receiver(vm: &mut Vm, call: Call) -> Option<Done> {
    frame(vm, vm.arg(call, 0))?;
    let (frame, receiver) = (frame_id(vm.arg(call, 0))?, Some(vm.arg(call, 1)));
    Some(Done::Flow(vm.unwind(Unwind::Restart { frame, receiver })))
}

fn signaler_context(vm: &mut Vm, call: Call) -> Option<Value> {
    let index = vm.signaler_index(vm.recv(call))?;
    Some(vm.context_at(index))
}

/// Nobody handles the receiver; the arguments are its text and the print string of the receiver
/// of the frame that signalled. The evaluation ends, or is held for the debugger.
fn unhandled(vm: &mut Vm, call: Call) -> Option<Done> {
    let exception = vm.recv(call);
    let message = vm.arg_string(call, 0).unwrap_or_default();
    let receiver = vm.arg_string(call, 1).unwrap_or_default();
    let report = vm.report(exception, message, receiver);
    if vm.proc.debug && vm.proc.origin == Origin::Owner {
        vm.proc.condition = Condition::Debugged;
        vm.proc.exception = Some(exception);
        vm.proc.stepping = None;
        let (process, tag) = (vm.proc.id, vm.proc.tag);
        vm.events.push(VmEvent::Suspended {
            process,
            tag,
            error: report,
        });
        return Some(Done::Yield(Value::Nil));
    }
    if vm.proc.origin == Origin::Fork {
        let text = report.in_forked_process();
        vm.write_output(&text);
    }
    Some(Done::Flow(vm.begin_ending(Ending::Failed(report))))
}

/// Nobody handles an interrupt: the evaluation ends.
fn interrupted(vm: &mut Vm, _call: Call) -> Option<Done> {
    let reason = vm.proc.interrupted.unwrap_or(InterruptReason::User);
    Some(Done::Flow(vm.begin_ending(Ending::Stopped {
        reason,
        tier: Tier::Signal,
    })))
}

/// The slot of a Context with its frame.
const CONTEXT_FRAME: usize = 4;

fn context_frame(vm: &Vm, call: Call) -> Option<Value> {
    vm.recv_oid(call)
        .map(|oid| vm.heap.slot(oid, CONTEXT_FRAME))
}

fn sender(vm: &mut Vm, call: Call) -> Option<Value> {
    let index = frame(vm, context_frame(vm, call)?)?;
    let Some(below) = vm.sender_index(index) else {
        return Some(Value::Nil);
    };
    Some(vm.context_at(below))
}

fn context_is_alive(vm: &mut Vm, call: Call) -> Option<Value> {
    let id = context_frame(vm, call)?;
    Some(Value::from_bool(frame(vm, id).is_some()))
}

fn context_return(vm: &mut Vm, call: Call) -> Option<Done> {
    let id = context_frame(vm, call)?;
    frame(vm, id)?;
    let unwind = Unwind::Return {
        frame: frame_id(id)?,
        value: vm.arg(call, 0),
    };
    Some(Done::Flow(vm.unwind(unwind)))
}

/// The lines of the stack from this context down.
fn context_stack(vm: &mut Vm, call: Call) -> Option<Value> {
    let index = frame(vm, context_frame(vm, call)?)?;
    let lines = vm.stack_texts(index + 1);
    let lines = lines.iter().map(|line| vm.new_string(&line.text)).collect();
    Some(vm.new_array(lines))
}
