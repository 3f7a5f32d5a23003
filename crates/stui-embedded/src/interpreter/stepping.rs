//! Where a step of the debugger ends.
//!
//! Steps are seen in sends, stores and returns; what lies between is done in one go.

use crate::bytecode::Op;
use crate::vm::{Step, Vm};

impl Vm {
    /// Whether the process, about to execute the instruction at `pc` of its top frame, has made
    /// the step it was asked for.
    pub(super) fn step_is_done(&self, pc: usize) -> bool {
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
        let moved = frame.id != stepping.frame || pc != stepping.pc;
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
