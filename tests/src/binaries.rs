//! The real `stuid` and `stui`, built once for a test run.
//!
//! Cargo tells a test only where the binaries of its own package are, so the library asks cargo
//! for those of the others. It selects the same packages as the test run does, in the same
//! profile and target directory, so that nearly everything is found built.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The daemon.
#[must_use]
pub fn stuid() -> PathBuf {
    directory().join("stuid")
}

/// The client.
#[must_use]
pub fn stui() -> PathBuf {
    directory().join("stui")
}

/// Where the binaries are: `STUI_TEST_BIN_DIR`, or where cargo puts them.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| match std::env::var_os("STUI_TEST_BIN_DIR") {
        Some(directory) => directory.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let profile_dir = profile_dir();
    let target_dir = profile_dir.parent().expect("a target directory");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "--quiet", "--bin", "stuid", "--bin", "stui"])
        .args(["-p", "stuid", "-p", "stui-cli", "-p", "stui-tests"])
        .arg("--target-dir")
        .arg(target_dir);
    if profile_dir.ends_with("release") {
        command.arg("--release");
    }
    // Past the capture of the test harness: it may take a while.
    let _ = writeln!(
        std::io::stderr().lock(),
        "building stuid and stui for the stories"
    );
    let status = command.status().expect("starting cargo");
    assert!(status.success(), "building stuid and stui: {command:?}");
    profile_dir
}

/// `target/debug` or `target/release`: this program is in it, or in `deps` below it.
fn profile_dir() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    let directory = program.parent().expect("a directory");
    match directory.ends_with("deps") {
        true => directory.parent().expect("a directory").to_owned(),
        false => directory.to_owned(),
    }
}
