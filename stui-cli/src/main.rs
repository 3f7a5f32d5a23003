//! `stui`: the terminal client of a live Smalltalk image.
//!
//! Reading order: [`args`] (the command line), [`exit`] (how it ends), [`socket`], [`connection`]
//! and [`start`] (reaching the daemon), [`commands`] (one file each), [`repl`] (the interactive
//! loop), [`render`] (how things look); [`state`] and [`terminal`] are leaves.

mod args;

mod exit;
mod socket;

mod connection;
mod start;

mod commands;
mod repl;

mod render;
mod state;
mod terminal;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::commands::Context;
use crate::exit::{Exit, Problem};
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(wrong) => {
            // Help and version go to standard output and are no error. When that is closed there
            // is nobody to tell.
            let _ = wrong.print();
            let code = wrong.exit_code();
            return if code == 0 { Exit::Done } else { Exit::Usage }.into();
        }
    };
    let mut terminal = Terminal::of_process();
    let done = Context::new(&args.global, &mut terminal)
        .and_then(|mut context| commands::run(args.verb, &mut context))
        .and_then(|exit| terminal.out.flush().map(|()| exit).map_err(Problem::from));
    match done {
        Ok(exit) => exit.into(),
        Err(problem) => {
            tell(&problem, &mut terminal);
            problem.exit().into()
        }
    }
}

/// Says what went wrong on standard error; if that fails, too, the exit code must do.
fn tell(problem: &Problem, terminal: &mut Terminal) {
    let err = &mut terminal.err;
    let text = match problem {
        Problem::Told(_) => return,
        broken if broken.is_broken_pipe() => return,
        Problem::Failed(failure) => render::failure::failure(failure, err.columns(), err.palette),
        other => format!("{} {other}\n", err.palette.error("stui:")),
    };
    let _ = err.write_all(text.as_bytes());
}
