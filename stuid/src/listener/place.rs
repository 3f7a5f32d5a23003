//! The directory of the socket, the lock above it, and a socket that a dead daemon left.

use std::fs::{DirBuilder, File, Metadata};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::error::Error;
use crate::identity::own_uid;

/// The longest path that fits into a socket address, 107 bytes, without the endings of the
/// embedded image's sockets, which stand beside it.
const MOST_PATH_BYTES: usize = 100;

const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;

/// Sees to it that the directory is there and that nobody else can put things into it.
pub(super) fn prepare(socket: &Path) -> Result<(), Error> {
    let place = |path: &Path, why: &str| Error::Place {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    if socket.as_os_str().len() > MOST_PATH_BYTES {
        return Err(place(
            socket,
            "a socket's path may have 100 bytes: choose a shorter one",
        ));
    }
    let Some(dir) = socket.parent().filter(|dir| !dir.as_os_str().is_empty()) else {
        return Err(place(
            socket,
            "the socket needs a directory: name it with its whole path",
        ));
    };
    if !dir.exists() && std::fs::symlink_metadata(dir).is_err() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(Error::io(format!("making the directory {}", dir.display())))?;
    }
    let found = std::fs::symlink_metadata(dir).map_err(Error::io(format!(
        "looking at the directory {}",
        dir.display()
    )))?;
    wrong_with(dir, &found).map_or(Ok(()), |why| Err(place(dir, why)))
}

/// What is wrong with a directory for sockets, if anything.
fn wrong_with(dir: &Path, found: &Metadata) -> Option<&'static str> {
    let is_own = found.uid() == own_uid();
    if found.is_symlink() {
        return Some(
            "this is a symbolic link: somebody else may have put it there; name the directory itself",
        );
    }
    if !found.is_dir() {
        return Some("this is no directory");
    }
    if is_users_own_below_tmp(dir) && (!is_own || found.mode() & 0o077 != 0) {
        return Some("it must belong to you alone: remove it, or chmod 0700");
    }
    if !is_own && found.uid() != 0 {
        return Some("it belongs to somebody else");
    }
    if found.mode() & OTHERS_WRITE != 0 && found.mode() & STICKY == 0 {
        return Some("others may write to it: chmod go-w");
    }
    None
}

/// `/tmp/stui-1000`: anybody could have made it first.
fn is_users_own_below_tmp(dir: &Path) -> bool {
    dir.parent() == Some(Path::new("/tmp"))
        && dir
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("stui-"))
}

/// Removes a socket that nobody answers on. The lock is held.
pub(super) fn clear(socket: &Path) -> Result<(), Error> {
    let Ok(found) = std::fs::symlink_metadata(socket) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(Error::Place {
            path: socket.to_owned(),
            why: "there is something else than a socket: remove it, or choose another place"
                .to_owned(),
        });
    }
    if UnixStream::connect(socket).is_ok() {
        return Err(Error::AlreadyRunning {
            path: socket.to_owned(),
            pid: None,
        });
    }
    tracing::info!(socket = %socket.display(), "replacing a socket that nobody answers on");
    std::fs::remove_file(socket).map_err(Error::io(format!(
        "removing the old socket {}",
        socket.display()
    )))
}

/// The right to the place, for as long as it lives. The file stays: removing it would let two
/// daemons lock two files of one name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(socket: &Path) -> Result<Self, Error> {
        let path = lock_path(socket);
        let doing = || Error::io(format!("locking {}", path.display()));
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let opened = rustix::fs::open(&path, flags, mode);
        let mut file: File = opened.map_err(|error| doing()(error.into()))?.into();
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            // Only for the message: without it the message is shorter.
            let _ = file.read_to_string(&mut pid);
            return Err(Error::AlreadyRunning {
                path: socket.to_owned(),
                pid: pid.trim().parse().ok(),
            });
        }
        file.set_len(0).map_err(doing())?;
        writeln!(file, "{}", std::process::id()).map_err(doing())?;
        Ok(Self { _file: file })
    }
}

fn lock_path(socket: &Path) -> PathBuf {
    let mut path = socket.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn set_mode(dir: &Path, mode: u32) {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_missing_directory_is_made_for_the_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("a/b/stuid.sock");
        prepare(&socket).unwrap();
        let mode = std::fs::metadata(dir.path().join("a/b")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_directory_that_is_a_link_or_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        symlink(dir.path(), &link).unwrap();
        let error = prepare(&link.join("stuid.sock")).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        let open = dir.path().join("open");
        std::fs::create_dir(&open).unwrap();
        set_mode(&open, 0o777);
        let error = prepare(&open.join("stuid.sock")).unwrap_err().to_string();
        assert!(error.contains("chmod"), "{error}");
    }

    #[test]
    fn a_place_can_be_taken_once_and_the_holder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("stuid.sock");
        let held = Lock::take(&socket).unwrap();
        let error = Lock::take(&socket).unwrap_err().to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(held);
        assert!(Lock::take(&socket).is_ok());
    }

    #[test]
    fn a_socket_is_replaced_only_when_nobody_answers_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("stuid.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        assert!(matches!(clear(&socket), Err(Error::AlreadyRunning { .. })));
        drop(listener);
        clear(&socket).unwrap();
        assert!(!socket.exists());
        std::fs::write(&socket, "precious").unwrap();
        assert!(matches!(clear(&socket), Err(Error::Place { .. })));
        assert!(socket.exists());
    }
}
