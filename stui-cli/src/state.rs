//! The user's state directory: the log of a daemon that `stui` started, and the line history.

use std::env;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use crate::exit::Problem;

/// `$XDG_STATE_HOME/stui`, else `~/.local/state/stui`; made when it is not there.
///
/// # Errors
/// When there is no home or the directory cannot be made.
pub(crate) fn directory() -> Result<PathBuf, Problem> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let dir = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .ok_or_else(|| {
            Problem::Usage("HOME is not set: set it or XDG_STATE_HOME for stui's files".to_owned())
        })?
        .join("stui");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)
        .map_err(Problem::io(format!("making {}", dir.display())))?;
    Ok(dir)
}
