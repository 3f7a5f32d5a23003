//! What is made from the definition of the command line: completions and man pages.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Context;
use crate::args::Args;
use crate::exit::{Exit, Problem};

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "stui", &mut text);
    context.terminal.out.write_all(&text)?;
    Ok(Exit::Done)
}

/// Writes `stui.1`, `stui-attach.1` and so on.
pub(super) fn man(dir: &Path) -> Result<Exit, Problem> {
    clap_mangen::generate_to(Args::command(), dir).map_err(|source| Problem::Io {
        doing: format!("writing man pages to {}", dir.display()),
        source,
    })?;
    Ok(Exit::Done)
}
