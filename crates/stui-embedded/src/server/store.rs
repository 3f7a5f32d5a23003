//! The state directory: saved contexts and the snapshot.
//!
//! ```text
//! contexts/<context id>.context
//! image.snapshot
//! lock
//! ```
//! One image at a time uses it: the lock is held until the image ends, however it ends. Every file is written whole or not at all. What is damaged is left alone and told.

mod context_file;
mod contexts;
mod payload;
pub(super) mod snapshot_file;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

pub(super) use context_file::{ContextContent, ContextError, SavedValue};
pub(super) use contexts::{ContextIndex, ContextMeta};

use super::files;

/// An opened state directory.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// Locked while it is open.
    _lock: File,
    /// The contexts there are.
    pub(super) contexts: ContextIndex,
}

impl Store {
    /// Opens a state directory, making it when it is not there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        files::make_private_folder(folder)?;
        let lock = lock(folder)?;
        files::remove_unfinished(folder)?;
        Ok(Self {
            _lock: lock,
            folder: folder.to_owned(),
            contexts: ContextIndex::open(&folder.join("contexts"))?,
        })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the snapshot is.
    pub(super) fn snapshot_path(&self) -> PathBuf {
        self.folder.join("image.snapshot")
    }
}

fn lock(folder: &Path) -> io::Result<File> {
    let file = File::create(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another image uses it: stop that one, or name another directory with --state-dir",
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_image_at_a_time_uses_a_state_directory() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(folder.path()).unwrap();
        let refused = Store::open(folder.path()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        assert!(Store::open(folder.path()).is_ok());
    }
}
