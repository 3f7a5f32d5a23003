//! Turns: which process runs, for how long, and what wakes those that wait.

use std::mem;
use std::time::{Duration, Instant};

use super::{EvaluationTag, ProcessId, Slice, Vm, VmEvent};
use crate::interpreter::{Exit, FUEL};
use crate::object::{Body, Semaphore};
use crate::process::{Condition, Ending, Origin, Process};
use crate::value::{Oid, Value};

/// How long a process runs before it is the turn of the next.
const TURN: Duration = Duration::from_millis(1);

/// How long it runs at least, though the doorbell rings: a flood of requests slows it down and does
/// not stop it.
const LEAST_TURN: Duration = Duration::from_micros(100);

impl Vm {
    /// Runs ready processes in turn for about `budget`, or less when the doorbell rings.
    pub fn run_slice(&mut self, budget: Duration) -> Slice {
        let begun = Instant::now();
        let end = begun + budget;
        self.least_end = begun + LEAST_TURN;
        loop {
            let now = Instant::now();
            self.wake_sleepers(now);
            self.abandon_overdue(now);
            if now >= end || (self.doorbell.rings() && now >= self.least_end) {
                break;
            }
            let Some(id) = self.next_ready() else { break };
            self.run_turn(id, (now + TURN).min(end));
        }
        Slice {
            runnable: !self.ready.is_empty(),
            next_wakeup: self.sleepers.first().map(|(time, _)| *time),
        }
    }

    /// The process whose turn it is. Evaluations take turns; within one, its highest priority
    /// goes first.
    fn next_ready(&mut self) -> Option<ProcessId> {
        let first = self.processes.get(self.ready.front()?)?;
        let (tag, mut best, mut place) = (first.tag, first.priority, 0);
        for (index, id) in self.ready.iter().enumerate().skip(1) {
            if let Some(other) = self.processes.get(id)
                && other.tag == tag
                && other.priority > best
            {
                (best, place) = (other.priority, index);
            }
        }
        self.ready.remove(place)
    }

    fn run_turn(&mut self, id: ProcessId, until: Instant) {
        let Some(process) = self.processes.remove(&id) else {
            return;
        };
        let idle = mem::replace(&mut self.proc, process);
        self.slice_end = until;
        self.fuel = FUEL;
        let exit = match self.proc.stepping {
            None => self.interpret::<false>(),
            Some(_) => self.interpret::<true>(),
        };
        if exit == Exit::Stepped {
            self.proc.stepping = None;
            self.proc.condition = Condition::Debugged;
            let (process, tag) = (self.proc.id, self.proc.tag);
            self.events.push(VmEvent::Stepped { process, tag });
        }
        self.put_back(idle);
    }

    /// Puts the active process among the others, where its condition says, and makes `next` the
    /// active one.
    fn put_back(&mut self, next: Process) {
        let process = mem::replace(&mut self.proc, next);
        let id = process.id;
        match process.condition {
            Condition::Ended => return,
            Condition::Ready => self.ready.push_back(id),
            Condition::Waiting {
                until: Some(until), ..
            } => {
                self.sleepers.insert((until, id));
            }
            _ => {}
        }
        self.processes.insert(id, process);
    }

    /// Makes `id` the active process while `change` works on it, then puts it back. Whatever it
    /// waited for is given up. `None` when there is no such process or it is the active one.
    pub(crate) fn with_process<T>(
        &mut self,
        id: ProcessId,
        change: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let process = self.processes.remove(&id)?;
        let active = mem::replace(&mut self.proc, process);
        self.stop_waiting();
        let answer = change(self);
        self.put_back(active);
        Some(answer)
    }

    /// Takes the active process out of every queue.
    fn stop_waiting(&mut self) {
        let id = self.proc.id;
        self.ready.retain(|other| *other != id);
        if let Condition::Waiting { semaphore, until } = self.proc.condition {
            if let Some(until) = until {
                self.sleepers.remove(&(until, id));
            }
            if let Some(body) = semaphore.and_then(|oid| self.semaphore_mut(oid)) {
                body.waiting.retain(|other| *other != id);
            }
            self.proc.condition = Condition::Ready;
        }
    }

    fn wake_sleepers(&mut self, now: Instant) {
        while let Some((time, id)) = self.sleepers.first().copied()
            && time <= now
        {
            self.sleepers.remove(&(time, id));
            let condition = self.processes.get(&id).map(|process| process.condition);
            // A wait on a semaphore answers whether its time was over.
            let timed = matches!(
                condition,
                Some(Condition::Waiting {
                    semaphore: Some(_),
                    ..
                })
            );
            self.with_process(id, |vm| {
                if timed && let Some(answer) = vm.proc.stack.last_mut() {
                    *answer = Value::True;
                }
            });
        }
    }

    fn abandon_overdue(&mut self, now: Instant) {
        let is_overdue = |process: &&Process| process.deadline.is_some_and(|end| end <= now);
        let overdue: Vec<_> = self
            .processes
            .values()
            .filter(is_overdue)
            .map(|process| process.id)
            .collect();
        for id in overdue {
            self.with_process(id, |vm| vm.end_process(Ending::Terminated));
        }
    }

    /// The body of a semaphore.
    pub(crate) fn semaphore_mut(&mut self, oid: Oid) -> Option<&mut Semaphore> {
        match &mut self.heap.get_mut(oid).body {
            Body::Semaphore(semaphore) => Some(semaphore),
            _ => None,
        }
    }

    /// Signals a semaphore: wakes the one that waits longest, or counts.
    pub(crate) fn signal_semaphore(&mut self, oid: Oid) -> Option<()> {
        loop {
            let Some(id) = self.semaphore_mut(oid)?.waiting.pop_front() else {
                self.semaphore_mut(oid)?.signals += 1;
                return Some(());
            };
            // One that ended meanwhile is passed over.
            if self.with_process(id, |_| ()).is_some() {
                return Some(());
            }
        }
    }

    /// A new process, suspended, not yet among the others.
    pub(crate) fn new_process(&mut self, tag: EvaluationTag, origin: Origin) -> Process {
        self.last_process += 1;
        Process::new(ProcessId(self.last_process), tag, origin)
    }

    /// Puts a new process among the others, where its condition says.
    pub(crate) fn add_process(&mut self, process: Process) -> ProcessId {
        let id = process.id;
        if process.condition == Condition::Ready {
            self.ready.push_back(id);
        }
        self.processes.insert(id, process);
        id
    }

    /// Runs a process to its end, all others waiting. What it leaves is answered; `None` when the
    /// budget is over or it waits.
    pub(super) fn run_alone(&mut self, process: Process, budget: Duration) -> Option<Process> {
        let idle = mem::replace(&mut self.proc, process);
        self.slice_end = Instant::now() + budget;
        self.least_end = self.slice_end;
        self.fuel = FUEL;
        self.interpret::<false>();
        let process = mem::replace(&mut self.proc, idle);
        (process.condition == Condition::Ended).then_some(process)
    }
}
