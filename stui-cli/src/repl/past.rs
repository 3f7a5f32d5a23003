//! What happened in a session before we came: the end of its log, as it looked then.

use stui_protocol::daemon::{AttachResult, Log};
use stui_protocol::{Event, EventName};

use crate::connection::Connection;
use crate::exit::Problem;
use crate::render::event::Scribe;

/// Events of the log that are looked at.
const EVENTS: u64 = 100;

/// Lines that are shown.
const LINES: usize = 20;

/// The past, one text for each evaluation.
#[derive(Debug, Default)]
pub(crate) struct Past {
    evaluations: Vec<String>,
    /// Whether the first text is the end of an evaluation whose beginning was not read.
    begins_inside: bool,
    /// The evaluation that began last.
    last: Option<String>,
}

impl Past {
    /// Reads the end of the log up to where the live events begin.
    ///
    /// # Errors
    /// What can go wrong with a connection. A daemon that cannot tell is none.
    pub(crate) fn read(
        connection: &mut Connection,
        joined: &AttachResult,
        scribe: &mut Scribe,
    ) -> Result<Self, Problem> {
        let mut past = Self::default();
        if joined.position == 0 {
            return Ok(past);
        }
        let log = Log {
            session: joined.session.session_id.clone(),
            since: joined.position.saturating_sub(EVENTS),
            limit: usize::try_from(EVENTS).ok(),
        };
        let found = match connection.call(&log, None) {
            Ok(found) => found,
            Err(Problem::Failed(_)) => return Ok(past),
            Err(problem) => return Err(problem),
        };
        let session = scribe.session.clone();
        for event in &found.events {
            if event.position.is_none_or(|at| at <= joined.position) {
                past.add(event, scribe);
            }
        }
        // An old name was told on the way.
        scribe.session = session;
        scribe.line_open = false;
        Ok(past)
    }

    fn add(&mut self, event: &Event, scribe: &mut Scribe) {
        let begins = event.event == EventName::EvaluationStarted;
        if self.evaluations.is_empty() {
            self.begins_inside = !begins;
        }
        if begins || self.evaluations.is_empty() {
            self.evaluations.push(String::new());
        }
        if begins {
            self.last.clone_from(&event.evaluation_id);
        }
        if let Some(evaluation) = self.evaluations.last_mut() {
            evaluation.push_str(&scribe.past(event));
        }
    }

    /// The newest evaluations that fit, or the end of the newest one.
    pub(crate) fn text(&self) -> String {
        let fragment = usize::from(self.begins_inside && self.evaluations.len() > 1);
        let mut shown: Vec<&str> = Vec::new();
        for evaluation in self.evaluations.iter().skip(fragment).rev() {
            let lines: Vec<&str> = evaluation.lines().collect();
            if shown.is_empty() {
                shown.extend(&lines[lines.len().saturating_sub(LINES)..]);
            } else if shown.len() + lines.len() <= LINES {
                shown.splice(0..0, lines);
            } else {
                break;
            }
        }
        shown.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Whether its last lines are those of this evaluation.
    pub(super) fn ends_with(&self, evaluation_id: &str) -> bool {
        self.last.as_deref() == Some(evaluation_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(evaluations: &[&str]) -> Past {
        Past {
            evaluations: evaluations.iter().map(|&text| text.to_owned()).collect(),
            ..Past::default()
        }
    }

    #[test]
    fn whole_evaluations_are_shown_and_of_a_long_one_its_end() {
        let ten = "x\n".repeat(10);
        assert_eq!(past(&["a\n", &ten, &ten]).text(), ten.repeat(2));
        assert_eq!(past(&["a\n", &ten, "b\n"]).text(), format!("a\n{ten}b\n"));
        assert_eq!(past(&["a\n", &ten.repeat(3)]).text(), ten.repeat(2));
        assert_eq!(past(&[]).text(), "");
    }

    #[test]
    fn a_fragment_is_shown_only_when_there_is_nothing_else() {
        let inside = |evaluations: &[&str]| Past {
            begins_inside: true,
            ..past(evaluations)
        };
        assert_eq!(
            inside(&["→ 1\n", "main> 2\n→ 2\n"]).text(),
            "main> 2\n→ 2\n"
        );
        assert_eq!(inside(&["→ 1\n"]).text(), "→ 1\n");
    }
}
