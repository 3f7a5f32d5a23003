//! The interpreter: runs the instructions of the active process.
//!
//! Nothing here recurses on the Rust stack for Smalltalk calls: a send pushes a frame and the
//! loop goes on with it. The loop is left at a safe point (a send or a jump backwards, every
//! `FUEL` of them) when the slice is over, and when the process waits, ends or has made a step.

mod arithmetic;
mod contexts;
mod sends;
mod stepping;
mod trouble;
mod unwinding;

pub(crate) use sends::{CACHE_ENTRIES, Cached};
pub(crate) use unwinding::cut;

use std::rc::Rc;
use std::time::Instant;

use crate::bytecode::{Code, ENV_HEADER, Op};
use crate::object::{Block, Body, Object};
use crate::value::{Oid, Value};
use crate::vm::Vm;

/// Sends and backward jumps between two looks at the clock and the heap: some tens of
/// microseconds.
pub(crate) const FUEL: u32 = 2000;

/// Why the loop was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Its time is over; it could go on.
    Preempted,
    /// It gave up its turn: its condition says why.
    Yielded,
    /// It has no frames left.
    Ended,
    /// The step is done.
    Stepped,
}

/// How the loop goes on after an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// With the next instruction of the same frame.
    Next,
    /// With the top frame, which may be another one.
    Frame,
    /// Not at all for now.
    Exit(Exit),
}

impl Vm {
    /// Runs the active process. `STEP` stops where the debugger's step ends.
    pub(crate) fn interpret<const STEP: bool>(&mut self) -> Exit {
        loop {
            let Some(frame) = self.proc.frames.last() else {
                return Exit::Ended;
            };
            let code = Rc::clone(&frame.code);
            let (pc, base) = (frame.pc, frame.base);
            if let Flow::Exit(exit) = self.run_frame::<STEP>(&code, pc, base) {
                return exit;
            }
        }
    }

    /// Runs the top frame until another one is on top.
    #[allow(clippy::too_many_lines)] // a flat list
    fn run_frame<const STEP: bool>(&mut self, code: &Code, mut pc: usize, base: usize) -> Flow {
        /// Leaves the loop unless the flow stays in this frame.
        macro_rules! follow {
            ($flow:expr) => {
                match $flow {
                    Flow::Next => {}
                    other => return other,
                }
            };
        }
        /// Burns fuel; at the safe point the instruction is begun again later.
        macro_rules! safe_point {
            () => {
                self.fuel = self.fuel.saturating_sub(1);
                if self.fuel == 0 {
                    self.save_pc(pc - 1);
                    return self.safe_point();
                }
            };
        }
        /// A conditional jump on the popped top.
        macro_rules! test {
            ($target:expr, $jump:pat, $stay:pat) => {
                match self.pop() {
                    $jump => pc = $target as usize,
                    $stay => {}
                    other => {
                        // It is asked, and its answer takes its place when the jump is tried
                        // again: for ever, if it never is a Boolean.
                        self.push(other);
                        safe_point!();
                        self.save_pc(pc - 1);
                        return self.must_be_boolean();
                    }
                }
            };
        }
        let locals = base + 1;
        loop {
            if STEP && self.step_is_done(pc) {
                self.save_pc(pc);
                return Flow::Exit(Exit::Stepped);
            }
            let Some(op) = code.ops.get(pc).copied() else {
                // Every list of instructions ends with a return.
                return self.return_value(Value::Nil);
            };
            pc += 1;
            match op {
                Op::Nil => self.push(Value::Nil),
                Op::True => self.push(Value::True),
                Op::False => self.push(Value::False),
                Op::SelfValue => self.push(self.receiver()),
                Op::Int(integer) => self.push(Value::Int(integer.into())),
                Op::Literal(index) => self.push(code.literals[index as usize]),
                Op::ThisContext => {
                    let context = self.this_context();
                    self.push(context);
                }
                Op::ThisProcess => {
                    let process = self.active_process_object();
                    self.push(process);
                }
                Op::Local(index) => {
                    let value = self.proc.stack[locals + usize::from(index)];
                    self.push(value);
                }
                Op::StoreLocal(index) => {
                    let value = self.top();
                    self.proc.stack[locals + usize::from(index)] = value;
                }
                Op::PopLocal(index) => {
                    let value = self.pop();
                    self.proc.stack[locals + usize::from(index)] = value;
                }
                Op::Slot(index) => {
                    let value = match self.receiver() {
                        Value::Obj(oid) => self.heap.slot(oid, usize::from(index)),
                        _ => Value::Nil,
                    };
                    self.push(value);
                }
                Op::StoreSlot(index) => {
                    let value = self.top();
                    if let Value::Obj(oid) = self.receiver() {
                        self.heap.set_slot(oid, usize::from(index), value);
                    }
                }
                Op::Outer { depth, index } => {
                    let value = self
                        .environment(depth)
                        .map_or(Value::Nil, |env| self.heap.slot(env, usize::from(index)));
                    self.push(value);
                }
                Op::StoreOuter { depth, index } => {
                    let value = self.top();
                    if let Some(env) = self.environment(depth) {
                        self.heap.set_slot(env, usize::from(index), value);
                    }
                }
                Op::Global(index) => {
                    let value = self.binding_value(code.literals[index as usize]);
                    self.push(value);
                }
                Op::Undeclared(index) => {
                    let binding = code.literals[index as usize];
                    if self.is_undeclared(binding) {
                        self.save_pc(pc);
                        return self.undeclared_read(binding);
                    }
                    let value = self.binding_value(binding);
                    self.push(value);
                }
                Op::StoreGlobal(index) => {
                    let value = self.top();
                    if let Value::Obj(binding) = code.literals[index as usize] {
                        self.heap.set_slot(binding, 1, value);
                    }
                }
                Op::Pop => {
                    self.pop();
                }
                Op::Dup => self.push(self.top()),
                Op::Send(index) => {
                    safe_point!();
                    self.save_pc(pc);
                    let site = code.sites[index as usize];
                    follow!(self.send(site.selector, usize::from(site.args)));
                }
                Op::Super(index) => {
                    safe_point!();
                    self.save_pc(pc);
                    let site = code.sites[index as usize];
                    follow!(self.send_super(code, site));
                }
                Op::Arith(kind, index) => {
                    let len = self.proc.stack.len();
                    let (a, b) = (self.proc.stack[len - 2], self.proc.stack[len - 1]);
                    if let Some(value) = arithmetic::fast(kind, a, b) {
                        self.proc.stack.truncate(len - 1);
                        self.proc.stack[len - 2] = value;
                    } else {
                        safe_point!();
                        self.save_pc(pc);
                        let site = code.sites[index as usize];
                        follow!(self.send(site.selector, 1));
                    }
                }
                Op::Identical => {
                    let (b, a) = (self.pop(), self.pop());
                    self.push(Value::from_bool(a.identical(b)));
                }
                Op::NotIdentical => {
                    let (b, a) = (self.pop(), self.pop());
                    self.push(Value::from_bool(!a.identical(b)));
                }
                Op::Jump(target) => pc = target as usize,
                Op::Loop(target) => {
                    safe_point!();
                    pc = target as usize;
                }
                Op::JumpIfTrue(target) => test!(target, Value::True, Value::False),
                Op::JumpIfFalse(target) => test!(target, Value::False, Value::True),
                Op::KeepIfTrue(target) => {
                    if matches!(self.top(), Value::True) {
                        pc = target as usize;
                    } else {
                        test!(pc, Value::True, Value::False);
                    }
                }
                Op::KeepIfFalse(target) => {
                    if matches!(self.top(), Value::False) {
                        pc = target as usize;
                    } else {
                        test!(pc, Value::False, Value::True);
                    }
                }
                Op::JumpIfNil(target) => {
                    if self.pop().is_nil() {
                        pc = target as usize;
                    }
                }
                Op::JumpIfNotNil(target) => {
                    if !self.pop().is_nil() {
                        pc = target as usize;
                    }
                }
                Op::Enter(index) => self.enter(code.literals[index as usize]),
                Op::Leave => self.leave(),
                Op::Block(index) => self.push_block(&code.blocks[index as usize]),
                Op::Array(count) => {
                    let from = self.proc.stack.len().saturating_sub(count as usize);
                    let elements = self.proc.stack.split_off(from);
                    let array = self.new_array(elements);
                    self.push(array);
                }
                Op::Return => {
                    let value = self.pop();
                    return self.return_value(value);
                }
                Op::ReturnHome => {
                    self.save_pc(pc);
                    let value = self.pop();
                    follow!(self.return_home(value));
                }
            }
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: Value) {
        self.proc.stack.push(value);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Value {
        self.proc.stack.pop().unwrap_or_default()
    }

    #[inline]
    fn top(&self) -> Value {
        self.proc.stack.last().copied().unwrap_or_default()
    }

    #[inline]
    fn receiver(&self) -> Value {
        self.proc
            .frames
            .last()
            .map(|frame| frame.receiver)
            .unwrap_or_default()
    }

    #[inline]
    pub(crate) fn save_pc(&mut self, pc: usize) {
        if let Some(frame) = self.proc.frames.last_mut() {
            frame.pc = pc;
        }
    }

    /// The environment `depth` steps outside the current one.
    fn environment(&self, depth: u16) -> Option<Oid> {
        let mut env = self.proc.frames.last()?.env?;
        for _ in 0..depth {
            let Value::Obj(outside) = self.heap.slot(env, 0) else {
                return None;
            };
            env = outside;
        }
        Some(env)
    }

    fn enter(&mut self, names: Value) {
        let count = match names {
            Value::Obj(names) => match &self.heap.get(names).body {
                Body::Values(names) => names.len(),
                _ => 0,
            },
            _ => 0,
        };
        let outside = self.proc.frames.last().and_then(|frame| frame.env);
        let mut env = Object::plain(self.known.environment, ENV_HEADER + count);
        env.slots[0] = outside.map_or(Value::Nil, Value::Obj);
        env.slots[1] = names;
        let env = self.allocate(env);
        if let Some(frame) = self.proc.frames.last_mut() {
            frame.env = Some(env);
        }
    }

    fn leave(&mut self) {
        let env = self.proc.frames.last().and_then(|frame| frame.env);
        let outside = match env.map(|env| self.heap.slot(env, 0)) {
            Some(Value::Obj(outside)) => Some(outside),
            _ => None,
        };
        if let Some(frame) = self.proc.frames.last_mut() {
            frame.env = outside;
        }
    }

    fn push_block(&mut self, code: &Rc<Code>) {
        let Some(frame) = self.proc.frames.last() else {
            return;
        };
        let block = Block {
            code: Rc::clone(code),
            receiver: frame.receiver,
            env: frame.env,
            home: frame.home,
        };
        let object = Object::with_body(self.known.block, 0, Body::Block(Box::new(block)));
        let oid = self.allocate(object);
        self.push(Value::Obj(oid));
    }

    /// Looks at the clock and the heap. The current instruction has not begun yet.
    fn safe_point(&mut self) -> Flow {
        self.fuel = FUEL;
        self.step_is_put_off();
        if self.collection_is_due() {
            self.collect();
            if self.heap.bytes() > self.limits.heap_bytes {
                return self.heap_is_full();
            }
            self.proc.told_heap_full = false;
        }
        if self.proc.spare_frames > 0 && self.proc.frames.len() < self.limits.frames / 2 {
            self.proc.spare_frames = 0;
        }
        let now = Instant::now();
        let wanted = self.doorbell().rings() && now >= self.least_end;
        if now >= self.slice_end || wanted {
            Flow::Exit(Exit::Preempted)
        } else {
            Flow::Frame
        }
    }
}
