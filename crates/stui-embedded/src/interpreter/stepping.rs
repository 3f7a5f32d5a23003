//! Where a step of the debugger ends.
//!
//! Steps are seen in sends, stores and returns; what lies between is done in one go.

use crate::bytecode::Op;
use crate::vm::{Step, Vm};

impl Vm {
    /// Whether the process, about to execute the instruction at `pc` of its top frame, has made
    /// the step it was asked for. If not, the instruction counts as done.
    pub(super) fn step_is_done(&mut self, pc: usize) -> bool {
        let is_done = self.is_at_step_end(pc);
        if let Some(stepping) = &mut self.proc.stepping {
            stepping.done += 1;
        }
        is_done
    }

    /// The instruction that was counted last is begun again later.
    pub(super) fn step_is_put_off(&mut self) {
        if let Some(stepping) = &mut self.proc.stepping {
            stepping.done -= 1;
        }
    }

    fn is_at_step_end(&self, pc: usize) -> bool {
        let (Some(stepping), Some(frame)) = (self.proc.stepping, self.proc.frames.last()) else {
            return false;
        };
        let is_hidden = self.is_hidden(self.proc.frames.len() - 1);
        let Some(op) = frame.code.ops.get(pc) else {
            return false;
        };
        if is_hidden || !is_step(*op) {
            return false;
        }
        let moved = stepping.done > 0;
        match stepping.step {
            Step::Into => moved,
            Step::Over => moved && frame.id <= stepping.frame,
            Step::Out => frame.id < stepping.frame,
        }
    }
}

fn is_step(op: Op) -> bool {
    matches!(
        op,
        Op::Send(_)
            | Op::Super(_)
            | Op::Arith(..)
            | Op::StoreLocal(_)
            | Op::PopLocal(_)
            | Op::StoreSlot(_)
            | Op::StoreOuter { .. }
            | Op::StoreGlobal(_)
            | Op::Return
            | Op::ReturnHome
    )
}
