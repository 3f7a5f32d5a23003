//! `stui admin show`: tables for people.

use std::fmt::Write;
use std::time::Duration;

use stui_protocol::daemon::{
    AttachMode, ClientSession, Shown, ShownClient, ShownEvaluation, ShownImage, ShownKey,
    ShownMemory,
};
use stui_protocol::time::now;

use crate::render::{Palette, image, sessions::doing, table::table, time};
use crate::terminal::Sink;

/// What is shown, as text.
pub(super) fn shown(shown: &Shown, out: &Sink) -> String {
    match shown {
        Shown::Clients(found) => clients(found, out),
        Shown::Sessions(found) => sessions(found, out),
        Shown::Queue(found) => queue(found, out),
        Shown::Image(found) => image_lines(found, out.palette),
        Shown::Config(found) => config(found, out),
        Shown::Memory(found) => memory(found, out.palette),
    }
}

fn clients(clients: &[ShownClient], out: &Sink) -> String {
    let now = now();
    let rows: Vec<_> = clients
        .iter()
        .map(|client| {
            [
                client.client.to_string(),
                client.uid.to_string(),
                client.pid.to_string(),
                time::ago(client.connected_at, now),
                client.session.clone().unwrap_or_default(),
                mode(client.mode).to_owned(),
            ]
        })
        .collect();
    let headings = ["CLIENT", "USER", "PROCESS", "FOR", "SESSION", "MODE"];
    table(headings, &rows, out.width, out.palette)
}

fn mode(mode: Option<AttachMode>) -> &'static str {
    match mode {
        Some(AttachMode::Drive) => "drives",
        Some(AttachMode::Watch) => "watches",
        None => "",
    }
}

fn sessions(sessions: &[ClientSession], out: &Sink) -> String {
    let now = now();
    let rows: Vec<_> = sessions
        .iter()
        .map(|session| {
            [
                session.owner.to_string(),
                session.name.clone(),
                session.session_id.clone(),
                session.attached.len().to_string(),
                time::ago(session.last_active, now),
                doing(session),
            ]
        })
        .collect();
    let headings = ["USER", "NAME", "ID", "ATTACHED", "ACTIVE", "RUNS"];
    table(headings, &rows, out.width, out.palette)
}

fn queue(evaluations: &[ShownEvaluation], out: &Sink) -> String {
    if evaluations.is_empty() {
        return "nothing runs and nothing waits\n".to_owned();
    }
    let rows: Vec<_> = evaluations
        .iter()
        .map(|each| {
            let state = if each.running { "runs" } else { "waits" };
            [
                state.to_owned(),
                time::duration(Duration::from_millis(each.age_ms)),
                each.uid.to_string(),
                each.client.to_string(),
                each.session.clone().unwrap_or_default(),
                each.evaluation_id.clone(),
            ]
        })
        .collect();
    let headings = ["STATE", "FOR", "USER", "CLIENT", "SESSION", "EVALUATION"];
    table(headings, &rows, out.width, out.palette)
}

fn image_lines(shown: &ShownImage, palette: Palette) -> String {
    let status = &shown.status;
    let state = image::state(status);
    let for_how_long = time::ago(status.since, now());
    lines(
        &[
            ("image", image::summary(status)),
            ("state", format!("{state} for {for_how_long}")),
            ("endpoint", status.endpoint.clone()),
            ("life", status.instance.clone().unwrap_or_default()),
            (
                "link",
                format!(
                    "up {} times, down {} times, {} requests wait",
                    shown.connects, shown.disconnects, shown.waiting
                ),
            ),
            (
                "events",
                if shown.events {
                    "arrive"
                } else {
                    "do not arrive"
                }
                .to_owned(),
            ),
            ("lag", format!("{:.1} ms", shown.evaluator_lag_ms)),
        ],
        palette,
    )
}

fn config(keys: &[ShownKey], out: &Sink) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let change = if key.reloadable { "reload" } else { "restart" };
            [
                key.key.clone(),
                key.value.clone(),
                change.to_owned(),
                key.place.clone(),
            ]
        })
        .collect();
    let headings = ["KEY", "VALUE", "CHANGED BY", "FROM"];
    table(headings, &rows, out.width, out.palette)
}

fn memory(memory: &ShownMemory, palette: Palette) -> String {
    let row = |name: &'static str, bytes: u64| (name, size(bytes));
    lines(
        &[
            row("resident", memory.resident_bytes),
            row("logs", memory.log_bytes),
            row("history", memory.history_bytes),
            row("queues", memory.queue_bytes),
        ],
        palette,
    )
}

fn lines(lines: &[(&str, String)], palette: Palette) -> String {
    let mut text = String::new();
    for (name, value) in lines {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} {value}", palette.strong(&format!("{name:<9}")));
    }
    text
}

/// Such as `512 bytes`, `1.5 kB`, `30.2 MB`: thousands, as disks and `ps` have them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes / 100 % 10),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_digits_that_matter() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_500), "1.5 kB");
        assert_eq!(size(31_457_280), "31.4 MB");
    }
}
