//! The embedded image inside the daemon: on its own threads, spoken to over ZeroMQ like any other.

use std::path::{Path, PathBuf};

use stui_embedded::EmbeddedImage;

use crate::config::Config;
use crate::error::Error;

/// Where an embedded image of this daemon answers, beside the socket for clients: the directory
/// is the user's alone, or else the files are.
pub(super) fn start(config: &Config, socket: &Path) -> Result<EmbeddedImage, Error> {
    let state_dir = &config.state.dir;
    let has_state_dir = !state_dir.as_os_str().is_empty();
    let image = stui_embedded::Config {
        endpoint: beside(socket, ".image"),
        events_endpoint: Some(beside(socket, ".events")),
        state_dir: has_state_dir.then(|| PathBuf::from(state_dir)),
        save_on_stop: has_state_dir,
        ..stui_embedded::Config::default()
    };
    EmbeddedImage::start(image).map_err(|why| Error::Embedded(why.to_string()))
}

fn beside(socket: &Path, ending: &str) -> String {
    format!("ipc://{}{ending}", socket.display())
}
