//! `stuid embedded-image`: the embedded image alone, in a process of its own.

mod lines;

use std::sync::mpsc::sync_channel;

use anyhow::Context;
use stui_embedded::{Config, Guard, run_alone};
use stui_keys::file::{self, Readers};
use stuid::config::{self, Environment};
use stuid::{shutdown, telemetry};

use crate::arguments::EmbeddedImage;

pub(crate) fn run(asked: &EmbeddedImage) -> anyhow::Result<()> {
    // No files and no environment: an image knows only what its command line says.
    let defaults = config::load(None, &Environment::default(), &[])?;
    telemetry::start(&defaults.config.log)
        .map_err(|why| anyhow::anyhow!("starting the log: {why}"))?;
    let (end, ended) = sync_channel(1);
    let end = move || {
        // One that waits already is enough.
        let _ = end.try_send(());
    };
    // It has no configuration.
    shutdown::on_signals(end, || {}).context("listening for signals")?;
    let image = Config {
        endpoint: asked.bind.clone(),
        events_endpoint: Some(asked.events.clone()),
        guard: guard(asked)?,
        save_on_stop: asked.state_dir.is_some(),
        state_dir: asked.state_dir.clone(),
        ..Config::default()
    };
    let mut lines = asked.tcp.map(lines::bind).transpose()?;
    run_alone(image, &ended, |image| {
        if let Some(listener) = lines.take() {
            lines::serve(listener, image.endpoint());
        }
    })
    .context("running the embedded image")
}

/// The keys that the command line names.
fn guard(asked: &EmbeddedImage) -> anyhow::Result<Option<Guard>> {
    let Some(key) = &asked.curve_key else {
        return Ok(None);
    };
    let clients = asked
        .curve_client
        .iter()
        .map(|path| file::read_public(path));
    Ok(Some(Guard {
        own: file::read_pair(key, Readers::Owner)?,
        clients: clients.collect::<Result<_, _>>()?,
    }))
}
