//! Sessions as a table: whose, who is attached from where, what runs and what waits.

use std::time::Duration;

use stui_protocol::Timestamp;
use stui_protocol::daemon::{AttachMode, AttachedClient, ClientSession, SessionState};
use stui_protocol::time::now;

use super::table::table;
use super::{Palette, time};
use crate::socket::user;

/// A row for each session, and further rows for what does not fit into one.
pub(crate) fn sessions(
    sessions: &[ClientSession],
    columns: Option<usize>,
    palette: Palette,
) -> String {
    if sessions.is_empty() {
        return "no sessions\n".to_owned();
    }
    let (now, own) = (now(), user());
    let rows: Vec<_> = sessions
        .iter()
        .flat_map(|session| rows(session, now, own))
        .collect();
    let headings = ["NAME", "STATE", "AGE", "ACTIVE", "ATTACHED", "RUNS"];
    table(headings, &rows, columns, palette)
}

fn rows(session: &ClientSession, now: Timestamp, own: u32) -> Vec<[String; 6]> {
    let attached: Vec<_> = session
        .attached
        .iter()
        .map(|each| client(each, own))
        .collect();
    let work = work(session);
    let count = attached.len().max(work.len()).max(1);
    let mut rows: Vec<[String; 6]> = (0..count).map(|_| Default::default()).collect();
    for (row, client) in rows.iter_mut().zip(attached) {
        row[4] = client;
    }
    for (row, work) in rows.iter_mut().zip(work) {
        row[5] = work;
    }
    rows[0][..4].clone_from_slice(&[
        name(session, own),
        state(session),
        time::ago(session.created_at, now),
        time::ago(session.last_active, now),
    ]);
    rows
}

/// The name that the user can call it by.
fn name(session: &ClientSession, own: u32) -> String {
    match session.owner == own {
        true => session.name.clone(),
        false => format!("{}:{}", session.owner, session.name),
    }
}

fn state(session: &ClientSession) -> String {
    let state = match session.state {
        SessionState::Idle => "idle",
        SessionState::Busy => "busy",
        SessionState::Lost => "lost",
    };
    match &session.shared {
        None => state.to_owned(),
        Some(shared) if shared.mode == AttachMode::Watch => {
            format!("{state}, {} watch", shared.with)
        }
        Some(shared) => format!("{state}, {}", shared.with),
    }
}

/// `pts/3 stui 4711`, and whose when it is somebody else's.
fn client(client: &AttachedClient, own: u32) -> String {
    let mut words = Vec::new();
    words.extend(
        client
            .terminal
            .as_deref()
            .map(|name| name.trim_start_matches("/dev/")),
    );
    words.extend(client.command.as_deref());
    let pid = client.pid.to_string();
    words.push(&pid);
    let mut text = words.join(" ");
    if client.uid != own {
        text.push_str(&format!(", user {}", client.uid));
    }
    if client.mode == AttachMode::Watch {
        text.push_str(", watches");
    }
    if client.lagging {
        text.push_str(", lagging");
    }
    text
}

/// What runs there, for how long, and how many wait.
pub(crate) fn doing(session: &ClientSession) -> String {
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

/// What runs, then what waits.
fn work(session: &ClientSession) -> Vec<String> {
    let since = |ms| time::duration(Duration::from_millis(ms));
    let mut work = Vec::new();
    if let Some(running) = &session.running {
        work.push(format!("{} ({})", running.code, since(running.running_ms)));
    }
    for waiting in &session.waiting {
        work.push(format!(
            "{} (waits {})",
            waiting.code,
            since(waiting.waiting_ms)
        ));
    }
    let told = session.waiting.len() as u64;
    if session.queued > told {
        work.push(format!("{} more wait", session.queued - told));
    }
    work
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_session_shows_who_is_attached_from_where_and_all_its_work() {
        let session: ClientSession = serde_json::from_value(json!({
            "name": "main", "session_id": "s", "owner": 4_000_000, "state": "busy",
            "created_at": "2026-11-20T10:30:00Z", "last_active": "2026-11-20T10:30:00Z",
            "attached": [
                {"client": 1, "pid": 41, "uid": 4_000_000, "mode": "drive",
                 "terminal": "pts/3", "command": "stui"},
                {"client": 2, "pid": 42, "uid": 7, "mode": "watch"},
            ],
            "running": {"evaluation_id": "e", "code": "3 + 4", "running_ms": 1200},
            "queued": 3, "position": 9,
            "waiting": [{"evaluation_id": "f", "code": "5", "waiting_ms": 10}],
            "shared": {"with": "uid:7", "mode": "watch"},
        }))
        .unwrap();
        let then = "2026-11-20T10:31:00Z".parse().unwrap();
        let shown: Vec<String> = rows(&session, then, 4_000_000)
            .iter()
            .map(|row| row.join("|"))
            .collect();
        assert_eq!(
            shown,
            [
                "main|busy, uid:7 watch|1 m|1 m|pts/3 stui 41|3 + 4 (1.2 s)",
                "||||42, user 7, watches|5 (waits 10 ms)",
                "|||||2 more wait",
            ]
        );
        assert_eq!(name(&session, 7), "4000000:main");
    }
}
