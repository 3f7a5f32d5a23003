//! A Python with pyzmq, for clients in another language.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where `.ci/run` makes a virtual environment with pyzmq.
const VENV: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/python-venv/bin/python3"
);

/// The first of `STUI_TEST_PYTHON`, the virtual environment in `target` and `python3` that can
/// import pyzmq.
#[must_use]
pub fn with_pyzmq() -> Option<PathBuf> {
    let named = std::env::var_os("STUI_TEST_PYTHON");
    let candidates = [named, Some(VENV.into()), Some(OsString::from("python3"))];
    candidates
        .into_iter()
        .flatten()
        .map(PathBuf::from)
        .find(|python| {
            let found = Command::new(python)
                .args(["-c", "import zmq"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            found.is_ok_and(|status| status.success())
        })
}
