//! The table of debug sessions: processes that were kept at an unhandled error, a halt or a
//! breakpoint.
//!
//! Pure: what the VM has to do stands in the command `debug`.

use std::time::Instant;

use stui_protocol::{ErrorType, Failure};

use super::escalation::{Escalation, Push};
use super::evaluations::Waiter;
use super::output::Output;
use crate::vm::{EvaluationTag, ProcessId, WorkspaceId};

/// Kept processes in all; the oldest is ended when one more comes. Each keeps its stack alive.
pub(super) const MAX_DEBUG_SESSIONS: usize = 64;

/// One kept process.
#[derive(Debug)]
pub(super) struct DebugSession {
    pub(super) id: String,
    pub(super) evaluation_id: String,
    pub(super) session: Option<String>,
    pub(super) workspace: WorkspaceId,
    pub(super) owns_workspace: bool,
    pub(super) process: ProcessId,
    pub(super) tag: EvaluationTag,
    /// Whether it was told to go on and has not stood still since.
    pub(super) running: bool,
    pub(super) output: Output,
    /// `debug` requests that wait for it to stand still or end.
    pub(super) waiters: Vec<Waiter>,
    /// `interrupt` requests that wait for its end.
    pub(super) interrupts: Vec<String>,
    pub(super) stopping: Option<Escalation>,
}

/// Something that the time has come for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The process did not end when it was asked to.
    Push(EvaluationTag, Push),
    /// The request has waited long enough for the process to stand still.
    WaitOver(String, EvaluationTag),
}

/// All kept processes, oldest first.
#[derive(Debug, Default)]
pub(super) struct Debuggers {
    all: Vec<DebugSession>,
}

impl Debuggers {
    /// Adds one. Answers the tag of one that has to end for it.
    pub(super) fn add(&mut self, debug_session: DebugSession) -> Option<EvaluationTag> {
        let crowded = self.all.len() >= MAX_DEBUG_SESSIONS;
        self.all.push(debug_session);
        let oldest = self.all.first().filter(|_| crowded)?;
        Some(oldest.tag)
    }

    /// The kept process of this id, or the newest one of this session.
    ///
    /// # Errors
    /// `DebugSessionNotFound`; `MissingParameter` when neither is given.
    pub(super) fn find(
        &mut self,
        id: Option<&str>,
        session: Option<&str>,
    ) -> Result<&mut DebugSession, Failure> {
        let Some(asked) = id.or(session) else {
            return Err(Failure::missing("debug", "debug_session_id"));
        };
        let ours = |one: &DebugSession| match id {
            Some(id) => one.id == id && (session.is_none() || one.session.as_deref() == session),
            None => one.session.as_deref() == session,
        };
        self.all
            .iter_mut()
            .rev()
            .find(|one| ours(one))
            .ok_or_else(|| {
                Failure::new(
                    ErrorType::DebugSessionNotFound,
                    "no such evaluation is kept for the debugger: evaluate with on_error debug",
                )
                .with(
                    if id.is_some() {
                        "debug_session_id"
                    } else {
                        "session_id"
                    },
                    asked,
                )
            })
    }

    /// The kept process of this tag.
    pub(super) fn get_mut(&mut self, tag: EvaluationTag) -> Option<&mut DebugSession> {
        self.all.iter_mut().find(|one| one.tag == tag)
    }

    /// Takes one out that has ended.
    pub(super) fn remove(&mut self, tag: EvaluationTag) -> Option<DebugSession> {
        let at = self.all.iter().position(|one| one.tag == tag)?;
        Some(self.all.remove(at))
    }

    /// Tags of those that go on by themselves, of an evaluation or of a session.
    pub(super) fn running(
        &self,
        evaluation: Option<&str>,
        session: Option<&str>,
    ) -> Vec<EvaluationTag> {
        self.all
            .iter()
            .filter(|one| one.running)
            .filter(|one| evaluation.is_none_or(|id| one.evaluation_id == id))
            .filter(|one| session.is_none_or(|id| one.session.as_deref() == Some(id)))
            .map(|one| one.tag)
            .collect()
    }

    /// Tags of all of a session.
    pub(super) fn of_session(&self, session: &str) -> Vec<EvaluationTag> {
        self.all
            .iter()
            .filter(|one| one.session.as_deref() == Some(session))
            .map(|one| one.tag)
            .collect()
    }

    /// Whether one uses this workspace.
    pub(super) fn uses(&self, workspace: WorkspaceId) -> bool {
        self.all.iter().any(|one| one.workspace == workspace)
    }

    /// New output of all: tag and text.
    pub(super) fn take_output(&mut self) -> Vec<(EvaluationTag, String)> {
        self.all
            .iter_mut()
            .filter_map(|one| Some((one.tag, one.output.take_new()?.text)))
            .collect()
    }

    /// What is due at `now`; each thing is told once.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        for one in &mut self.all {
            let tag = one.tag;
            if let Some(push) = one.stopping.as_mut().and_then(|going| going.due(now)) {
                due.push(Due::Push(tag, push));
            }
            one.waiters.retain(|waiter| {
                let over = waiter.until.is_some_and(|at| at <= now);
                if over {
                    due.push(Due::WaitOver(waiter.request.clone(), tag));
                }
                !over
            });
        }
        due
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let waits = self.all.iter().flat_map(|one| &one.waiters);
        let pushes = self.all.iter().filter_map(|one| one.stopping.as_ref());
        waits
            .filter_map(|waiter| waiter.until)
            .chain(pushes.filter_map(Escalation::deadline))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(n: u64, session: &str) -> DebugSession {
        DebugSession {
            id: format!("d{n}"),
            evaluation_id: format!("e{n}"),
            session: Some(session.to_owned()),
            workspace: WorkspaceId(0),
            owns_workspace: false,
            process: ProcessId(n),
            tag: EvaluationTag(n),
            running: false,
            output: Output::new(10),
            waiters: Vec::new(),
            interrupts: Vec::new(),
            stopping: None,
        }
    }

    #[test]
    fn one_is_found_by_its_id_or_as_the_newest_of_its_session() {
        let mut debuggers = Debuggers::default();
        for (n, session) in [(1, "a"), (2, "a"), (3, "b")] {
            debuggers.add(kept(n, session));
        }
        let mut id = |id, session| {
            debuggers
                .find(id, session)
                .map(|one| one.id.clone())
                .map_err(|failure| failure.error_type)
        };
        assert_eq!(id(Some("d1"), None).as_deref(), Ok("d1"));
        assert_eq!(id(None, Some("a")).as_deref(), Ok("d2"));
        let unknown = Err(ErrorType::DebugSessionNotFound);
        assert_eq!(id(Some("d3"), Some("a")), unknown);
        assert_eq!(id(None, Some("c")), unknown);
        assert_eq!(id(None, None), Err(ErrorType::MissingParameter));
    }

    #[test]
    fn the_oldest_has_to_end_when_there_are_too_many() {
        let mut debuggers = Debuggers::default();
        for n in 0..MAX_DEBUG_SESSIONS as u64 {
            assert_eq!(debuggers.add(kept(n, "a")), None);
        }
        assert_eq!(debuggers.add(kept(1000, "a")), Some(EvaluationTag(0)));
    }
}
