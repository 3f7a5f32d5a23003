//! The state directory: saved contexts and the snapshot.
//!
//! ```text
//! contexts/<context id>.context
//! image.snapshot
//! ```
//! Every file is written whole or not at all. What is damaged is left alone and told.

mod context_file;
mod contexts;
mod payload;
pub(super) mod snapshot_file;

use std::io;
use std::path::{Path, PathBuf};

pub(super) use context_file::{ContextContent, ContextError, SavedValue};
pub(super) use contexts::{ContextIndex, ContextMeta};

use super::files;

/// An opened state directory.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// The contexts there are.
    pub(super) contexts: ContextIndex,
}

impl Store {
    /// Opens a state directory, making it when it is not there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        files::make_private_folder(folder)?;
        files::remove_unfinished(folder)?;
        Ok(Self {
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
