//! The cast: an image with one workspace, and a person who evaluates in it.

use std::time::{Duration, Instant};

use stui_embedded::value::Value;
use stui_embedded::vm::{
    ErrorReport, EvaluationTag, Limits, OnError, Outcome, ProcessId, Slice, SpawnOptions, Vm,
    VmEvent, WorkspaceId,
};

/// How long an event may let wait for it.
const PATIENCE: Duration = Duration::from_secs(20);

const SLICE: Duration = Duration::from_millis(5);

/// The tag of all evaluations here.
pub(crate) const TAG: EvaluationTag = EvaluationTag(7);

pub(crate) struct Image {
    pub(crate) vm: Vm,
    pub(crate) workspace: WorkspaceId,
    /// Everything written to the Transcript.
    pub(crate) output: String,
}

impl Image {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let mut vm = Vm::new(limits).unwrap();
        let workspace = vm.new_workspace();
        Self {
            vm,
            workspace,
            output: String::new(),
        }
    }

    pub(crate) fn start(&mut self, source: &str) -> ProcessId {
        self.start_as(source, OnError::Return)
    }

    pub(crate) fn start_as(&mut self, source: &str, on_error: OnError) -> ProcessId {
        let code = self
            .vm
            .compile_expression(Some(self.workspace), source)
            .unwrap_or_else(|error| panic!("{source}: {error} at {}", error.position));
        let options = SpawnOptions {
            evaluation: TAG,
            name: "test".to_owned(),
            print_limit: Some(1000),
            on_error,
        };
        self.vm.spawn(&code, options)
    }

    /// Runs until an event is what is waited for.
    pub(crate) fn wait_for<T>(&mut self, mut wanted: impl FnMut(VmEvent) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            self.vm.run_slice(SLICE);
            let mut found = None;
            for event in self.vm.take_events() {
                match event {
                    VmEvent::Output { text, .. } => self.output.push_str(&text),
                    other => found = found.or(wanted(other)),
                }
            }
            if let Some(found) = found {
                return found;
            }
        }
        panic!("what was waited for did not happen");
    }

    pub(crate) fn end_of(&mut self, process: ProcessId) -> Outcome {
        self.wait_for(|event| match event {
            VmEvent::Ended {
                process: ended,
                outcome,
                ..
            } if ended == process => Some(outcome),
            _ => None,
        })
    }

    pub(crate) fn suspension_of(&mut self, process: ProcessId) -> ErrorReport {
        self.wait_for(|event| match event {
            VmEvent::Suspended {
                process: held,
                error,
                ..
            } if held == process => Some(error),
            _ => None,
        })
    }

    /// Lets time pass for the image.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.vm.run_slice(SLICE);
            for event in self.vm.take_events() {
                if let VmEvent::Output { text, .. } = event {
                    self.output.push_str(&text);
                }
            }
        }
    }

    /// Runs until nothing can run any more; answers the last slice.
    pub(crate) fn run_until_idle(&mut self) -> Slice {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let slice = self.vm.run_slice(SLICE);
            if !slice.runnable {
                return slice;
            }
        }
        panic!("something runs on");
    }

    pub(crate) fn outcome(&mut self, source: &str) -> Outcome {
        let process = self.start(source);
        self.end_of(process)
    }

    /// The print string of the value.
    pub(crate) fn eval(&mut self, source: &str) -> String {
        match self.outcome(source) {
            Outcome::Finished { printed, value, .. } => {
                self.vm.unpin(value);
                printed
            }
            other => panic!("{source}: {other:?}"),
        }
    }

    pub(crate) fn failure(&mut self, source: &str) -> ErrorReport {
        match self.outcome(source) {
            Outcome::Failed(report) => report,
            other => panic!("{source}: {other:?}"),
        }
    }

    pub(crate) fn variable(&self, name: &str) -> Value {
        let variables = self.vm.variables(self.workspace);
        variables
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
            .unwrap()
    }

    pub(crate) fn define(&mut self, definition: &str, methods: &[&str]) {
        let name = self.eval(definition);
        let class = self.vm.find_class(&name).unwrap();
        for method in methods {
            self.vm
                .compile_method(class, false, method, "test")
                .unwrap();
        }
    }
}

pub(crate) fn stack_of(report: &ErrorReport) -> Vec<&str> {
    report
        .stack
        .iter()
        .map(|frame| frame.text.as_str())
        .collect()
}
