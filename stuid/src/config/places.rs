//! Where things are when the configuration does not say.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Environment;
use crate::identity::own_uid;

/// For daemons that the system runs, when an administrator has made it.
const SYSTEM_DIR: &str = "/run/stui";

/// Names the socket for daemons and clients.
pub(super) const SOCKET_VARIABLE: &str = "STUI_SOCKET";

/// The socket: `STUI_SOCKET`, the user's runtime directory, the system's when it is this user's,
/// else a directory of the user under `/tmp`.
#[must_use]
pub fn socket(environment: &Environment) -> (PathBuf, &'static str) {
    if let Some(path) = environment.path(SOCKET_VARIABLE) {
        return (path, "environment STUI_SOCKET");
    }
    let in_dir = |dir: PathBuf| dir.join("stuid.sock");
    if let Some(dir) = environment.path("XDG_RUNTIME_DIR") {
        return (in_dir(dir.join("stui")), "environment XDG_RUNTIME_DIR");
    }
    if is_own(Path::new(SYSTEM_DIR)) {
        return (in_dir(SYSTEM_DIR.into()), SYSTEM_DIR);
    }
    (
        in_dir(format!("/tmp/stui-{}", own_uid()).into()),
        "this user's directory",
    )
}

/// The directory for state: systemd's, the user's, else under the user's home.
#[must_use]
pub fn state_dir(environment: &Environment) -> Option<(PathBuf, &'static str)> {
    if let Some(dir) = environment.path("STATE_DIRECTORY") {
        return Some((dir, "environment STATE_DIRECTORY"));
    }
    if let Some(dir) = environment.path("XDG_STATE_HOME") {
        return Some((dir.join("stui"), "environment XDG_STATE_HOME"));
    }
    let home = environment.path("HOME")?;
    Some((home.join(".local/state/stui"), "environment HOME"))
}

fn is_own(dir: &Path) -> bool {
    std::fs::symlink_metadata(dir).is_ok_and(|found| found.is_dir() && found.uid() == own_uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(
            pairs
                .iter()
                .map(|(key, value)| ((*key).into(), (*value).into())),
        )
    }

    #[test]
    fn the_socket_is_where_scripts_look_for_it() {
        let (path, _) = socket(&environment(&[
            ("STUI_SOCKET", "/a/s"),
            ("XDG_RUNTIME_DIR", "/r"),
        ]));
        assert_eq!(path, Path::new("/a/s"));
        let (path, _) = socket(&environment(&[("XDG_RUNTIME_DIR", "/r")]));
        assert_eq!(path, Path::new("/r/stui/stuid.sock"));
        if !Path::new(SYSTEM_DIR).exists() {
            let (path, _) = socket(&environment(&[("XDG_RUNTIME_DIR", "")]));
            let own = format!("/tmp/stui-{}/stuid.sock", own_uid());
            assert_eq!(path, Path::new(&own));
        }
    }

    #[test]
    fn state_goes_where_the_user_keeps_it() {
        let (dir, _) = state_dir(&environment(&[("HOME", "/h")])).unwrap();
        assert_eq!(dir, Path::new("/h/.local/state/stui"));
        assert_eq!(state_dir(&environment(&[])), None);
    }
}
