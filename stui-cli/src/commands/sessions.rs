//! `stui ls`, `stui kill`, `stui rename`.

use std::time::Duration;

use stui_protocol::daemon::{
    ClientSession, KillSession, ListSessions, RenameSession, SessionState,
};
use stui_protocol::time::now;

use super::Context;
use crate::exit::{Exit, Problem};
use crate::render::{Palette, table::table, time};

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

/// Sessions as a table.
pub(crate) fn sessions(
    sessions: &[ClientSession],
    columns: Option<usize>,
    palette: Palette,
) -> String {
    if sessions.is_empty() {
        return "no sessions\n".to_owned();
    }
    let now = now();
    let rows: Vec<_> = sessions
        .iter()
        .map(|session| {
            [
                session.name.clone(),
                state(session),
                attached(session),
                time::ago(session.created_at, now),
                time::ago(session.last_active, now),
                doing(session),
            ]
        })
        .collect();
    let headings = ["NAME", "STATE", "ATTACHED", "AGE", "ACTIVE", "RUNS"];
    table(headings, &rows, columns, palette)
}

fn state(session: &ClientSession) -> String {
    let state = match session.state {
        SessionState::Idle => "idle",
        SessionState::Busy => "busy",
        SessionState::Lost => "lost",
    };
    state.to_owned()
}

fn attached(session: &ClientSession) -> String {
    let all = session.attached.len();
    match session.attached.iter().filter(|each| each.lagging).count() {
        0 => all.to_string(),
        lagging => format!("{all} ({lagging} lagging)"),
    }
}

/// What runs there, for how long, and how many wait.
pub(super) fn doing(session: &ClientSession) -> String {
    let Some(running) = &session.running else {
        return String::new();
    };
    let time = time::duration(Duration::from_millis(running.running_ms));
    let waiting = match session.queued {
        0 => String::new(),
        more => format!(", {more} waiting"),
    };
    format!("{} ({time}{waiting})", running.code)
}
