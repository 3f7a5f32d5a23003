//! `stui attach`: join a session, to work in it or to look on.

use std::io::{self, IsTerminal, Write};

use stui_protocol::daemon::{AttachMode, AttachResult, Detach};

use super::Context;
use super::joining::{join, wanted};
use crate::args;
use crate::connection::{Connection, Errand, Incoming};
use crate::exit::{Exit, Problem};
use crate::render::event::Scribe;
use crate::render::loss;
use crate::repl::{self, Past};

/// Attaches to a session.
pub(crate) fn run(args: &args::Attach, context: &mut Context<'_>) -> Result<Exit, Problem> {
    if args.recreate && !args.watch && !has_terminal() {
        return bring_back(args, context);
    }
    check_terminal(args.watch)?;
    let connection = context.connect()?;
    attach(connection, args, context)
}

fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// A prompt needs a terminal on all ends; looking on does not.
///
/// # Errors
/// `Usage` with what to do instead.
pub(super) fn check_terminal(watch: bool) -> Result<(), Problem> {
    if watch || has_terminal() {
        return Ok(());
    }
    Err(Problem::Usage(
        "attaching needs a terminal; `stui eval -` evaluates standard input, \
         `stui attach --watch` only shows, `stui attach --recreate` brings back a session that is \
         lost"
            .to_owned(),
    ))
}

/// Attaches over a connection that stands.
pub(super) fn attach(
    mut connection: Connection,
    args: &args::Attach,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    let joined = join(&mut connection, wanted(args), context)?;
    // Not before: Ctrl-C at a question is an answer to it.
    connection.catch_signals()?;
    if args.watch {
        watch(connection, &joined, context)
    } else {
        repl::run(connection, &joined, context)
    }
}

/// For scripts: sees to it that the session is there, with what was saved of it, and leaves.
fn bring_back(args: &args::Attach, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect()?;
    let mut attach = wanted(args);
    // Somebody else may drive it.
    attach.mode = AttachMode::Watch;
    let joined = join(&mut connection, attach, context)?;
    connection.call(&Detach {}, None)?;
    if context.json {
        context.print_json(&joined)?;
    } else {
        let how = loss::came(&joined);
        writeln!(context.terminal.out, "{}{how}", joined.session.name)?;
    }
    Ok(Exit::Done)
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
