//! The command line.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use stuid::config::Layered;

/// The daemon in front of a live Smalltalk image.
#[derive(Debug, Parser)]
#[command(name = "stuid", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// Read this configuration file, and no other
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Say what configuration is in force and from where, and end
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Listen on this Unix socket
    #[arg(long, value_name = "PATH")]
    socket: Option<String>,
    /// Talk to the image at this ZeroMQ endpoint, such as tcp://127.0.0.1:5555
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "embedded")]
    image: Option<String>,
    /// Hear the image's events at this endpoint [default: the image says]
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "embedded")]
    image_events: Option<String>,
    /// Run the embedded image, whatever the configuration says
    #[arg(long)]
    embedded: bool,
    /// Keep state in this directory
    #[arg(long, value_name = "DIR")]
    state_dir: Option<String>,
    /// Serve metrics and health over HTTP at this address
    #[arg(long, value_name = "ADDR")]
    admin: Option<String>,
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
}

/// Something else than the daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// Run the embedded image alone, for clients that speak ZeroMQ
    EmbeddedImage(EmbeddedImage),
    /// Write the man pages of `stuid`, for packages
    #[command(hide = true)]
    Man {
        /// Into this directory
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct EmbeddedImage {
    /// Answer at this ZeroMQ endpoint
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:5555")]
    pub(crate) bind: String,
    /// Publish events at this ZeroMQ endpoint
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:5556")]
    pub(crate) events: String,
    /// Also serve a line of JSON each way over TCP at this loopback address, for who has no ZeroMQ
    #[arg(long, value_name = "ADDR", conflicts_with = "curve_key")]
    pub(crate) tcp: Option<SocketAddr>,
    /// Demand CURVE, with the secret key in this file; only the clients of --curve-client come in
    #[arg(long, value_name = "FILE", requires = "curve_client")]
    pub(crate) curve_key: Option<PathBuf>,
    /// Let the holder of the public key in this file come in; may be given several times
    #[arg(long, value_name = "FILE", requires = "curve_key")]
    pub(crate) curve_client: Vec<PathBuf>,
    /// Keep saved contexts in this directory [default: nothing is kept]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

impl Arguments {
    /// The flags as keys of the configuration.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let kind = match (self.embedded, &self.image) {
            (true, _) => Some("embedded".to_owned()),
            (false, Some(_)) => Some("zeromq".to_owned()),
            (false, None) => None,
        };
        let flags = [
            ("image.kind", kind),
            ("image.endpoint", self.image.clone()),
            ("image.events_endpoint", self.image_events.clone()),
            ("listen.socket", self.socket.clone()),
            ("state.dir", self.state_dir.clone()),
            ("admin.address", self.admin.clone()),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        given.collect()
    }
}

/// Each key with its value and its place.
pub(crate) fn print_config(layered: &Layered) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (key, (value, place)) in &layered.origins {
        writeln!(out, "{key} = {value:?}  # {place}")?;
    }
    Ok(())
}
