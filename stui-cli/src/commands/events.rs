//! `stui events`: what happens in the daemon and to the image, as JSON lines.

use std::io::Write;

use super::Context;
use crate::connection::{Errand, Incoming, SUBSCRIBE};
use crate::exit::{Exit, Problem};

/// Prints events until Ctrl-C.
pub(crate) fn run(context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect_running()?;
    connection.catch_signals()?;
    context.call(&mut connection, &SUBSCRIBE)?;
    loop {
        let incoming = match connection.next(None) {
            Ok(incoming) => incoming,
            Err(problem) => {
                let errand = Errand {
                    attach: None,
                    subscribe: true,
                };
                context.come_back(&mut connection, problem, errand)?;
                continue;
            }
        };
        match incoming {
            Some(Incoming::Event(event)) => {
                context.print_json(&event)?;
                context.terminal.out.flush()?;
            }
            Some(Incoming::Interrupt | Incoming::Leave) => return Ok(Exit::Done),
            Some(Incoming::Reply(_)) | None => {}
        }
    }
}
