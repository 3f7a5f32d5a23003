//! One evaluation under way.

use std::time::{Duration, Instant};

use super::super::commands::file_in::FileInRun;
use super::super::commands::inspect::Look;
use super::super::commands::run_tests::TestRun;
use super::super::escalation::Escalation;
use super::super::output::Output;
use super::Due;
use crate::vm::{EvaluationTag, FrameText, ProcessId, WorkspaceId};

/// What is done.
#[derive(Debug)]
pub(in crate::server) enum Work {
    /// `evaluate`.
    Code {
        /// The code, for the history.
        code: String,
        /// Whether the value goes into the registry.
        keep_result: bool,
    },
    /// `run_tests`.
    Tests(TestRun),
    /// `inspect` of an expression.
    Look(Look),
    /// `define_class`.
    Definition,
    /// `file_in`.
    FileIn(FileInRun),
}

impl Work {
    /// Whether clients know it as an evaluation: it makes a session busy, has events and a status.
    pub(in crate::server) fn is_visible(&self) -> bool {
        matches!(self, Self::Code { .. } | Self::Tests(_))
    }
}

/// A request that waits for the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct Waiter {
    /// Its id.
    pub(in crate::server) request: String,
    /// Then it is told that the evaluation goes on; never when absent.
    pub(in crate::server) until: Option<Instant>,
    /// And the output behind so many characters, if it wants that.
    pub(in crate::server) output_from: Option<u64>,
}

impl Waiter {
    /// One that wants the end only.
    pub(in crate::server) fn new(request: &str, until: Option<Instant>) -> Self {
        Self {
            request: request.to_owned(),
            until,
            output_from: None,
        }
    }
}

/// A request that had the evaluation stopped and is answered when it has.
#[derive(Debug)]
pub(in crate::server) enum StopAsker {
    /// `interrupt`.
    Interrupt {
        /// The request's id.
        request: String,
    },
    /// `close_session`.
    Close {
        /// The request's id.
        request: String,
        /// The session.
        session: String,
    },
}

/// An evaluation under way.
#[derive(Debug)]
pub(in crate::server) struct Evaluation {
    /// The id of the request that started it.
    pub(in crate::server) id: String,
    /// Its name towards the VM.
    pub(in crate::server) tag: EvaluationTag,
    pub(in crate::server) session: Option<String>,
    pub(in crate::server) workspace: WorkspaceId,
    /// Whether the workspace goes when the evaluation does.
    pub(in crate::server) owns_workspace: bool,
    /// The process that works for it now.
    pub(in crate::server) process: ProcessId,
    pub(in crate::server) work: Work,
    pub(in crate::server) started: Instant,
    /// How long it may run.
    pub(in crate::server) timeout_ms: Option<u64>,
    deadline: Option<Instant>,
    pub(in crate::server) output: Output,
    pub(in crate::server) waiters: Vec<Waiter>,
    pub(in crate::server) stop_askers: Vec<StopAsker>,
    /// Set while it is being stopped.
    pub(in crate::server) stopping: Option<Escalation>,
    /// Where it was when somebody began to stop it.
    pub(in crate::server) stopped_in: Vec<FrameText>,
}

impl Evaluation {
    /// An evaluation without session, process, waiters or end. Process and workspace are set when
    /// they are known.
    pub(in crate::server) fn new(
        id: String,
        tag: EvaluationTag,
        work: Work,
        now: Instant,
        output_bytes: usize,
    ) -> Self {
        Self {
            id,
            tag,
            session: None,
            workspace: WorkspaceId(0),
            owns_workspace: false,
            process: ProcessId(0),
            work,
            started: now,
            timeout_ms: None,
            deadline: None,
            output: Output::new(output_bytes),
            waiters: Vec::new(),
            stop_askers: Vec::new(),
            stopping: None,
            stopped_in: Vec::new(),
        }
    }

    /// The same, to be stopped when it has run that long.
    pub(in crate::server) fn timing_out(mut self, timeout_ms: Option<u64>) -> Self {
        self.timeout_ms = timeout_ms;
        self.deadline =
            timeout_ms.and_then(|ms| self.started.checked_add(Duration::from_millis(ms)));
        self
    }

    /// Milliseconds since it started.
    pub(in crate::server) fn age_ms(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.started);
        (age.as_secs_f64() * 1_000_000.0).round() / 1000.0
    }

    /// Adds what is due.
    pub(super) fn due(&mut self, now: Instant, due: &mut Vec<Due>) {
        if self.deadline.is_some_and(|at| at <= now) {
            self.deadline = None;
            if self.stopping.is_none() {
                due.push(Due::TimeOver(self.tag));
            }
        }
        if let Some(push) = self.stopping.as_mut().and_then(|going| going.due(now)) {
            due.push(Due::Push(self.tag, push));
        }
        let tag = self.tag;
        self.waiters.retain(|waiter| {
            let over = waiter.until.is_some_and(|at| at <= now);
            if over {
                due.push(Due::WaitOver(waiter.clone(), tag));
            }
            !over
        });
    }

    /// When something is due next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let waits = self.waiters.iter().filter_map(|waiter| waiter.until);
        let push = self.stopping.as_ref().and_then(Escalation::deadline);
        waits.chain(self.deadline).chain(push).min()
    }
}
