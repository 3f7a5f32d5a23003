//! `stui admin`: what operators do.

mod showing;

use std::time::Duration;

use stui_protocol::daemon::{Admin, AdminResult, SAVE_MS, Subject};

use super::Context;
use crate::args::admin as args;
use crate::connection::{self, REPLY_PATIENCE};
use crate::exit::{Exit, Problem};
use crate::terminal::Terminal;

/// Does what an operator wants and says what came of it.
pub(crate) fn run(args: &args::Admin, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let command = command(args);
    let request = connection::request(&command, None);
    let reply = connection.ask_within(&request, patience(&command))?;
    context.show_reply::<Admin, String>(reply, answer)
}

fn command(args: &args::Admin) -> Admin {
    match args {
        args::Admin::Pause => Admin::Pause,
        args::Admin::Resume => Admin::Resume,
        args::Admin::Drain { timeout, resume } => Admin::Drain {
            timeout_ms: Some(milliseconds(*timeout)),
            resume: *resume,
        },
        args::Admin::SaveImage { timeout, force } => Admin::SaveImage {
            timeout_ms: Some(milliseconds(*timeout)),
            force: *force,
        },
        args::Admin::Reconnect => Admin::Reconnect,
        args::Admin::Kick { client } => Admin::Kick { client: *client },
        args::Admin::Reload => Admin::Reload,
        args::Admin::SetLogLevel { level } => Admin::SetLogLevel {
            level: level.clone(),
        },
        args::Admin::Show { what } => Admin::Show {
            what: subject(*what),
        },
    }
}

fn subject(what: args::Subject) -> Subject {
    match what {
        args::Subject::Clients => Subject::Clients,
        args::Subject::Sessions => Subject::Sessions,
        args::Subject::Queue => Subject::Queue,
        args::Subject::Image => Subject::Image,
        args::Subject::Config => Subject::Config,
        args::Subject::Memory => Subject::Memory,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The daemon gives up in time itself; this is for one that hangs.
fn patience(command: &Admin) -> Duration {
    let given = match command {
        Admin::Drain { timeout_ms, .. } => *timeout_ms,
        // It waits for what runs, and then for the image.
        Admin::SaveImage { timeout_ms, .. } => {
            timeout_ms.map(|ms| ms.saturating_add(ms.max(SAVE_MS)))
        }
        _ => None,
    };
    REPLY_PATIENCE.saturating_add(Duration::from_millis(given.unwrap_or(0)))
}

fn answer(result: &AdminResult, terminal: &Terminal) -> String {
    match &result.shown {
        Some(shown) => showing::shown(shown, &terminal.out),
        None => format!("{}\n", result.done),
    }
}
