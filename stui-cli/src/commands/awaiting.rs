//! `stui await`: the end of an evaluation that was submitted, by anybody and from anywhere.

use std::io::Write;
use std::time::Instant;

use serde_json::Value;
use stui_protocol::daemon::Await;
use stui_protocol::{ErrorType, Failure, Outcome};

use super::Context;
use super::ended::{Ended, output};
use super::eval::milliseconds;
use super::returning::{fate_unknown, is_refused};
use crate::args;
use crate::connection::{Connection, Errand, request};
use crate::exit::{Exit, Problem};

/// How long one request waits, so that a daemon that hangs is noticed: in milliseconds.
const ONE_WAIT_MS: u64 = 30_000;

/// Waits for the end and prints it as `stui eval` does.
pub(crate) fn run(args: &args::Await, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let outcome = end(&mut connection, args, context)?;
    let mut line_open = false;
    if !context.json {
        let output = output(&outcome);
        context.terminal.out.write_all(output.as_bytes())?;
        line_open = !output.is_empty() && !output.ends_with('\n');
    }
    let instance = connection.hello().instance.clone();
    let ended = Ended {
        id: args.id.clone(),
        outcome,
        instance: instance.unwrap_or_default(),
        line_open,
    };
    ended.print(context)
}

fn end(
    connection: &mut Connection,
    args: &args::Await,
    context: &mut Context<'_>,
) -> Result<Outcome, Problem> {
    let mut was_known = false;
    let until = args.timeout.map(|timeout| Instant::now() + timeout);
    loop {
        let left = until.map_or(ONE_WAIT_MS, |until| {
            milliseconds(until.saturating_duration_since(Instant::now()))
        });
        let ask = Await {
            evaluation_id: args.id.clone(),
            wait_ms: Some(left.min(ONE_WAIT_MS)),
        };
        let reply = match connection.ask(&request(&ask, None)) {
            // What a daemon that is about to end says is not the last word.
            Ok(reply) if is_refused(&reply) => Err(Problem::Lost),
            asked => asked,
        };
        let outcome = match reply {
            Ok(reply) => reply.outcome,
            Err(problem) => {
                was_known |= matches!(problem, Problem::Lost);
                context.come_back(connection, problem, Errand::default())?;
                continue;
            }
        };
        match &outcome {
            Err(failure) if was_known && failure.error_type == ErrorType::EvaluationNotFound => {
                return Ok(Err(fate_unknown(&args.id)));
            }
            Ok(_) if goes_on(&outcome) => was_known = true,
            _ => return Ok(outcome),
        }
        if until.is_some_and(|until| until <= Instant::now()) {
            return Err(still_runs(&args.id).into());
        }
    }
}

/// Whether this answer to `await` says that the evaluation has not ended.
pub(crate) fn goes_on(outcome: &Outcome) -> bool {
    let state = |value: &Value| value["state"] == "running";
    outcome.as_ref().is_ok_and(state)
}

/// Why nobody waits any more.
pub(super) fn still_runs(id: &str) -> Failure {
    Failure::new(
        ErrorType::Timeout,
        format!("stopped waiting; the evaluation goes on, `stui await {id}` waits again"),
    )
    .with("evaluation_id", id)
}
