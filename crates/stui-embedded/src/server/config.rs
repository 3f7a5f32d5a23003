//! What an embedded image is started with.

use std::path::PathBuf;

use super::Guard;
use crate::vm;

/// How to start an embedded image.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where requests are answered: `tcp://127.0.0.1:PORT` (0 or `*` is any free port) or
    /// `ipc://PATH`. Other addresses than loopback are refused without `guard`: the link knows no
    /// peers then.
    pub endpoint: String,
    /// Where events are published, in the same forms; nowhere when absent.
    pub events_endpoint: Option<String>,
    /// CURVE keys for both links; without them whoever reaches the image may use it.
    pub guard: Option<Guard>,
    /// Where contexts and the snapshot are kept. Without it nothing is: `save_context`,
    /// `load_context` and `save_image` answer `UnsupportedOperation`. A snapshot found there is
    /// resumed. One image at a time may use a folder.
    pub state_dir: Option<PathBuf>,
    /// Whether a snapshot is written when the image is stopped (needs `state_dir`).
    pub save_on_stop: bool,
    /// What `describe` says its name is.
    pub name: String,
    /// The bounds in force.
    pub bounds: Bounds,
}

impl Default for Config {
    /// Any free port, no events, no keys, nothing kept.
    fn default() -> Self {
        Self {
            endpoint: "tcp://127.0.0.1:0".to_owned(),
            events_endpoint: None,
            guard: None,
            state_dir: None,
            save_on_stop: false,
            name: "embedded".to_owned(),
            bounds: Bounds::default(),
        }
    }
}

/// Bounds that may be chosen. All others are constants; `describe` announces both.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The bounds of the virtual machine.
    pub vm: vm::Limits,
    /// Sessions of one client; the daemon makes all sessions of a user under one client.
    pub sessions_per_client: usize,
    /// Sessions in all.
    pub sessions: usize,
    /// Seconds after which an unused session expires that did not say; 0 is never.
    pub session_timeout_s: u64,
    /// Milliseconds that an evaluation of a 1.0 client may run when it does not say. Others may
    /// run for ever.
    pub timeout_ms: u64,
    /// Bytes of output of one evaluation; what is beyond is dropped and said to be.
    pub output_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            vm: vm::Limits::default(),
            sessions_per_client: 500,
            sessions: 2000,
            session_timeout_s: 3600,
            timeout_ms: 30_000,
            output_bytes: 1024 * 1024,
        }
    }
}
