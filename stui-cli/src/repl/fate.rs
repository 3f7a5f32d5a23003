//! What became of an evaluation while the daemon was away.

use stui_protocol::daemon::Await;
use stui_protocol::{ErrorType, Outcome, Reply};

use super::live::Live;
use crate::commands::{fate_unknown, goes_on};
use crate::connection::request;
use crate::exit::Problem;

/// The question, and its answer when that has come.
#[derive(Debug)]
pub(super) struct Fate {
    request: String,
    answer: Option<Outcome>,
}

impl Fate {
    /// Asks for the end of an evaluation.
    ///
    /// # Errors
    /// When the daemon is gone again.
    pub(super) fn ask(evaluation_id: &str, live: &mut Live) -> Result<Self, Problem> {
        let ask = Await {
            evaluation_id: evaluation_id.to_owned(),
            wait_ms: Some(0),
        };
        let ask = request(&ask, None);
        live.connection.send(&ask)?;
        Ok(Self {
            request: ask.id,
            answer: None,
        })
    }

    /// Takes the answer, if this is it.
    pub(super) fn hear(&mut self, reply: &Reply) {
        if reply.id.as_ref() == Some(&self.request) {
            self.answer = Some(reply.outcome.clone());
        }
    }

    /// How the evaluation ended, once everything was seen that the log has of it and its end was
    /// not there.
    pub(super) fn end(&self, evaluation_id: &str, live: &mut Live) -> Option<Outcome> {
        let answer = self.answer.as_ref()?;
        if goes_on(answer) || !live.has_caught_up() {
            return None;
        }
        live.settle(evaluation_id);
        match answer {
            Err(failure) if failure.error_type == ErrorType::EvaluationNotFound => {
                Some(Err(fate_unknown(evaluation_id)))
            }
            known => Some(known.clone()),
        }
    }
}
