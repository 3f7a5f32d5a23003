//! What the daemon may answer: which sessions there are, who is attached, what waits in which.

use std::collections::{BTreeMap, VecDeque};

use stui_protocol::{ErrorType, Outcome};

use super::step::Code;

/// A session as it must be.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Whether each attached client watches only.
    pub(super) attached: BTreeMap<usize, bool>,
    /// Evaluations that have not ended, as numbers in [`Model::evaluations`]. Only an endless one
    /// stays at the front for longer.
    pub(super) queue: VecDeque<usize>,
}

/// An evaluation that was accepted.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) id: String,
    pub(super) code: Code,
    pub(super) source: String,
    /// What its value is, where it has one.
    pub(super) value: String,
    pub(super) session: String,
    /// Who gets its end: clients with the ids of their requests.
    pub(super) waiting: Vec<(usize, String)>,
    pub(super) fate: Fate,
    /// Its session is gone, and the daemon need not know it any more.
    pub(super) is_orphan: bool,
}

/// How an evaluation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has not ended.
    Open,
    /// As its code says; an endless one by an interrupt.
    Natural,
    /// Its session was killed.
    Killed,
}

/// The sessions by name, and all evaluations.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) evaluations: Vec<Evaluation>,
}

impl Model {
    /// Takes a client out of the session that it is attached to.
    pub(super) fn detach(&mut self, client: usize) {
        for session in self.sessions.values_mut() {
            session.attached.remove(&client);
        }
    }

    /// Lets a client join a session, or says why it may not.
    pub(super) fn attach(
        &mut self,
        client: usize,
        name: &str,
        create: bool,
        watch: bool,
        steal: bool,
    ) -> Result<(), ErrorType> {
        if !self.sessions.contains_key(name) && !create {
            return Err(ErrorType::SessionNotFound);
        }
        let session = self.sessions.entry(name.to_owned()).or_default();
        let mut others = session.attached.iter_mut();
        let driver = others.find(|(other, watches)| **other != client && !**watches);
        if let (false, Some((_, watches))) = (watch, driver) {
            if !steal {
                return Err(ErrorType::SessionBusy);
            }
            *watches = true;
        }
        self.detach(client);
        let session = self.sessions.entry(name.to_owned()).or_default();
        session.attached.insert(client, watch);
        Ok(())
    }

    /// Whether a client may work in a session.
    pub(super) fn may_drive(&self, client: usize, name: &str) -> Result<(), ErrorType> {
        let session = self.sessions.get(name);
        let session = session.ok_or(ErrorType::SessionNotFound)?;
        match session.attached.get(&client) {
            Some(true) => Err(ErrorType::PermissionDenied),
            _ => Ok(()),
        }
    }

    /// Renames a session, or says why that may not be.
    pub(super) fn rename(&mut self, name: &str, to: &str) -> Result<(), ErrorType> {
        if !self.sessions.contains_key(name) {
            return Err(ErrorType::SessionNotFound);
        }
        if name == to {
            return Ok(());
        }
        if self.sessions.contains_key(to) {
            return Err(ErrorType::InvalidParameter);
        }
        if let Some(session) = self.sessions.remove(name) {
            self.sessions.insert(to.to_owned(), session);
        }
        for evaluation in &mut self.evaluations {
            if evaluation.session == name && !evaluation.is_orphan {
                to.clone_into(&mut evaluation.session);
            }
        }
        Ok(())
    }

    /// Whether nothing runs or waits anywhere.
    pub(super) fn is_idle(&self) -> bool {
        self.sessions
            .values()
            .all(|session| session.queue.is_empty())
    }
}

impl Evaluation {
    /// Checks that it ended as it may.
    pub(super) fn judge(&self, outcome: &Outcome) {
        match self.fate {
            Fate::Open => panic!("{} has not ended: {outcome:?}", self.id),
            Fate::Natural => self.judge_natural(outcome),
            Fate::Killed => {
                let error = outcome.as_ref().expect_err("its session was killed");
                let may = [ErrorType::Interrupted, ErrorType::SessionNotFound];
                assert!(may.contains(&error.error_type), "{self:?}: {error:?}");
            }
        }
    }

    fn judge_natural(&self, outcome: &Outcome) {
        let fails_with = |error_type: ErrorType| match outcome {
            Err(failure) => assert_eq!(failure.error_type, error_type, "{self:?}"),
            Ok(result) => panic!("{self:?} ended well: {result}"),
        };
        match self.code {
            Code::Quick | Code::Prints | Code::PrintsMuch => match outcome {
                Ok(result) => assert_eq!(result["result"], self.value, "{self:?}"),
                Err(failure) => panic!("{self:?}: {failure:?}"),
            },
            Code::Fails => fails_with(ErrorType::EvaluationError),
            Code::IsNoSmalltalk => fails_with(ErrorType::SyntaxError),
            Code::Endless => fails_with(ErrorType::Interrupted),
        }
    }
}
