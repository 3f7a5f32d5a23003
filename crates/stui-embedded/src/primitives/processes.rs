//! Processes, semaphores and waiting.

use std::time::{Duration, Instant};

use super::{Call, Done, count, table};
use crate::object::Object;
use crate::process::{After, Condition, Ending, Origin};
use crate::value::{Oid, Value};
use crate::vm::{ProcessId, Vm};

/// The slot of a Process object with its number.
const PROCESS_ID: usize = 0;

/// Longest wait: about a year, which the clock can add to any time.
const MAX_WAIT_MS: u64 = 366 * 24 * 3600 * 1000;

table! {
    "processNew" => new_process,
    "processResume" => resume,
    "processSuspend" => suspend,
    "processTerminate" => terminate,
    "processSignalException" => signal_exception,
    "processYield" => |vm: &mut Vm, call| Done::Yield(vm.recv(call)),
    "processActive" => |vm: &mut Vm, _| Some(vm.active_process_object()),
    "processPriority" => priority,
    "processSetPriority" => set_priority,
    "processName" => name,
    "processSetName" => set_name,
    "processState" => state,
    "processSleep" => sleep,
    "semaphoreSignal" => semaphore_signal,
    "semaphoreWait" => semaphore_wait,
    "semaphoreWaitFor" => semaphore_wait_for,
    "semaphoreExcess" => semaphore_excess,
    "semaphoreIsWaiting" => semaphore_is_waiting,
}

impl Vm {
    /// The Process object of the active process.
    pub(crate) fn active_process_object(&mut self) -> Value {
        if let Some(object) = self.proc.object {
            return Value::Obj(object);
        }
        let object = self.process_object(self.proc.id);
        self.proc.object = Some(object);
        Value::Obj(object)
    }

    fn process_object(&mut self, id: ProcessId) -> Oid {
        let class = self.known.process;
        let slots = self
            .heap
            .class(class)
            .map_or(1, |class| class.all_slots.len());
        let mut object = Object::plain(class, slots);
        object.slots[PROCESS_ID] = Value::Int(i64::try_from(id.0).unwrap_or(i64::MAX));
        self.allocate(object)
    }

    fn is_active(&self, id: ProcessId) -> bool {
        self.proc.id == id
    }
}

fn id_of(vm: &Vm, call: Call) -> Option<ProcessId> {
    match vm.heap.slot(vm.recv_oid(call)?, PROCESS_ID) {
        Value::Int(id) => u64::try_from(id).ok().map(ProcessId),
        _ => None,
    }
}

/// A suspended process that will evaluate the receiver, a block without arguments, at the given
/// priority.
fn new_process(vm: &mut Vm, call: Call) -> Option<Value> {
    let block = vm.recv(call);
    if vm.block(block)?.code.args != 0 || vm.processes.len() >= vm.limits.processes {
        return None;
    }
    let mut process = vm.new_process(vm.proc.tag, Origin::Fork);
    process.condition = Condition::Suspended;
    process.priority = match vm.arg(call, 0) {
        Value::Int(priority) => priority,
        _ => vm.proc.priority,
    };
    let object = vm.process_object(process.id);
    process.object = Some(object);
    let id = vm.add_process(process);
    vm.with_process(id, |vm| {
        vm.push(block);
        vm.activate_block(0, Some(Box::new(After::End)));
    });
    Some(Value::Obj(object))
}

/// Lets a suspended process go on; at once when its priority is higher.
fn resume(vm: &mut Vm, call: Call) -> Option<Done> {
    let id = id_of(vm, call)?;
    let higher = vm.with_process(id, |vm| {
        if vm.proc.condition == Condition::Suspended {
            vm.proc.condition = Condition::Ready;
        }
        vm.proc.priority
    })?;
    let value = vm.recv(call);
    Some(if higher > vm.proc.priority {
        Done::Yield(value)
    } else {
        Done::Value(value)
    })
}

fn suspend(vm: &mut Vm, call: Call) -> Option<Done> {
    let id = id_of(vm, call)?;
    if vm.is_active(id) {
        vm.proc.condition = Condition::Suspended;
        return Some(Done::Yield(Value::Nil));
    }
    vm.with_process(id, |vm| vm.proc.condition = Condition::Suspended)?;
    Some(Done::Value(Value::Nil))
}

/// Unwinds a process. One that has ended already stays so.
fn terminate(vm: &mut Vm, call: Call) -> Option<Done> {
    let id = id_of(vm, call)?;
    if vm.is_active(id) {
        return Some(Done::Flow(vm.begin_ending(Ending::Terminated)));
    }
    vm.with_process(id, |vm| vm.begin_termination(Ending::Terminated));
    Some(Done::Value(vm.recv(call)))
}

/// Signals an exception in another process, wherever that is.
fn signal_exception(vm: &mut Vm, call: Call) -> Option<Done> {
    let id = id_of(vm, call)?;
    let exception = vm.arg(call, 0);
    let selector = vm.symbol("signal");
    if vm.is_active(id) {
        let class = vm.class_oid(exception);
        vm.proc.stack[call.base] = exception;
        vm.proc.stack.truncate(call.base + 1);
        return Some(Done::Send {
            class,
            selector,
            args: 0,
        });
    }
    vm.with_process(id, |vm| {
        vm.push_bridge(exception, selector, &[], Some(After::Drop));
    });
    Some(Done::Value(vm.recv(call)))
}

fn with<T>(vm: &Vm, id: ProcessId, ask: impl FnOnce(&crate::process::Process) -> T) -> Option<T> {
    if vm.is_active(id) {
        Some(ask(&vm.proc))
    } else {
        vm.processes.get(&id).map(ask)
    }
}

fn priority(vm: &mut Vm, call: Call) -> Option<Value> {
    with(vm, id_of(vm, call)?, |process| Value::Int(process.priority))
}

fn set_priority(vm: &mut Vm, call: Call) -> Option<Value> {
    let id = id_of(vm, call)?;
    let Value::Int(priority) = vm.arg(call, 0) else {
        return None;
    };
    if vm.is_active(id) {
        vm.proc.priority = priority;
    } else {
        vm.processes.get_mut(&id)?.priority = priority;
    }
    Some(vm.recv(call))
}

fn name(vm: &mut Vm, call: Call) -> Option<Value> {
    let name = with(vm, id_of(vm, call)?, |process| process.name.clone())?;
    Some(vm.new_string(&name))
}

fn set_name(vm: &mut Vm, call: Call) -> Option<Value> {
    let id = id_of(vm, call)?;
    let name = vm.arg_string(call, 0)?;
    if vm.is_active(id) {
        vm.proc.name = name;
    } else {
        vm.processes.get_mut(&id)?.name = name;
    }
    Some(vm.recv(call))
}

/// One of the Symbols `active`, `ready`, `waiting`, `suspended`, `terminated`.
fn state(vm: &mut Vm, call: Call) -> Option<Value> {
    let id = id_of(vm, call)?;
    let state = match with(vm, id, |process| process.condition) {
        _ if vm.is_active(id) => "active",
        Some(Condition::Ready) => "ready",
        Some(Condition::Waiting { .. }) => "waiting",
        Some(Condition::Suspended | Condition::Debugged) => "suspended",
        Some(Condition::Ended) | None => "terminated",
    };
    Some(vm.new_symbol(state))
}

fn time_in(milliseconds: Value) -> Option<Instant> {
    let Value::Int(milliseconds) = milliseconds else {
        return None;
    };
    let milliseconds = u64::try_from(milliseconds).unwrap_or(0).min(MAX_WAIT_MS);
    Some(Instant::now() + Duration::from_millis(milliseconds))
}

/// Waits so many milliseconds.
fn sleep(vm: &mut Vm, call: Call) -> Option<Done> {
    let until = Some(time_in(vm.arg(call, 0))?);
    vm.proc.condition = Condition::Waiting {
        semaphore: None,
        until,
    };
    Some(Done::Yield(vm.recv(call)))
}

fn semaphore_signal(vm: &mut Vm, call: Call) -> Option<Value> {
    let oid = vm.recv_oid(call)?;
    vm.signal_semaphore(oid)?;
    Some(vm.recv(call))
}

/// Takes a signal, if there is one.
fn take(vm: &mut Vm, oid: Oid) -> Option<bool> {
    let semaphore = vm.semaphore_mut(oid)?;
    let there = semaphore.signals > 0;
    semaphore.signals = semaphore.signals.saturating_sub(1);
    Some(there)
}

fn wait_on(vm: &mut Vm, oid: Oid, until: Option<Instant>) -> Option<()> {
    let id = vm.proc.id;
    vm.semaphore_mut(oid)?.waiting.push_back(id);
    vm.proc.condition = Condition::Waiting {
        semaphore: Some(oid),
        until,
    };
    Some(())
}

fn semaphore_wait(vm: &mut Vm, call: Call) -> Option<Done> {
    let oid = vm.recv_oid(call)?;
    let value = vm.recv(call);
    if take(vm, oid)? {
        return Some(Done::Value(value));
    }
    wait_on(vm, oid, None)?;
    Some(Done::Yield(value))
}

/// Waits at most so many milliseconds; answers whether they went by in vain.
fn semaphore_wait_for(vm: &mut Vm, call: Call) -> Option<Done> {
    let oid = vm.recv_oid(call)?;
    let until = time_in(vm.arg(call, 0))?;
    if take(vm, oid)? {
        return Some(Done::Value(Value::False));
    }
    wait_on(vm, oid, Some(until))?;
    // `wake_sleepers` makes it true.
    Some(Done::Yield(Value::False))
}

fn semaphore_excess(vm: &mut Vm, call: Call) -> Option<Value> {
    let oid = vm.recv_oid(call)?;
    let signals = vm.semaphore_mut(oid)?.signals;
    Some(count(usize::try_from(signals).unwrap_or(usize::MAX)))
}

fn semaphore_is_waiting(vm: &mut Vm, call: Call) -> Option<Value> {
    let oid = vm.recv_oid(call)?;
    Some(Value::from_bool(!vm.semaphore_mut(oid)?.waiting.is_empty()))
}
