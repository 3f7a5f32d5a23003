//! Which contexts there are. Their meta data is read once, when the directory is opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stui_protocol::Timestamp;
use tracing::warn;

use super::super::{files, records};
use super::context_file::{self, ContextContent, ContextError, MAX_META_BYTES};

/// Ending of context files.
const ENDING: &str = "context";

/// Most bytes of a context file that is read. Writing stays far below.
const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;

/// Contexts of all sessions; when one more is saved, the oldest is removed.
const MAX_CONTEXTS: usize = 10_000;

/// What is known of a saved context without reading it whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::server) struct ContextMeta {
    pub(in crate::server) context_id: String,
    #[serde(default)]
    pub(in crate::server) name: Option<String>,
    pub(in crate::server) saved_at: Timestamp,
    /// Whose it is: sessions of another life of the image are found again by client and name.
    pub(in crate::server) session_id: String,
    pub(in crate::server) client_id: String,
    #[serde(default)]
    pub(in crate::server) session_name: Option<String>,
    /// Size on disk; known from the file, not written into it.
    #[serde(skip)]
    pub(in crate::server) bytes: u64,
}

/// All saved contexts.
#[derive(Debug)]
pub(in crate::server) struct ContextIndex {
    folder: PathBuf,
    /// Oldest first.
    all: Vec<ContextMeta>,
}

impl ContextIndex {
    /// Reads what is there. A file that cannot be read is left alone.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        files::make_private_folder(folder)?;
        files::remove_unfinished(folder)?;
        let mut all = Vec::new();
        for entry in fs::read_dir(folder)?.take(MAX_CONTEXTS) {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_none_or(|ending| ending != ENDING) {
                continue;
            }
            match read_meta(&path) {
                Ok(mut meta) => {
                    meta.bytes = entry.metadata()?.len();
                    all.push(meta);
                }
                Err(error) => {
                    warn!(path = %path.display(), %error, "leaving a saved context out");
                }
            }
        }
        all.sort_by(|a, b| (a.saved_at, &a.context_id).cmp(&(b.saved_at, &b.context_id)));
        Ok(Self {
            folder: folder.to_owned(),
            all,
        })
    }

    /// Saves a context; answers its meta data with its size.
    pub(in crate::server) fn save(
        &mut self,
        mut meta: ContextMeta,
        content: &ContextContent,
    ) -> io::Result<ContextMeta> {
        let bytes = context_file::encode(&meta, content);
        files::write_whole(&self.path(&meta.context_id), &bytes)?;
        meta.bytes = bytes.len() as u64;
        self.all.push(meta.clone());
        if self.all.len() > MAX_CONTEXTS {
            let oldest = self.all[0].context_id.clone();
            self.remove(&oldest);
        }
        Ok(meta)
    }

    /// Reads a context whole.
    pub(in crate::server) fn load(
        &self,
        context_id: &str,
    ) -> Result<(ContextMeta, ContextContent), ContextError> {
        let known = self.all.iter().find(|meta| meta.context_id == context_id);
        let known = known.ok_or(ContextError::Missing)?;
        let bytes = files::read_bounded(&self.path(&known.context_id), MAX_FILE_BYTES)?;
        let (mut meta, content) = context_file::decode(&bytes)?;
        meta.bytes = bytes.len() as u64;
        Ok((meta, content))
    }

    /// The contexts of a session, oldest first: those that it saved, and those of an earlier
    /// session of the same client and name.
    pub(in crate::server) fn of(
        &self,
        session_id: &str,
        client_id: &str,
        name: Option<&str>,
    ) -> Vec<&ContextMeta> {
        self.all
            .iter()
            .filter(|meta| {
                let same_name = name.is_some()
                    && meta.client_id == client_id
                    && meta.session_name.as_deref() == name;
                meta.session_id == session_id || same_name
            })
            .collect()
    }

    /// Removes a context from disk.
    pub(in crate::server) fn remove(&mut self, context_id: &str) {
        self.all.retain(|meta| meta.context_id != context_id);
        let path = self.path(context_id);
        if let Err(error) = fs::remove_file(&path) {
            warn!(path = %path.display(), %error, "removing a saved context");
        }
    }

    /// Ids come from here or from the index, so they hold no separators.
    fn path(&self, context_id: &str) -> PathBuf {
        self.folder.join(format!("{context_id}.{ENDING}"))
    }
}

fn read_meta(path: &Path) -> Result<ContextMeta, ContextError> {
    let start = files::read_start(path, records::first_record_bytes(MAX_META_BYTES))?;
    let meta = context_file::decode_meta(&start)?;
    let named = path
        .file_stem()
        .is_some_and(|stem| stem == meta.context_id.as_str());
    if named {
        Ok(meta)
    } else {
        Err(ContextError::Missing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::context_file::SavedValue;
    use super::*;

    fn meta(id: &str, session: &str, name: Option<&str>) -> ContextMeta {
        ContextMeta {
            context_id: id.to_owned(),
            name: Some("before lunch".to_owned()),
            saved_at: stui_protocol::time::now(),
            session_id: session.to_owned(),
            client_id: "c".to_owned(),
            session_name: name.map(str::to_owned),
            bytes: 0,
        }
    }

    fn content() -> ContextContent {
        ContextContent {
            variables: vec![
                SavedValue {
                    name: "a".into(),
                    class_name: "SmallInteger".into(),
                    bytes: Ok(vec![1, 2, 3]),
                },
                SavedValue {
                    name: "b".into(),
                    class_name: "BlockClosure".into(),
                    bytes: Err("it is a block".into()),
                },
            ],
            history: Vec::new(),
        }
    }

    fn ids<'a>(found: &[&'a ContextMeta]) -> Vec<&'a str> {
        found.iter().map(|meta| meta.context_id.as_str()).collect()
    }

    #[test]
    fn contexts_are_found_again_by_session_or_by_client_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut index = ContextIndex::open(folder.path()).unwrap();
        index
            .save(meta("1", "s", Some("main")), &content())
            .unwrap();
        index.save(meta("2", "s", None), &content()).unwrap();
        index
            .save(meta("3", "t", Some("other")), &content())
            .unwrap();
        let index = ContextIndex::open(folder.path()).unwrap();
        assert_eq!(ids(&index.of("s", "c", None)), ["1", "2"]);
        assert_eq!(ids(&index.of("new", "c", Some("main"))), ["1"]);
        assert_eq!(ids(&index.of("new", "d", Some("main"))), [""; 0]);
        let (found, loaded) = index.load("1").unwrap();
        assert_eq!(loaded, content());
        assert!(found.bytes > 0);
        assert!(matches!(index.load("9"), Err(ContextError::Missing)));
    }

    #[test]
    fn a_damaged_file_is_left_out_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut index = ContextIndex::open(folder.path()).unwrap();
        index.save(meta("1", "s", None), &content()).unwrap();
        let path = folder.path().join("1.context");
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(index.load("1"), Err(ContextError::Damaged(_))));
        fs::write(&path, b"garbage").unwrap();
        let index = ContextIndex::open(folder.path()).unwrap();
        assert!(matches!(index.load("1"), Err(ContextError::Missing)));
        assert!(path.exists());
    }
}
