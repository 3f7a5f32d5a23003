//! `stui attach`: join a session, to work in it or to look on.

use std::io::{self, IsTerminal, Write};

use stui_protocol::daemon::{Attach, AttachMode, AttachResult};
use stui_protocol::{ErrorType, EventName};

use super::{Context, MAIN};
use crate::args;
use crate::connection::{Connection, Incoming};
use crate::exit::{Exit, Problem};
use crate::render::event::Scribe;
use crate::repl;

/// Attaches to a session.
pub(crate) fn run(args: &args::Attach, context: &mut Context<'_>) -> Result<Exit, Problem> {
    check_terminal(args.watch)?;
    let connection = context.connect()?;
    attach(connection, args, context)
}

/// A prompt needs a terminal on both ends; looking on does not.
///
/// # Errors
/// `Usage` with what to do instead.
pub(super) fn check_terminal(watch: bool) -> Result<(), Problem> {
    if watch || (io::stdin().is_terminal() && io::stdout().is_terminal()) {
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
    let joined = join(&mut connection, args)?;
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
        mode: if args.watch {
            AttachMode::Watch
        } else {
            AttachMode::Drive
        },
        steal: args.steal,
        since: None,
        terminal: terminal_name(),
    };
    connection
        .call(&attach, None)
        .map_err(|problem| match problem {
            Problem::Failed(mut failure)
                if matches!(
                    failure.error_type,
                    ErrorType::SessionBusy | ErrorType::PermissionDenied
                ) && !args.watch
                    && !args.steal =>
            {
                failure
                    .error
                    .push_str("; --steal takes over, --watch looks on");
                Problem::Failed(failure)
            }
            other => other,
        })
}

/// The terminal's device, for those who look at who is attached.
fn terminal_name() -> Option<String> {
    let name = rustix::termios::ttyname(io::stdin(), Vec::new()).ok()?;
    name.into_string().ok()
}

/// Shows what happens until Ctrl-C.
fn watch(
    mut connection: Connection,
    joined: &AttachResult,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    let json = context.json;
    let mut scribe = Scribe {
        session: joined.session.name.clone(),
        columns: context.terminal.out.columns(),
        palette: context.terminal.out.palette,
        own_pid: std::process::id(),
    };
    if !json {
        let banner = repl::banner(&connection, joined, &scribe);
        context.terminal.err.write_all(banner.as_bytes())?;
        let past = repl::recent(&mut connection, joined, &mut scribe)?;
        context.terminal.out.write_all(past.as_bytes())?;
    }
    loop {
        match connection.next(None)? {
            Some(Incoming::Event(event)) => {
                if json {
                    context.print_json(&event)?;
                } else {
                    let text = scribe.text(&event);
                    context.terminal.out.write_all(text.as_bytes())?;
                }
                context.terminal.out.flush()?;
                if event.event == EventName::SessionClosed {
                    return Ok(Exit::NoSession);
                }
            }
            Some(Incoming::Interrupt | Incoming::Leave) => {
                let note = format!("[detached (from session {})]", scribe.session);
                writeln!(context.terminal.err, "{note}")?;
                return Ok(Exit::Done);
            }
            Some(Incoming::Reply(_)) | None => {}
        }
    }
}
