//! `stui events`: what happens in the daemon and to the image, as JSON lines.

use std::io::Write;

use stui_protocol::daemon::Subscribe;

use super::Context;
use crate::connection::Incoming;
use crate::exit::{Exit, Problem};

/// Prints events until Ctrl-C.
pub(crate) fn run(context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    connection.catch_signals()?;
    connection.call(&Subscribe {}, None)?;
    loop {
        match connection.next(None)? {
            Some(Incoming::Event(event)) => {
                context.print_json(&event)?;
                context.terminal.out.flush()?;
            }
            Some(Incoming::Interrupt | Incoming::Leave) => return Ok(Exit::Done),
            Some(Incoming::Reply(_)) | None => {}
        }
    }
}
