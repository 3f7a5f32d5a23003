//! `stui history`.

use stui_protocol::daemon::{History, HistoryResult};
use stui_protocol::time::now;

use super::Context;
use crate::args;
use crate::exit::{Exit, Problem};
use crate::render::{Palette, table::table, time};

/// Lists past evaluations of a session, oldest first.
pub(crate) fn run(args: &args::History, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let history = History {
        session: args.session.clone(),
        grep: args.grep.clone(),
        limit: Some(args.limit),
    };
    context.answer(&mut connection, &history, None, |found, terminal| {
        evaluations(found, terminal.out.width, terminal.out.palette)
    })
}

fn evaluations(found: &HistoryResult, columns: Option<usize>, palette: Palette) -> String {
    if found.evaluations.is_empty() {
        return String::new();
    }
    let now = now();
    let rows: Vec<_> = found
        .evaluations
        .iter()
        .map(|evaluation| {
            let result = match (&evaluation.result, &evaluation.failure) {
                (Some(result), _) => result.clone(),
                (None, Some(failure)) => format!("{}: {}", failure.error_type, failure.error),
                (None, None) => "…".to_owned(),
            };
            [
                time::ago(evaluation.started_at, now),
                evaluation.code.clone(),
                result,
            ]
        })
        .collect();
    table(["AGO", "CODE", "RESULT"], &rows, columns, palette)
}
