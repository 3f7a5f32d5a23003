//! The directory of the store: the user's alone, and one daemon's at a time.

use std::fs::{DirBuilder, File};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use stui_protocol::time;

use crate::error::Error;

/// In the state directory.
const FOLDER: &str = "store";

/// Between two looks whether a daemon that is just ending has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The directory, and the right to it for as long as this lives.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dir: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes the directory when it is not there, and takes it; waits that long for a daemon that
    /// is just ending.
    ///
    /// # Errors
    /// `StateInUse` when another daemon has it; else what the system says.
    pub(super) fn take(state_dir: &Path, patience: Duration) -> Result<Self, Error> {
        let dir = state_dir.join(FOLDER);
        let doing = |what: &str| Error::io(format!("{what} {}", dir.display()));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(doing("making the directory"))?;
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700))
            .map_err(doing("closing to others the directory"))?;
        let lock = lock(&dir.join("lock"), state_dir, patience)?;
        Ok(Self { dir, _lock: lock })
    }

    /// The tables.
    pub(super) fn tables(&self) -> PathBuf {
        self.dir.join("sessions.redb")
    }

    /// Gives the tables another name, so that others can be made; answers which.
    pub(super) fn set_aside(&self) -> std::io::Result<PathBuf> {
        let date = time::now().to_string().replace(':', "-");
        let aside = self.dir.join(format!("sessions.redb.damaged-{date}"));
        std::fs::rename(self.tables(), &aside)?;
        Ok(aside)
    }
}

fn lock(path: &Path, state_dir: &Path, patience: Duration) -> Result<File, Error> {
    let doing = || Error::io(format!("locking {}", path.display()));
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let opened = rustix::fs::open(path, flags, mode);
    let mut file: File = opened.map_err(|error| doing()(error.into()))?.into();
    let began = Instant::now();
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if began.elapsed() > patience {
            let mut pid = String::new();
            // Only for the message: without it the message is shorter.
            let _ = file.read_to_string(&mut pid);
            return Err(Error::StateInUse {
                path: state_dir.to_owned(),
                pid: pid.trim().parse().ok(),
            });
        }
        // A lock that is waited for without a limit is no way to tell who holds it.
        std::thread::park_timeout(LOOK_AGAIN);
    }
    // Who it is, for that message. On a full disk it is told without.
    let _ = file.set_len(0);
    let _ = file.rewind();
    let _ = writeln!(file, "{}", std::process::id());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_its_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::take(dir.path(), Duration::ZERO).unwrap();
        let mode = std::fs::metadata(&place.dir).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let mode = std::fs::metadata(place.dir.join("lock")).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_is_one_daemons_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let held = Place::take(dir.path(), Duration::ZERO).unwrap();
        let error = Place::take(dir.path(), Duration::ZERO)
            .unwrap_err()
            .to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(held);
        Place::take(dir.path(), Duration::ZERO).unwrap();
    }
}
