//! Sends: lookup with a global cache, primitives, frames. What goes wrong is in `trouble`.

use std::rc::Rc;

use super::{Exit, Flow};
use crate::bytecode::{Code, Marker, Quick, Site};
use crate::object::Body;
use crate::primitives::{Call, Done, Primitive};
use crate::process::{After, Frame};
use crate::value::{Oid, Value};
use crate::vm::Vm;

/// Entries of the method cache; a power of two.
pub(crate) const CACHE_ENTRIES: usize = 4096;

/// How often one send may turn into another one by `perform:`.
const MAX_PERFORMS: usize = 100;

/// One answered lookup.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cached {
    key: Option<(Oid, Oid)>,
    code: Option<Rc<Code>>,
}

impl Vm {
    /// Sends `selector` to the object below the arguments on the stack.
    pub(crate) fn send(&mut self, selector: Oid, args: usize) -> Flow {
        let at = self.proc.stack.len().saturating_sub(args + 1);
        let receiver = self.proc.stack.get(at).copied().unwrap_or_default();
        let class = self.class_oid(receiver);
        self.send_from(class, selector, args)
    }

    pub(super) fn send_super(&mut self, code: &Code, site: Site) -> Flow {
        let above = self
            .heap
            .class(code.method_class)
            .and_then(|class| class.superclass);
        match above {
            Some(class) => self.send_from(class, site.selector, usize::from(site.args)),
            None => self.not_understood(site.selector, usize::from(site.args)),
        }
    }

    /// A send whose lookup starts at `class`.
    pub(crate) fn send_from(&mut self, class: Oid, selector: Oid, args: usize) -> Flow {
        let (mut class, mut selector, mut args) = (class, selector, args);
        for _ in 0..MAX_PERFORMS {
            let Some(code) = self.lookup(class, selector) else {
                return self.not_understood(selector, args);
            };
            let at = self.proc.stack.len() - args - 1;
            if !code.breakpoint.get() && self.answer_quickly(code.quick, at) {
                return Flow::Next;
            }
            let Some(primitive) = code.primitive else {
                return self.activate(code, at);
            };
            match self.run_primitive(primitive, Call { base: at, args }) {
                Done::Value(value) => {
                    self.proc.stack.truncate(at);
                    self.push(value);
                    return Flow::Next;
                }
                Done::Yield(value) => {
                    self.proc.stack.truncate(at);
                    self.push(value);
                    return Flow::Exit(Exit::Yielded);
                }
                Done::Flow(flow) => return flow,
                Done::NoMemory => return self.signal_class("OutOfMemory", at),
                Done::Fail => return self.activate(code, at),
                Done::Send {
                    class: c,
                    selector: s,
                    args: a,
                } => (class, selector, args) = (c, s, a),
            }
        }
        // Only a `perform:` that performs itself comes here.
        let at = self.proc.stack.len() - args - 1;
        self.recursion_too_deep(at)
    }

    fn run_primitive(&mut self, primitive: Primitive, call: Call) -> Done {
        let done = primitive(self, call);
        if !matches!(done, Done::NoMemory) {
            return done;
        }
        // Receiver and arguments are still on the stack: nothing is lost.
        self.collect();
        primitive(self, call)
    }

    /// Puts the value of a method that needs no frame in the place of the receiver.
    #[inline]
    fn answer_quickly(&mut self, quick: Quick, at: usize) -> bool {
        match quick {
            Quick::None => return false,
            Quick::SelfValue => {}
            Quick::Constant(value) => self.proc.stack[at] = value,
            Quick::Slot(index) => {
                if let Value::Obj(oid) = self.proc.stack[at] {
                    self.proc.stack[at] = self.heap.slot(oid, usize::from(index));
                }
            }
        }
        true
    }

    /// Pushes a frame for a method whose receiver and arguments lie on the stack from `at` on.
    fn activate(&mut self, code: Rc<Code>, at: usize) -> Flow {
        if self.proc.frames.len() >= self.limits.frames + self.proc.spare_frames {
            return self.recursion_too_deep(at);
        }
        let breaks = code.breakpoint.get();
        let receiver = self.proc.stack[at];
        let id = self.next_frame_id();
        self.proc.stack.resize(at + 1 + code.locals(), Value::Nil);
        let frame = Frame {
            code,
            pc: 0,
            base: at,
            receiver,
            env: None,
            id,
            home: id,
            after: None,
        };
        self.proc.frames.push(frame);
        if breaks {
            self.breakpoint_hit()
        } else {
            Flow::Frame
        }
    }

    /// Pushes a frame for a closure that lies on the stack at `at`, its arguments above it.
    /// `None` when there is no closure or its number of arguments differs.
    pub(crate) fn activate_block(&mut self, at: usize, after: Option<Box<After>>) -> Option<Flow> {
        let Value::Obj(oid) = self.proc.stack.get(at).copied()? else {
            return None;
        };
        let Body::Block(block) = &self.heap.get(oid).body else {
            return None;
        };
        if at + 1 + usize::from(block.code.args) != self.proc.stack.len() {
            return None;
        }
        let (code, receiver) = (Rc::clone(&block.code), block.receiver);
        let env = block.env;
        // A compiled script that is evaluated like a block is its own home.
        let home = code.is_block.then_some(block.home);
        if self.proc.frames.len() >= self.limits.frames + self.proc.spare_frames {
            return Some(self.recursion_too_deep(at));
        }
        let id = self.next_frame_id();
        let home = home.unwrap_or(id);
        self.proc.stack.resize(at + 1 + code.locals(), Value::Nil);
        self.proc.frames.push(Frame {
            code,
            pc: 0,
            base: at,
            receiver,
            env,
            id,
            home,
            after,
        });
        Some(Flow::Frame)
    }

    pub(crate) fn next_frame_id(&mut self) -> u64 {
        self.last_frame += 1;
        self.last_frame
    }

    /// The code that `class` understands `selector` with.
    pub(crate) fn lookup(&mut self, class: Oid, selector: Oid) -> Option<Rc<Code>> {
        let hash = class.index().wrapping_mul(31) ^ selector.index().wrapping_mul(7);
        let place = hash & (CACHE_ENTRIES - 1);
        let cached = &self.cache[place];
        if cached.key == Some((class, selector)) {
            return cached.code.clone();
        }
        let code = self.find_method(class, selector);
        if code.is_some() {
            self.cache[place] = Cached {
                key: Some((class, selector)),
                code: code.clone(),
            };
        }
        code
    }

    fn find_method(&self, class: Oid, selector: Oid) -> Option<Rc<Code>> {
        let mut next = Some(class);
        while let Some(class) = next.and_then(|oid| self.heap.class(oid)) {
            if let Some(method) = class.methods.get(&selector)
                && let Body::Method(code) = &self.heap.get(*method).body
            {
                return Some(Rc::clone(code));
            }
            next = class.superclass;
        }
        None
    }

    /// Forgets all answered lookups: methods or classes have changed.
    pub(crate) fn flush_cache(&mut self) {
        self.cache.fill(Cached::default());
    }

    /// Pushes a frame that sends one message; it is hidden from stacks.
    pub(crate) fn push_bridge(
        &mut self,
        receiver: Value,
        selector: Oid,
        args: &[Value],
        after: Option<After>,
    ) {
        let code = Rc::new(self.bridge_code(selector, args.len()));
        let base = self.proc.stack.len();
        self.push(receiver);
        self.proc.stack.extend_from_slice(args);
        let id = self.next_frame_id();
        let after = after.map(Box::new);
        self.proc.frames.push(Frame {
            code,
            pc: 0,
            base,
            receiver,
            env: None,
            id,
            home: id,
            after,
        });
    }

    fn bridge_code(&self, selector: Oid, args: usize) -> Code {
        use crate::bytecode::Op;
        let args = u16::try_from(args).unwrap_or(u16::MAX);
        let mut ops = vec![Op::SelfValue];
        ops.extend((0..args).map(Op::Local));
        ops.extend([Op::Send(0), Op::Return]);
        Code {
            ranges: vec![(0, 0); ops.len()],
            ops,
            sites: vec![Site { selector, args }],
            args,
            marker: Marker::Bridge,
            ..Code::empty(selector, self.known.undefined_object)
        }
    }
}
