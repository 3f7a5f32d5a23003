//! `stui attach`: join a session, to work in it or to look on.

use std::io::{self, IsTerminal, Write};

use stui_protocol::ErrorType;
use stui_protocol::daemon::{Attach, AttachMode, AttachResult, Subscribe};

use super::{Context, MAIN};
use crate::args;
use crate::connection::{Connection, Errand, Incoming};
use crate::exit::{Exit, Problem};
use crate::render::event::Scribe;
use crate::repl::{self, Past};
use crate::terminal;

/// Attaches to a session.
pub(crate) fn run(args: &args::Attach, context: &mut Context<'_>) -> Result<Exit, Problem> {
    check_terminal(args.watch)?;
    let connection = context.connect()?;
    attach(connection, args, context)
}

/// A prompt needs a terminal on all ends; looking on does not.
///
/// # Errors
/// `Usage` with what to do instead.
pub(super) fn check_terminal(watch: bool) -> Result<(), Problem> {
    let all =
        || io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal();
    if watch || all() {
        return Ok(());
    }
    Err(Problem::Usage(
        "attaching needs a terminal; `stui eval -` evaluates standard input, \
         `stui attach --watch` only shows"
            .to_owned(),
    ))
}

/// Attaches over a connection that stands.
pub(super) fn attach(
    mut connection: Connection,
    args: &args::Attach,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    connection.catch_signals()?;
    let joined = context.insist(&mut connection, |connection| {
        let joined = join(connection, args)?;
        match connection.call(&Subscribe {}, None) {
            // A daemon that tells nothing about itself and the image is no obstacle.
            Ok(_) | Err(Problem::Failed(_)) => Ok(joined),
            Err(problem) => Err(problem),
        }
    })?;
    if args.watch {
        watch(connection, &joined, context)
    } else {
        repl::run(connection, &joined, context)
    }
}

fn join(connection: &mut Connection, args: &args::Attach) -> Result<AttachResult, Problem> {
    let session = args.name.as_deref().unwrap_or(MAIN);
    let attach = Attach {
        session: session.to_owned(),
        create: args.create || session == MAIN,
        recreate: false,
        mode: if args.watch {
            AttachMode::Watch
        } else {
            AttachMode::Drive
        },
        steal: args.steal,
        since: None,
        terminal: terminal::name(),
    };
    connection
        .call(&attach, None)
        .map_err(|problem| match problem {
            Problem::Failed(mut failure) => {
                failure.error.push_str(advice(failure.error_type, args));
                Problem::Failed(failure)
            }
            other => other,
        })
}

/// What else could be asked for.
fn advice(error_type: ErrorType, args: &args::Attach) -> &'static str {
    match error_type {
        ErrorType::SessionBusy if !args.watch && !args.steal => {
            "\n`stui attach --steal` takes over, `stui attach --watch` looks on"
        }
        ErrorType::SessionNotFound if !args.create => "\n`stui attach --create` makes it",
        _ => "",
    }
}

/// Shows what happens until Ctrl-C.
fn watch(
    mut connection: Connection,
    joined: &AttachResult,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    let json = context.json;
    let out = &context.terminal.out;
    let mut scribe = Scribe::new(&joined.session, false, out.columns(), out.palette);
    if !json {
        let banner = repl::banner(&mut connection, joined, &scribe)?;
        context.terminal.err.write_all(banner.as_bytes())?;
        let past = Past::read(&mut connection, joined, &mut scribe)?;
        context.terminal.out.write_all(past.text().as_bytes())?;
    }
    let mut position = joined.position;
    loop {
        let incoming = match connection.next(None) {
            Ok(incoming) => incoming,
            Err(problem) => {
                let errand = Errand::watch(&scribe.session_id, position);
                let joined = context.come_back(&mut connection, problem, errand)?;
                if let Some(joined) = joined {
                    position = position.min(joined.position);
                    scribe.returned(&joined.session, position);
                }
                continue;
            }
        };
        match incoming {
            Some(Incoming::Event(event)) => {
                position = event.position.unwrap_or(position);
                if json {
                    context.print_json(&event)?;
                } else {
                    let text = scribe.text(&event);
                    context.terminal.out.write_all(text.as_bytes())?;
                }
                context.terminal.out.flush()?;
                if let Some(problem) = scribe.end(&event) {
                    return told(problem);
                }
            }
            Some(Incoming::Interrupt | Incoming::Leave) => {
                // A terminal has shown ^C.
                let line_end = if context.terminal.err.width.is_some() {
                    "\n"
                } else {
                    ""
                };
                let note = format!("{line_end}[detached (from session {})]", scribe.session);
                writeln!(context.terminal.err, "{note}")?;
                return Ok(Exit::Done);
            }
            Some(Incoming::Reply(_)) | None => {}
        }
    }
}

/// What the end of the session means for those who look on: that it was ended has been shown.
///
/// # Errors
/// Whatever else the end is.
pub(super) fn told(end: Problem) -> Result<Exit, Problem> {
    match end {
        Problem::SessionEnded => Ok(Exit::NoSession),
        other => Err(other),
    }
}
