//! `stui ls`, `stui kill`, `stui rename`, `stui share`.

use stui_protocol::daemon::{AttachMode, KillSession, ListSessions, RenameSession, ShareSession};

use super::Context;
use crate::args;
use crate::exit::{Exit, Problem};
use crate::render::sessions::sessions;

/// Lists the sessions.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    context.answer(
        &mut connection,
        &ListSessions {},
        None,
        |found, terminal| {
            let out = &terminal.out;
            sessions(&found.sessions, out.width, out.palette)
        },
    )
}

/// Ends a session.
pub(crate) fn kill(session: String, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let kill = KillSession { session };
    context.answer(&mut connection, &kill, None, |_, _| String::new())
}

/// Renames a session.
pub(crate) fn rename(old: String, new: String, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let rename = RenameSession {
        session: old,
        name: new,
    };
    context.answer(&mut connection, &rename, None, |_, _| String::new())
}

/// Shares a session with others, or with nobody.
pub(crate) fn share(args: args::Share, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let share = ShareSession {
        session: args.session,
        with: args.with,
        mode: match args.watch_only {
            true => AttachMode::Watch,
            false => AttachMode::Drive,
        },
    };
    context.answer(&mut connection, &share, None, |_, _| String::new())
}
