//! `stui new`: make a session, and attach to it unless told not to.

use std::io::Write;

use stui_protocol::daemon::NewSession;

use super::{Context, attach};
use crate::args;
use crate::exit::{Exit, Problem};

/// Makes a session.
pub(crate) fn run(args: &args::New, context: &mut Context<'_>) -> Result<Exit, Problem> {
    if !args.detached {
        attach::check_terminal(false)?;
    }
    let mut connection = context.connect()?;
    let new = NewSession {
        name: args.name.clone(),
    };
    if args.detached {
        return context.answer(&mut connection, &new, None, |made, _| {
            format!("{}\n", made.session.name)
        });
    }
    let name = connection.call(&new, None)?.session.name;
    context.terminal.out.flush()?;
    let attach = args::Attach {
        name: Some(name),
        ..args::Attach::default()
    };
    attach::attach(connection, &attach, context)
}
