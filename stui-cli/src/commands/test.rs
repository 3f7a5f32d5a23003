//! `stui test`: run SUnit tests and show those that do not pass.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::Value;
use stui_protocol::daemon::Await;
use stui_protocol::image::{Interrupt, Job, RunTests, TestReport};
use stui_protocol::{ErrorType, Outcome, Reply};

use super::returning::{RETURNS, fate_unknown, is_refused};
use super::{Context, eval::milliseconds, method, session_or_main};
use crate::args;
use crate::connection::{Connection, Errand, request};
use crate::exit::{Exit, Problem};
use crate::render::{event, failure};
use crate::terminal::Sink;

/// How long one request waits for the tests to end, in milliseconds.
const WAIT_MS: u64 = 10_000;

/// Runs tests; exit code 1 unless all pass.
pub(crate) fn run(args: &args::Test, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect()?;
    let session = context.insist(&mut connection, |connection| {
        session_or_main(connection, args.session.as_deref())
    })?;
    connection.catch_signals()?;
    let reply = report(&mut connection, &tests(args), session, context)?;
    if context.json {
        context.print_json(&reply)?;
    }
    let report = match reply.outcome {
        Err(failure) if context.json => return Ok(failure.error_type.into()),
        outcome => read(outcome)?,
    };
    if !context.json {
        let text = shown(&report, &context.terminal.out);
        context.terminal.out.write_all(text.as_bytes())?;
    }
    Ok(if report.failed + report.errors == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn tests(args: &args::Test) -> RunTests {
    let mut run = RunTests {
        // Answered at once, with the id to interrupt them by.
        wait_ms: Some(0),
        timeout_ms: args.timeout.map(milliseconds),
        ..RunTests::default()
    };
    if let Some(one) = method::parse(&args.tests) {
        run.class_name = Some(one.class_name);
        run.method_name = Some(one.method_name);
    } else if args.tests.contains(['*', '?']) {
        run.pattern = Some(args.tests.clone());
    } else {
        run.class_name = Some(args.tests.clone());
    }
    run
}

/// Starts the tests and asks until they have ended. Ctrl-C interrupts them. A daemon that goes away
/// meanwhile is come back to; what it had taken goes on under the id of the request.
fn report(
    connection: &mut Connection,
    run: &RunTests,
    session: &str,
    context: &mut Context<'_>,
) -> Result<Reply, Problem> {
    let start = request(run, Some(session));
    let mut evaluation: Option<String> = None;
    let mut returns = 0;
    loop {
        let asked = match &evaluation {
            None => connection.ask(&start),
            Some(id) => connection.ask(&request(&end_of(id), None)),
        };
        let problem = match asked {
            Ok(reply) if is_refused(&reply) => Problem::NotSent,
            Ok(reply) => match running(&reply.outcome) {
                Some(id) => {
                    evaluation = Some(id);
                    continue;
                }
                None if returns > 0 && is_forgotten(&reply) => {
                    return Err(fate_unknown(&start.id).into());
                }
                None => return Ok(reply),
            },
            Err(problem) => problem,
        };
        match problem {
            Problem::Interrupted => {
                let interrupt = Interrupt {
                    session_id: None,
                    evaluation_id: evaluation.or(Some(start.id)),
                };
                connection.ask(&request(&interrupt, Some(session)))?;
                return Err(Problem::Interrupted);
            }
            problem if problem.is_lost() && returns < RETURNS => {
                returns += 1;
                if matches!(problem, Problem::Lost) {
                    evaluation.get_or_insert_with(|| start.id.clone());
                }
                context.come_back(connection, problem, Errand::default())?;
            }
            problem => return Err(problem),
        }
    }
}

fn end_of(evaluation_id: &str) -> Await {
    Await {
        evaluation_id: evaluation_id.to_owned(),
        wait_ms: Some(WAIT_MS),
    }
}

fn is_forgotten(reply: &Reply) -> bool {
    let outcome = reply.outcome.as_ref();
    outcome.is_err_and(|failure| failure.error_type == ErrorType::EvaluationNotFound)
}

/// The evaluation, while it goes on.
fn running(outcome: &Outcome) -> Option<String> {
    let value = outcome.as_ref().ok()?;
    match serde_json::from_value(value.clone()) {
        Ok(Job::<Value>::Running { evaluation_id }) => Some(evaluation_id),
        _ => None,
    }
}

fn read(outcome: Outcome) -> Result<TestReport, Problem> {
    serde_json::from_value(outcome?)
        .map_err(|why| Problem::Garbled(format!("a test report that cannot be read: {why}")))
}

fn shown(report: &TestReport, out: &Sink) -> String {
    let mut text = report.output.clone();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for problem in &report.problems {
        let name = format!("{}>>{}", problem.class_name, problem.method_name);
        let _ = writeln!(
            text,
            "{} {name}: {}",
            out.palette.error(&problem.outcome),
            problem.message
        );
        text.push_str(&failure::stack(&problem.stack, out.columns(), out.palette));
    }
    let _ = writeln!(text, "{}", event::tests(report));
    text
}
