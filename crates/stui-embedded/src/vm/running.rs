//! Starting and stopping: evaluations, calls, interrupts.

use std::rc::Rc;
use std::time::{Duration, Instant};

use stui_smalltalk::parse_script;

use super::{
    CallError, CompiledCode, EvaluationTag, InterruptReason, OnError, PrintedValue, ProcessId,
    ProcessState, SpawnOptions, SyntaxError, Tier, Vm, WorkspaceId,
};
use crate::compiler::{self, Target};
use crate::interpreter::cut;
use crate::process::{After, Condition, Ending, Frame, Origin, Process};
use crate::value::Value;

/// How long the unwind blocks of forked processes may take when their evaluation is over.
const CHILD_ENDING: Duration = Duration::from_millis(500);

impl Vm {
    /// Compiles a do-it. Unknown lower-case names become variables of the workspace (holding nil)
    /// when the whole source compiles.
    ///
    /// # Errors
    /// The first syntax error.
    pub fn compile_expression(
        &mut self,
        workspace: Option<WorkspaceId>,
        source: &str,
    ) -> Result<CompiledCode, SyntaxError> {
        let script = parse_script(source).map_err(|error| SyntaxError::parsing(source, &error))?;
        let class = self.known.undefined_object;
        let target = Target {
            class,
            workspace,
            category: String::new(),
        };
        let (code, declared) = compiler::compile_script(self, &script, source, &target)
            .map_err(|error| SyntaxError::compiling(source, &error))?;
        if let Some(workspace) = workspace {
            for (name, binding) in declared {
                self.declare_variable(workspace, &name, binding);
            }
        }
        let code = Rc::new(code);
        self.compiled.push(Rc::downgrade(&code));
        Ok(CompiledCode { code })
    }

    /// Starts a process that runs `code`; `VmEvent::Ended` tells its end.
    pub fn spawn(&mut self, code: &CompiledCode, options: SpawnOptions) -> ProcessId {
        let mut process = self.process_for(options);
        let id = self.next_frame_id();
        let locals = code.code.locals();
        process.stack.resize(1 + locals, Value::Nil);
        process.frames.push(Frame {
            code: Rc::clone(&code.code),
            pc: 0,
            base: 0,
            receiver: Value::Nil,
            env: None,
            id,
            home: id,
            after: Some(Box::new(After::Evaluated)),
        });
        self.add_process(process)
    }

    fn process_for(&mut self, options: SpawnOptions) -> Process {
        let mut process = self.new_process(options.evaluation, Origin::Owner);
        process.name = options.name;
        process.print_limit = options.print_limit;
        process.debug = options.on_error == OnError::Debug;
        process
    }

    /// Sends a message and runs it to its end now; all other processes wait.
    ///
    /// # Errors
    /// When it fails or `budget` is over.
    pub fn call(
        &mut self,
        receiver: Value,
        selector: &str,
        args: &[Value],
        budget: Duration,
    ) -> Result<Value, CallError> {
        let mut process = self.new_process(EvaluationTag(0), Origin::Call);
        process.condition = Condition::Suspended;
        let id = self.add_process(process);
        let selector = self.symbol(selector);
        self.with_process(id, |vm| {
            vm.push_bridge(receiver, selector, args, Some(After::End));
        });
        let process = self.processes.remove(&id).ok_or(CallError::TooLong)?;
        let ended = self.run_alone(process, budget).ok_or(CallError::TooLong)?;
        match ended.ended {
            None => Ok(ended.result),
            Some(Ending::Failed(report)) => Err(CallError::Failed(report)),
            Some(_) => Err(CallError::TooLong),
        }
    }

    /// The print string of a value, at most `limit` characters. Never fails: when printing does,
    /// the text says so: `a Foo (printing failed: ...)`.
    pub fn print_string(&mut self, value: Value, limit: usize, budget: Duration) -> PrintedValue {
        let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let printed = self.call(value, "printStringLimitedTo:", &[Value::Int(asked)], budget);
        let why = match printed {
            Ok(printed) => match self.string_value(printed) {
                Some(text) => {
                    let (text, truncated) = cut(text, limit);
                    return PrintedValue { text, truncated };
                }
                None => "no string".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        let name = self.class_name_of(value);
        let article = if name.starts_with(['A', 'E', 'I', 'O', 'U']) {
            "an"
        } else {
            "a"
        };
        let (text, truncated) = cut(format!("{article} {name} (printing failed: {why})"), limit);
        PrintedValue { text, truncated }
    }

    /// Signals an `Interrupt` in the process: first tier. Its end comes as `VmEvent::Ended`, or
    /// never when the code swallows it: then `terminate`. A process that is held by the debugger
    /// or suspended is terminated at once.
    pub fn interrupt(&mut self, process: ProcessId, reason: InterruptReason) {
        if self.state(process) == ProcessState::Suspended {
            return self.terminate(process, reason);
        }
        let Some(class) = self.global_value("Interrupt") else {
            return self.terminate(process, reason);
        };
        let signal = self.symbol("signal");
        self.with_process(process, |vm| {
            vm.proc.interrupted = Some(reason);
            vm.push_bridge(class, signal, &[], Some(After::Drop));
        });
    }

    /// Unwinds the process, running its unwind blocks: second tier. They may take for ever: then
    /// `abandon`.
    pub fn terminate(&mut self, process: ProcessId, reason: InterruptReason) {
        let ending = Ending::Stopped {
            reason,
            tier: Tier::Terminate,
        };
        self.with_process(process, |vm| vm.begin_termination(ending));
    }

    /// Lets the active process unwind.
    pub(crate) fn begin_termination(&mut self, ending: Ending) {
        self.proc.condition = Condition::Ready;
        self.proc.stepping = None;
        self.proc.debug = false;
        self.begin_ending(ending);
    }

    /// Drops the frames of the process: third tier, always works. `VmEvent::Ended` is ready
    /// when this returns.
    pub fn abandon(&mut self, process: ProcessId, reason: InterruptReason) {
        let ending = Ending::Stopped {
            reason,
            tier: Tier::Abandon,
        };
        self.with_process(process, |vm| vm.end_process(ending));
    }

    /// Terminates the processes that code of this evaluation forked; says how many. Those whose
    /// unwind blocks do not end within a short time are abandoned.
    pub fn end_children(&mut self, tag: EvaluationTag) -> usize {
        let children = self.children_of(tag);
        for child in &children {
            self.with_process(*child, |vm| {
                vm.proc.deadline = Some(Instant::now() + CHILD_ENDING);
                vm.begin_termination(Ending::Terminated);
            });
        }
        children.len()
    }

    /// How many forked processes of this evaluation live.
    #[must_use]
    pub fn children(&self, tag: EvaluationTag) -> usize {
        self.children_of(tag).len()
    }

    fn children_of(&self, tag: EvaluationTag) -> Vec<ProcessId> {
        let is_child = |p: &&Process| p.tag == tag && p.origin == Origin::Fork;
        self.processes
            .values()
            .filter(is_child)
            .map(|process| process.id)
            .collect()
    }

    /// Where a process is in its life.
    #[must_use]
    pub fn state(&self, process: ProcessId) -> ProcessState {
        match self
            .processes
            .get(&process)
            .map(|process| process.condition)
        {
            Some(Condition::Ready) => ProcessState::Running,
            Some(Condition::Waiting { .. }) => ProcessState::Waiting,
            Some(Condition::Suspended | Condition::Debugged) => ProcessState::Suspended,
            Some(Condition::Ended) | None => ProcessState::Ended,
        }
    }
}
