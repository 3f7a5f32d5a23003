//! Allocation and collection: what the collector starts from, and when it runs.

use super::{HeapStats, ProcessId, Vm};
use crate::bytecode::Code;
use crate::heap::Heap;
use crate::object::Object;
use crate::process::{After, Condition, Origin, Process, Unwind};
use crate::value::{Oid, Value};

/// Fresh bytes before the first collection.
pub(super) const FIRST_COLLECTION_BYTES: usize = 32 << 20;

/// Fewest fresh bytes between two collections, so that a nearly full heap does not collect all
/// the time.
const LEAST_FRESH_BYTES: usize = 4 << 20;

/// An object up to this size is made without a look at the limit.
const SMALL_BYTES: usize = 64 << 10;

impl Vm {
    /// Takes an object in. Never collects: primitives and the compiler may hold values.
    pub(crate) fn allocate(&mut self, object: Object) -> Oid {
        let oid = self.heap.add(object);
        if self.collection_is_due() {
            // The next safe point comes at once.
            self.fuel = 1;
        }
        oid
    }

    /// Whether `bytes` more would fit into the heap. When not, a primitive answers
    /// `Done::NoMemory`: it is tried once more after a collection.
    /// What is small fits: the exception that tells of a full heap needs room itself, and the
    /// next safe point looks at the whole.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        bytes <= SMALL_BYTES || self.heap.bytes().saturating_add(bytes) <= self.limits.heap_bytes
    }

    pub(crate) fn collection_is_due(&self) -> bool {
        self.heap.fresh_bytes > self.collect_at_bytes
            || self
                .stress
                .is_some_and(|objects| self.heap.fresh_objects >= objects)
    }

    /// Collects garbage now.
    pub fn collect_garbage(&mut self) {
        self.collect();
    }

    /// For tests: collects whenever so many objects were made, to find what nobody holds.
    pub fn stress_collector(&mut self, objects: Option<usize>) {
        self.stress = objects;
    }

    /// Marks from the roots and sweeps.
    pub(crate) fn collect(&mut self) {
        for class in self.known.classes() {
            self.heap.mark_object(class);
        }
        let known = &self.known;
        for symbol in [
            known.does_not_understand,
            known.must_be_boolean,
            known.cannot_return,
        ] {
            self.heap.mark_object(symbol);
        }
        let workspaces = self
            .workspaces
            .values()
            .flat_map(|variables| variables.values());
        let bindings = self
            .globals
            .values()
            .chain(self.undeclared.values())
            .chain(workspaces);
        for binding in bindings {
            self.heap.mark_object(*binding);
        }
        for value in self.pins.values() {
            self.heap.mark(*value);
        }
        let heap = &mut self.heap;
        self.compiled.retain(|code| match code.upgrade() {
            Some(code) => {
                heap.mark_code(&code);
                true
            }
            None => false,
        });
        let mut sleeping = Vec::new();
        for process in self.processes.values().chain([&self.proc]) {
            if is_forgettable(process) {
                sleeping.push(process);
            } else {
                mark_process(heap, process);
            }
        }
        heap.trace();
        let forgotten = mark_reachable(heap, sleeping);
        heap.sweep();
        for id in forgotten {
            self.processes.remove(&id);
        }
        // A cached method may be gone, and its place taken by another class or symbol.
        self.flush_cache();
        let room = self.limits.heap_bytes.saturating_sub(self.heap.bytes());
        let wanted = (self.heap.bytes() / 2).max(FIRST_COLLECTION_BYTES);
        self.collect_at_bytes = wanted.min(room).max(LEAST_FRESH_BYTES);
    }

    /// Numbers about the heap.
    #[must_use]
    pub fn heap_stats(&self) -> HeapStats {
        HeapStats {
            objects: self.heap.objects(),
            bytes: self.heap.bytes(),
            limit_bytes: self.limits.heap_bytes,
            collections: self.heap.collections,
        }
    }
}

/// Whether only an object can wake the process: itself, by `resume`, or its semaphore.
fn is_forgettable(process: &Process) -> bool {
    process.origin == Origin::Fork
        && matches!(
            process.condition,
            Condition::Suspended
                | Condition::Waiting {
                    semaphore: Some(_),
                    until: None
                }
        )
}

/// Marks the processes among `sleeping` that something can still wake, and answers the others:
/// as in Pharo they are garbage, without their unwind blocks being run.
fn mark_reachable(heap: &mut Heap, mut sleeping: Vec<&Process>) -> Vec<ProcessId> {
    loop {
        let (awakable, rest): (Vec<_>, Vec<_>) = sleeping
            .into_iter()
            .partition(|process| is_reachable(heap, process));
        if awakable.is_empty() {
            return rest.into_iter().map(|process| process.id).collect();
        }
        for process in awakable {
            mark_process(heap, process);
        }
        heap.trace();
        sleeping = rest;
    }
}

fn is_reachable(heap: &Heap, process: &Process) -> bool {
    let semaphore = match process.condition {
        Condition::Waiting { semaphore, .. } => semaphore,
        _ => None,
    };
    process
        .object
        .into_iter()
        .chain(semaphore)
        .any(|oid| heap.get(oid).marked)
}

fn mark_process(heap: &mut Heap, process: &Process) {
    for value in &process.stack {
        heap.mark(*value);
    }
    for frame in &process.frames {
        let code: &Code = &frame.code;
        heap.mark_code(code);
        heap.mark(frame.receiver);
        if let Some(env) = frame.env {
            heap.mark_object(env);
        }
        if let Some(After::Unwind(unwind)) = frame.after.as_deref() {
            mark_unwind(heap, unwind);
        }
    }
    heap.mark(process.result);
    if let Some(exception) = process.exception {
        heap.mark(exception);
    }
    if let Some(object) = process.object {
        heap.mark_object(object);
    }
    if let Condition::Waiting {
        semaphore: Some(semaphore),
        ..
    } = process.condition
    {
        heap.mark_object(semaphore);
    }
}

fn mark_unwind(heap: &mut Heap, unwind: &Unwind) {
    match unwind {
        Unwind::Return { value, .. } => heap.mark(*value),
        Unwind::Restart { receiver, .. } => heap.mark(receiver.unwrap_or(Value::Nil)),
        Unwind::End(_) => {}
    }
}
