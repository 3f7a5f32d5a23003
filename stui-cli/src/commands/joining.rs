//! Joining a session: one that is there, one that is made, one that the image has lost.

use std::io::{self, Write};

use stui_protocol::daemon::{Attach, AttachMode, AttachResult};
use stui_protocol::{ErrorType, Failure};

use super::{Context, MAIN};
use crate::args;
use crate::connection::{Connection, SUBSCRIBE};
use crate::exit::Problem;
use crate::render::loss::Loss;
use crate::terminal;

/// What the command line asks for.
pub(super) fn wanted(args: &args::Attach) -> Attach {
    Attach {
        session: args.name.as_deref().unwrap_or(MAIN).to_owned(),
        create: args.create,
        recreate: args.recreate,
        mode: match args.watch {
            true => AttachMode::Watch,
            false => AttachMode::Drive,
        },
        steal: args.steal,
        since: None,
        terminal: terminal::name(),
    }
}

/// Joins a session and subscribes to the daemon's events. One that is lost is brought back when
/// whoever wants to drive it, and so sits at a terminal, says so.
///
/// # Errors
/// Why it cannot be joined, with what else could be asked for; that it is lost, when nobody wants
/// it back.
pub(super) fn join(
    connection: &mut Connection,
    mut attach: Attach,
    context: &mut Context<'_>,
) -> Result<AttachResult, Problem> {
    let joined = context.insist(connection, |connection| begin(connection, &attach));
    let lost = match &joined {
        Err(Problem::Failed(failure)) if !attach.recreate => Loss::of(failure),
        _ => None,
    };
    let joined = match lost {
        Some(lost) if lost.is_saved() && agrees(&lost, context)? => {
            attach.recreate = true;
            context.insist(connection, |connection| begin(connection, &attach))
        }
        _ => joined,
    };
    joined.map_err(|problem| match problem {
        Problem::Failed(mut failure) => {
            failure.error.push_str(&advice(failure.error_type, &attach));
            Problem::Failed(failure)
        }
        other => other,
    })
}

fn begin(connection: &mut Connection, attach: &Attach) -> Result<AttachResult, Problem> {
    let joined = match attach.session == MAIN {
        true => attach_or_make(connection, attach)?,
        false => connection.call(attach, None)?,
    };
    match connection.call(&SUBSCRIBE, None) {
        // A daemon that tells nothing about itself and the image is no obstacle.
        Ok(_) | Err(Problem::Failed(_)) => Ok(joined),
        Err(problem) => Err(problem),
    }
}

/// Attaches; makes the session when it is not there, or lost with nothing saved of it.
///
/// # Errors
/// Why it cannot be attached; that it is lost, when it can be brought back.
pub(super) fn attach_or_make(
    connection: &mut Connection,
    attach: &Attach,
) -> Result<AttachResult, Problem> {
    match connection.call(attach, None) {
        Err(Problem::Failed(failure)) if is_away(&failure) => {
            let attach = Attach {
                create: true,
                ..attach.clone()
            };
            connection.call(&attach, None)
        }
        other => other,
    }
}

fn is_away(failure: &Failure) -> bool {
    match failure.error_type {
        ErrorType::SessionNotFound => Loss::of(failure).is_none_or(|lost| !lost.is_saved()),
        ErrorType::SessionExpired => true,
        _ => false,
    }
}

/// Asks whether to bring a session back: Enter is yes, the end of the input is no.
fn agrees(lost: &Loss, context: &mut Context<'_>) -> Result<bool, Problem> {
    let err = &mut context.terminal.err;
    writeln!(err, "{}", lost.sentence())?;
    loop {
        write!(err, "{}", lost.question())?;
        err.flush()?;
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        let length = read.map_err(Problem::io("reading the answer"))?;
        match answer.trim().to_lowercase().as_str() {
            "" => return Ok(length > 0),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// What else could be asked for.
fn advice(error_type: ErrorType, attach: &Attach) -> String {
    let drives = attach.mode == AttachMode::Drive;
    match error_type {
        ErrorType::SessionBusy if drives && !attach.steal => {
            "\n`stui attach --steal` takes over, `stui attach --watch` looks on".to_owned()
        }
        ErrorType::SessionNotFound | ErrorType::SessionExpired if !attach.create => {
            "\n`stui attach --create` makes it".to_owned()
        }
        ErrorType::ContextNotFound if attach.recreate => {
            format!("\n`stui attach --create {}` begins it anew", attach.session)
        }
        _ => String::new(),
    }
}
