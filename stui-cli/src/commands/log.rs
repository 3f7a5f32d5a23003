//! `stui log`: what happened in a session, and what happens.

use std::io::Write;

use stui_protocol::Event;
use stui_protocol::daemon::{Attach, AttachMode, Log};

use super::Context;
use crate::args;
use crate::connection::{Connection, Errand, Incoming};
use crate::exit::{Exit, Problem};
use crate::render::event::Scribe;
use crate::terminal;

/// Lines that are asked for at once.
const LINES_AT_ONCE: usize = 1000;

/// Prints the log of a session.
pub(crate) fn run(args: &args::Log, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let out = &context.terminal.out;
    let mut scribe = Scribe::of_log(&args.session, out.columns(), out.palette);
    if args.follow {
        follow(&mut connection, args, &mut scribe, context)
    } else {
        print(&mut connection, args, &mut scribe, context)
    }
}

/// Prints what is in the log now.
fn print(
    connection: &mut Connection,
    args: &args::Log,
    scribe: &mut Scribe,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    let mut since = args.since;
    // What is added meanwhile is left to the next call: this one ends.
    let mut end = None;
    while end.is_none_or(|end| since < end) {
        let log = Log {
            session: args.session.clone(),
            since,
            limit: Some(LINES_AT_ONCE),
        };
        let part = context.call(connection, &log)?;
        let end = *end.get_or_insert(part.position);
        let last = part.events.iter().filter_map(|event| event.position).max();
        let Some(last) = last.filter(|last| *last > since) else {
            break;
        };
        for event in &part.events {
            if event.position.is_none_or(|at| at <= end) {
                tell(event, scribe, context)?;
            }
        }
        since = last;
    }
    Ok(Exit::Done)
}

/// Prints the log and what is added to it.
fn follow(
    connection: &mut Connection,
    args: &args::Log,
    scribe: &mut Scribe,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    connection.catch_signals()?;
    let attach = Attach {
        session: args.session.clone(),
        mode: AttachMode::Watch,
        since: Some(args.since),
        terminal: terminal::name(),
        ..Attach::default()
    };
    let joined = context.insist(connection, |connection| connection.call(&attach, None))?;
    let session = joined.session.session_id;
    let mut position = args.since;
    loop {
        let incoming = match connection.next(None) {
            Ok(incoming) => incoming,
            Err(problem) => {
                let errand = Errand {
                    subscribe: false,
                    ..Errand::watch(&session, position)
                };
                let joined = context.come_back(connection, problem, errand)?;
                let end = joined.map_or(position, |joined| joined.position);
                position = position.min(end);
                continue;
            }
        };
        match incoming {
            Some(Incoming::Event(event)) => {
                position = event.position.unwrap_or(position);
                tell(&event, scribe, context)?;
                match scribe.end(&event) {
                    None => {}
                    Some(Problem::SessionEnded) => return Ok(Exit::Done),
                    Some(other) => return Err(other),
                }
            }
            Some(Incoming::Interrupt | Incoming::Leave) => return Ok(Exit::Done),
            Some(Incoming::Reply(_)) | None => {}
        }
    }
}

fn tell(event: &Event, scribe: &mut Scribe, context: &mut Context<'_>) -> Result<(), Problem> {
    if context.json {
        context.print_json(event)?;
    } else {
        let text = scribe.text(event);
        context.terminal.out.write_all(text.as_bytes())?;
    }
    Ok(context.terminal.out.flush()?)
}
