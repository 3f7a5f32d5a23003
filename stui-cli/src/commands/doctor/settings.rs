//! Whether a daemon that is started now would take its configuration.

use std::process::{Command, Stdio};

use super::finding::Finding;
use crate::start;

/// What `stuid` ends with when it was asked wrong.
const USAGE: i32 = 2;

/// Has `stuid` look at its configuration; none when there is no `stuid`, or nothing wrong.
pub(super) fn check() -> Option<Finding> {
    let stuid = start::find_stuid().ok()?;
    let checked = Command::new(stuid)
        .arg("--check-config")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    if checked.status.code() != Some(USAGE) {
        return None;
    }
    let said = String::from_utf8_lossy(&checked.stderr);
    let said = said.trim().trim_start_matches("stuid: ");
    Some(Finding::wrong(
        "settings",
        format!("a daemon that is started now ends at once: {said}"),
        "mend that; `stuid --check-config` says when all is well",
    ))
}
