//! Where the daemon's socket is, and whether its directory can be trusted.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::exit::Problem;

/// The socket of a daemon that serves the whole machine.
pub(crate) const SYSTEM_SOCKET: &str = "/run/stui/stuid.sock";

/// Where a daemon is looked for.
#[derive(Debug)]
pub(crate) struct Place {
    /// The socket.
    pub(crate) path: PathBuf,
    /// The machine's socket, when it was tried and cannot be used.
    pub(crate) passed_over: Option<PassedOver>,
}

/// A socket that cannot be used, and why.
#[derive(Debug)]
pub(crate) struct PassedOver {
    path: PathBuf,
    why: io::Error,
}

impl PassedOver {
    /// Whether a daemon may be there, for others.
    pub(crate) fn is_denied(&self) -> bool {
        self.why.kind() == io::ErrorKind::PermissionDenied
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.why.kind() {
            io::ErrorKind::NotFound => write!(f, "nothing is at {path}"),
            io::ErrorKind::ConnectionRefused => write!(f, "nobody listens at {path}"),
            _ => write!(f, "{path} cannot be used: {}", self.why),
        }
    }
}

/// Finds the socket: `given` (flag or `STUI_SOCKET`), else the user's own when it is there, else
/// the `machine`'s when it can be connected to, else the user's own, where a daemon would be
/// started. The user's own is in `runtime_dir` (`XDG_RUNTIME_DIR`), or without one in a directory
/// under `/tmp`.
///
/// # Errors
/// When the directory under `/tmp` is there and is not the user's own with mode 0700.
pub(crate) fn locate(
    given: Option<PathBuf>,
    runtime_dir: Option<PathBuf>,
    machine: &Path,
) -> Result<Place, Problem> {
    let at = |path| Place {
        path,
        passed_over: None,
    };
    if let Some(path) = given {
        return Ok(at(path));
    }
    let own = own_place(runtime_dir);
    if let Ok(own) = &own
        && fs::symlink_metadata(own).is_ok()
    {
        return Ok(at(own.clone()));
    }
    let passed_over = match UnixStream::connect(machine) {
        Ok(_) => return Ok(at(machine.to_owned())),
        Err(why) => Some(PassedOver {
            path: machine.to_owned(),
            why,
        }),
    };
    Ok(Place {
        path: own?,
        passed_over,
    })
}

fn own_place(runtime_dir: Option<PathBuf>) -> Result<PathBuf, Problem> {
    if let Some(dir) = runtime_dir.filter(|dir| dir.is_absolute()) {
        return Ok(dir.join("stui/stuid.sock"));
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
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_given_comes_before_ones_own_and_that_before_the_machines() {
        let dir = tempfile::tempdir().unwrap();
        let machine = dir.path().join("machine.sock");
        let _listener = UnixListener::bind(&machine).unwrap();
        let runtime = || Some(dir.path().to_owned());
        let given = PathBuf::from("/x/y.sock");
        let found = locate(Some(given.clone()), runtime(), &machine).unwrap();
        assert_eq!(found.path, given);
        // There is no daemon of one's own.
        let found = locate(None, runtime(), &machine).unwrap();
        assert_eq!(found.path, machine);
        let own = dir.path().join("stui/stuid.sock");
        fs::create_dir(own.parent().unwrap()).unwrap();
        let _own = UnixListener::bind(&own).unwrap();
        let found = locate(None, runtime(), &machine).unwrap();
        assert_eq!(found.path, own);
        assert!(found.passed_over.is_none());
    }

    #[test]
    fn a_machines_socket_that_cannot_be_used_is_passed_over_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let machine = dir.path().join("machine.sock");
        let look = || {
            let found = locate(None, Some(dir.path().to_owned()), &machine).unwrap();
            assert_eq!(found.path, dir.path().join("stui/stuid.sock"));
            found.passed_over.unwrap().to_string()
        };
        assert!(look().starts_with("nothing is at "));
        drop(UnixListener::bind(&machine).unwrap());
        assert!(look().starts_with("nobody listens at "));
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
