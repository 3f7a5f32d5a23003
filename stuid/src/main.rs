//! The life of the daemon: read what was asked, start, serve until told to end, end in order.

mod arguments;
mod embedded_image;
mod runtime;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};
use stuid::config::{Environment, InForce, Sources};
use stuid::daemon::Daemon;
use stuid::error::Error;
use stuid::supervisor::Held;
use stuid::{shutdown, supervisor, telemetry};
use tokio_util::sync::CancellationToken;

use arguments::{Arguments, Mode};

/// Something broke.
const BROKEN: u8 = 1;
/// Something was asked that cannot be.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When nobody can be told, the exit code must do.
            let _ = writeln!(std::io::stderr(), "stuid: {error:#}");
            let usage = error.downcast_ref::<Error>().is_some_and(Error::is_usage);
            ExitCode::from(if usage { USAGE } else { BROKEN })
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.mode {
        Some(Mode::EmbeddedImage(image)) => return embedded_image::run(image),
        Some(Mode::Man { dir }) => {
            return clap_mangen::generate_to(Arguments::command(), dir)
                .with_context(|| format!("writing man pages to {}", dir.display()));
        }
        None => {}
    }
    let sources = Sources {
        file: arguments.config.clone(),
        environment: Environment::of_process(),
        flags: arguments.flags(),
    };
    let layered = sources.load().map_err(Error::from)?;
    if arguments.check_config {
        return Ok(arguments::print_config(&layered)?);
    }
    let held = supervisor::held()?;
    // Whatever this process makes is for its user alone; the socket's mode is set on its own.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let level = telemetry::start(&layered.config.log)
        .map_err(|why| anyhow::anyhow!("starting the log: {why}"))?;
    serve(InForce::new(sources, layered, level), held)
}

fn serve(config: InForce, held: Held) -> anyhow::Result<()> {
    let ending = CancellationToken::new();
    let (told, reloaded) = (ending.clone(), config.clone());
    let reload = move || {
        supervisor::reloading();
        match reloaded.reload() {
            Ok(_) => supervisor::ready("the configuration was read again"),
            Err(error) => {
                tracing::error!(%error, "reading the configuration again: nothing changes");
                supervisor::ready("the configuration could not be read again: see the log");
            }
        }
    };
    shutdown::on_signals(move || told.cancel(), reload).context("listening for signals")?;
    let runtime = runtime::start().context("starting the runtime")?;
    runtime.block_on(async {
        let daemon = Daemon::start(config, held).await?;
        daemon.run(ending).await;
        Ok(())
    })
}
