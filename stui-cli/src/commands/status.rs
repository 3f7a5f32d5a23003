//! `stui status`.

use std::fmt::Write;
use std::time::Duration;

use stui_protocol::daemon::{ImageLevels, ImageState, Level, Status, StatusResult};
use stui_protocol::time::now;

use super::{Context, Shown};
use crate::exit::{Exit, Problem};
use crate::render::columns::one_line;
use crate::render::{Palette, image, store, time};

/// Shows how the daemon and the image are; exit code 4 when the image does not answer.
pub(crate) fn run(context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    context.answer(&mut connection, &Status {}, None, |status, terminal| {
        let answers = !matches!(
            status.image.state,
            ImageState::Down | ImageState::Unresponsive
        );
        Shown {
            text: lines(status, terminal.out.palette),
            exit: if answers {
                Exit::Done
            } else {
                Exit::ImageUnavailable
            },
        }
    })
}

fn lines(status: &StatusResult, palette: Palette) -> String {
    let now = now();
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{} {value}", palette.strong(&format!("{name:<9}")));
    };
    let daemon = &status.daemon;
    line(
        "daemon",
        format!(
            "stuid {}, process {}, up {}",
            daemon.version,
            daemon.pid,
            time::ago(daemon.started_at, now)
        ),
    );
    line("socket", daemon.socket.clone());
    if let Some(admin) = &daemon.admin {
        line("admin", admin.clone());
    }
    if let Some(frontend) = &daemon.frontend {
        line("zeromq", frontend.clone());
    }
    line("image", image::summary(&status.image));
    line(
        "",
        format!(
            "{} for {}, at {}",
            image::state(&status.image),
            time::ago(status.image.since, now),
            status.image.endpoint
        ),
    );
    line("", levels(&status.image.levels));
    let lagging = match status.lagging {
        0 => String::new(),
        some => format!(", {some} of them do not read"),
    };
    if let Some(status) = &status.store {
        let place = status.path.as_deref().unwrap_or("nowhere");
        line("store", format!("{}, {}", place, store::state(status)));
        if let Some(aside) = &status.set_aside {
            line("", format!("an older one was damaged and is at {aside}"));
        }
    }
    line(
        "sessions",
        format!("{}, clients {}{lagging}", status.sessions, status.clients),
    );
    if let Some(paused) = &status.paused {
        let by = format!("user {} (process {})", paused.uid, paused.pid);
        let since = time::ago(paused.since, now);
        line(
            "paused",
            format!(
                "by {by} for {since} ({}): new work waits, {} requests so far",
                paused.operation, paused.waiting
            ),
        );
    }
    let queue = &status.queue;
    let oldest = match queue.oldest_ms {
        0 => String::new(),
        ms => format!(
            ", the oldest for {}",
            time::duration(Duration::from_millis(ms))
        ),
    };
    line(
        "work",
        format!(
            "{} evaluations run, {} wait, {} requests wait{oldest}",
            queue.running, queue.evaluations, queue.requests
        ),
    );
    for running in &status.running {
        let evaluation = &running.evaluation;
        let code = one_line(&evaluation.code);
        let time = time::duration(Duration::from_millis(evaluation.running_ms));
        line("running", format!("{}: {code} ({time})", running.session));
    }
    text
}

/// Such as `link up, listener up, evaluator down, 2.5 s late`.
fn levels(levels: &ImageLevels) -> String {
    let word = |level| match level {
        Level::Up => "up",
        Level::Down => "down",
        Level::Unknown => "unknown",
    };
    let mut text = format!(
        "link {}, listener {}, evaluator {}",
        word(levels.link),
        word(levels.listener),
        word(levels.evaluator)
    );
    if let (Level::Down, Some(lag_ms)) = (levels.evaluator, levels.evaluator_lag_ms) {
        let late = Duration::try_from_secs_f64(lag_ms / 1000.0).unwrap_or_default();
        let _ = write!(text, ", {} late", time::duration(late));
    }
    text
}
