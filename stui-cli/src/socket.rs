//! Where the daemon's socket is, and whether its directory can be trusted.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::exit::Problem;

/// The socket of a daemon that serves the whole machine.
const SYSTEM_SOCKET: &str = "/run/stui/stuid.sock";

/// Finds the socket: `given` (flag or `STUI_SOCKET`), else in `runtime_dir` (`XDG_RUNTIME_DIR`),
/// else the system's when it is there, else in a directory of the user's own under `/tmp`.
///
/// # Errors
/// When the directory under `/tmp` is there and is not the user's own with mode 0700.
pub(crate) fn locate(
    given: Option<PathBuf>,
    runtime_dir: Option<PathBuf>,
) -> Result<PathBuf, Problem> {
    if let Some(path) = given {
        return Ok(path);
    }
    if let Some(dir) = runtime_dir.filter(|dir| dir.is_absolute()) {
        return Ok(dir.join("stui/stuid.sock"));
    }
    if fs::symlink_metadata(SYSTEM_SOCKET).is_ok() {
        return Ok(PathBuf::from(SYSTEM_SOCKET));
    }
    let dir = PathBuf::from(format!("/tmp/stui-{}", user()));
    check_own(&dir, user())?;
    Ok(dir.join("stuid.sock"))
}

/// The user that runs this process.
pub(crate) fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Makes the directory for a socket, readable by nobody else, unless it is there.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_directory(socket: &Path) -> Result<(), Problem> {
    let Some(dir) = socket.parent().filter(|dir| !dir.as_os_str().is_empty()) else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(Problem::io(format!("making {}", dir.display())))
}

/// Refuses a directory that somebody else made or can write to. An absent one is fine.
fn check_own(dir: &Path, user: u32) -> Result<(), Problem> {
    let found = match fs::symlink_metadata(dir) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Problem::io(format!("looking at {}", dir.display()))(error)),
    };
    let own = found.is_dir() && found.uid() == user && found.mode() & 0o777 == 0o700;
    own.then_some(()).ok_or_else(|| {
        Problem::UnsafeSocket(format!(
            "{} is not a directory of yours with mode 0700, so its socket is not trusted: \
             remove it, or name another with --socket",
            dir.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_given_path_wins_over_the_runtime_directory() {
        let given = PathBuf::from("/x/y.sock");
        let found = locate(Some(given.clone()), Some("/run/user/1".into())).unwrap();
        assert_eq!(found, given);
        let found = locate(None, Some("/run/user/1".into())).unwrap();
        assert_eq!(found, Path::new("/run/user/1/stui/stuid.sock"));
    }

    #[test]
    fn only_a_private_directory_of_the_user_is_trusted() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("stui");
        check_own(&dir, user()).unwrap();
        make_directory(&dir.join("stuid.sock")).unwrap();
        check_own(&dir, user()).unwrap();
        assert!(check_own(&dir, user() + 1).is_err());
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let refused = check_own(&dir, user()).unwrap_err();
        assert!(refused.to_string().contains("mode 0700"), "{refused}");
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert!(check_own(&link, user()).is_err());
    }
}
