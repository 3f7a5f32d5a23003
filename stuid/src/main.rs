//! The life of the daemon: read what was asked, start, serve until told to end, end in order.

mod arguments;
mod embedded_image;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(MOST_READERS)
        .thread_keep_alive(READERS_STAY)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let daemon = Daemon::start(config, held).await?;
        daemon.run(ending).await;
        Ok(())
    })
}

/// Threads that serve clients. The image is the scarce part and answers one request at a time: a
/// second thread would only be woken for every message to find nothing to do, which costs more than
/// what it could ever take over.
const WORKERS: usize = 1;

/// Threads that may wait for the disk at once, so that the others go on. Each has memory of its own
/// that is not given back while it lives: a burst of clients that read long logs would leave dozens.
/// While all wait, everybody does; none of them waits for another.
const MOST_READERS: usize = 16;

/// How long such a thread stays when there is nothing to read.
const READERS_STAY: Duration = Duration::from_secs(1);
