//! `stui new`: make a session, and attach to it unless told not to.

use std::io::Write;

use stui_protocol::daemon::{AttachMode, KillSession, NewSession, ShareSession};

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
    if args.share.is_none() && args.detached {
        return context.answer(&mut connection, &new, None, |made, _| {
            format!("{}\n", made.session.name)
        });
    }
    let name = context.call(&mut connection, &new)?.session.name;
    if let Some(with) = &args.share {
        let share = ShareSession {
            session: name.clone(),
            with: with.clone(),
            mode: AttachMode::Drive,
        };
        let shared = context.call(&mut connection, &share);
        if shared.is_err() {
            // Nobody shall think that it is there as it was wanted.
            let session = name.clone();
            context.call(&mut connection, &KillSession { session })?;
        }
        shared?;
    }
    if args.detached {
        writeln!(context.terminal.out, "{name}")?;
        return Ok(Exit::Done);
    }
    context.terminal.out.flush()?;
    let attach = args::Attach {
        name: Some(name),
        ..args::Attach::default()
    };
    attach::attach(connection, &attach, context)
}
