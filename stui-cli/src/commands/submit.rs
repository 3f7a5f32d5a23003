//! `stui submit`: start an evaluation and leave it to itself.

use stui_protocol::daemon::{Detach, Submit};
use stui_protocol::image::OnError;

use super::eval::milliseconds;
use super::{Context, code, look_on};
use crate::args;
use crate::exit::{Exit, Problem};

/// Submits code and prints the id of its evaluation.
pub(crate) fn run(args: &args::Evaluation, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let code = code::read(&args.code, "submit")?;
    let mut connection = context.connect()?;
    // The session is there from now on; whoever looks on may not submit.
    let session = context.insist(&mut connection, |connection| {
        let session = look_on(connection, args.session.as_deref())?;
        connection.call(&Detach {}, None)?;
        Ok(session)
    })?;
    let submit = Submit {
        session,
        code,
        timeout_ms: args.timeout.map(milliseconds),
        print_limit: args.print_limit,
        on_error: OnError::Return,
    };
    context.answer(&mut connection, &submit, None, |submitted, _| {
        format!("{}\n", submitted.evaluation_id)
    })
}
