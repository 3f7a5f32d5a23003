//! `stui interrupt`.

use stui_protocol::image::{Interrupt, InterruptResult, Tier};

use super::Context;
use crate::exit::{Exit, Problem};

/// Interrupts what runs in a session and says how that went.
pub(crate) fn run(session: &str, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    let interrupt = Interrupt::default();
    context.answer(&mut connection, &interrupt, Some(session), |result, _| {
        format!("{}\n", said(result))
    })
}

/// What an interrupt came to, in words.
fn said(result: &InterruptResult) -> &'static str {
    match result.tier {
        Tier::Signal => "interrupted",
        Tier::Terminate => "terminated: it did not heed the interrupt",
        Tier::Abandon => "taken away: it could not even be terminated",
        Tier::Idle => "nothing was running",
        Tier::Queued => "taken out of the queue: it had not begun",
    }
}
