//! What the VM tells its owner: outputs, ends of processes, suspensions.
//!
//! Plain data without references into the heap, apart from pins, which keep their value alive
//! until they are released.

/// Names the evaluation that a process works for; chosen by the owner of the VM.
/// Processes forked by Smalltalk code inherit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct EvaluationTag(pub u64);

/// A Smalltalk process of this VM. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(pub(crate) u64);

/// A value kept alive from outside the heap, until `Vm::unpin`.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Clone, Copy)]
pub struct Pin(pub(crate) u64);

/// Something that happened since the last `Vm::take_events`.
#[derive(Debug, Clone, PartialEq)]
pub enum VmEvent {
    /// Text was written to the Transcript. Tag 0 is nobody's evaluation.
    Output {
        /// Whose.
        tag: EvaluationTag,
        /// What.
        text: String,
    },
    /// A process started by the owner (never a forked child) came to its end.
    Ended {
        /// Which.
        process: ProcessId,
        /// Whose.
        tag: EvaluationTag,
        /// How.
        outcome: Outcome,
    },
    /// A process with `OnError::Debug` met an unhandled error, a halt or a breakpoint and waits
    /// with its stack whole.
    Suspended {
        /// Which.
        process: ProcessId,
        /// Whose.
        tag: EvaluationTag,
        /// Why.
        error: ErrorReport,
    },
    /// A step asked for with `Vm::step` is done; the process is suspended again.
    Stepped {
        /// Which.
        process: ProcessId,
        /// Whose.
        tag: EvaluationTag,
    },
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With a value.
    Finished {
        /// The value, pinned for the owner, who unpins it.
        value: Pin,
        /// Its print string when one was asked for, else empty.
        printed: String,
        /// The print string was cut at the limit.
        truncated: bool,
        /// The name of the value's class.
        class_name: String,
    },
    /// With an unhandled error, a halt, or a failing print.
    Failed(ErrorReport),
    /// It was interrupted by the user.
    Interrupted {
        /// What it took.
        tier: Tier,
    },
    /// It was interrupted because its time was over.
    TimedOut {
        /// What it took.
        tier: Tier,
    },
    /// It ended itself (`Processor terminateActive` and the like), without a value.
    Terminated,
}

/// How far an interrupt had to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// An exception signalled in the process unwound it.
    Signal,
    /// The process was unwound from outside, running its `ensure:` blocks.
    Terminate,
    /// Its frames were dropped.
    Abandon,
    /// There was nothing to interrupt.
    Idle,
}

/// Why a process is interrupted: decides between `Outcome::Interrupted` and `Outcome::TimedOut`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptReason {
    /// Somebody asked.
    User,
    /// Its time is over.
    Timeout,
}

/// An unhandled exception in texts. All texts are bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorReport {
    /// Name of the exception's class, `ZeroDivide`.
    pub class: String,
    /// Its message text, or the class name when it has none.
    pub message: String,
    /// Print string of the receiver of the frame that signalled.
    pub receiver: String,
    /// Innermost first, starting at the frame that signalled.
    pub stack: Vec<FrameText>,
}

/// One line of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrameText {
    /// As Pharo shows it: `SmallInteger>>/`, `[ ... ] in Foo>>bar:`, `UndefinedObject>>DoIt`.
    pub text: String,
    /// 1-based line in the method's or do-it's source; 0 when there is no source.
    pub line: usize,
}

impl ErrorReport {
    /// The report of a process that nobody waits for, as output of its evaluation.
    pub(crate) fn in_forked_process(&self) -> String {
        const LINES: usize = 10;
        let mut text = format!("{} in a forked process: {}\n", self.class, self.message);
        for frame in self.stack.iter().take(LINES) {
            text.push_str("    ");
            text.push_str(&frame.text);
            text.push('\n');
        }
        text
    }
}
