//! The end of an evaluation as scripts see it: the result on standard output, a failure on
//! standard error, the exit code.

use std::io::Write;

use serde_json::Value;
use stui_protocol::image::Evaluated;
use stui_protocol::{Outcome, Reply};

use super::Context;
use crate::exit::{Exit, Problem};

/// An evaluation that has ended.
pub(super) struct Ended {
    /// Its id.
    pub(super) id: String,
    /// How it ended.
    pub(super) outcome: Outcome,
    /// The life of the image, for `--json`.
    pub(super) instance: String,
    /// Whether its output stands on standard output and lacks a line end.
    pub(super) line_open: bool,
}

impl Ended {
    /// Prints it.
    ///
    /// # Errors
    /// `Failed` when the evaluation did.
    pub(super) fn print(self, context: &mut Context<'_>) -> Result<Exit, Problem> {
        let exit = match &self.outcome {
            Ok(_) => Exit::Done,
            Err(failure) => failure.error_type.into(),
        };
        if context.json {
            context.print_json(&Reply::new(Some(self.id), self.outcome, self.instance))?;
            return Ok(exit);
        }
        let terminal = &mut *context.terminal;
        if self.line_open {
            writeln!(terminal.out)?;
        }
        let evaluated = evaluated(self.outcome?)?;
        writeln!(terminal.out, "{}", evaluated.result)?;
        if evaluated.truncated {
            let note = terminal.err.palette.dim("the result or its output was cut");
            writeln!(terminal.err, "{note}")?;
        }
        Ok(exit)
    }
}

/// What the evaluation wrote, as far as its outcome has it.
pub(super) fn output(outcome: &Outcome) -> &str {
    let output = match outcome {
        Ok(result) => result.get("output"),
        Err(failure) => failure.details.get("output"),
    };
    output.and_then(Value::as_str).unwrap_or_default()
}

/// Reads a finished evaluation; a `state` beside it is of no interest.
fn evaluated(value: Value) -> Result<Evaluated, Problem> {
    serde_json::from_value(value)
        .map_err(|why| Problem::Garbled(format!("a result that cannot be read: {why}")))
}
