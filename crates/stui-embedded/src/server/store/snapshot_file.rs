//! The snapshot: classes and methods as source, sessions with what they hold.
//!
//! Records in the order in which they are read back: the meta data, classes (superclasses first),
//! methods, then for each session its facts followed by its variables.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stui_protocol::Timestamp;
use stui_protocol::image::HistoryEntry;

use super::super::definitions::Layout;
use super::super::files;
use super::super::records::{self, Damaged, Record};
use super::context_file::{ContextError, SavedValue, read_variable, variable_record};
use super::payload;

const MAGIC: &[u8; 8] = b"stuiimg\n";
const META: u8 = 1;
const CLASS: u8 = 2;
const METHOD: u8 = 3;
const SESSION: u8 = 4;
const VARIABLE: u8 = 5;

/// Most bytes of a snapshot that is read.
const MAX_FILE_BYTES: usize = 1024 * 1024 * 1024;

/// When and by which life of the image it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::server) struct SnapshotMeta {
    pub(in crate::server) saved_at: Timestamp,
    pub(in crate::server) instance: String,
}

/// A class of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server) struct SavedClass {
    pub(in crate::server) name: String,
    pub(in crate::server) superclass: String,
    pub(in crate::server) slots: Vec<String>,
    pub(in crate::server) class_vars: Vec<String>,
    pub(in crate::server) class_slots: Vec<String>,
    pub(in crate::server) package: String,
    #[serde(default)]
    pub(in crate::server) layout: Layout,
    pub(in crate::server) comment: String,
}

/// A method of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server) struct SavedMethod {
    pub(in crate::server) class_name: String,
    pub(in crate::server) is_class_method: bool,
    pub(in crate::server) category: String,
    pub(in crate::server) source: String,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::server) struct SavedSession {
    pub(in crate::server) session_id: String,
    pub(in crate::server) client_id: String,
    pub(in crate::server) name: Option<String>,
    pub(in crate::server) created_at: Timestamp,
    pub(in crate::server) last_modified: Timestamp,
    pub(in crate::server) timeout: u64,
    pub(in crate::server) evaluations: u64,
    pub(in crate::server) state: Map<String, Value>,
    /// Oldest first.
    pub(in crate::server) history: Vec<HistoryEntry>,
    /// In records of their own.
    #[serde(skip)]
    pub(in crate::server) variables: Vec<SavedValue>,
}

/// A whole snapshot.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::server) struct Snapshot {
    pub(in crate::server) meta: SnapshotMeta,
    pub(in crate::server) classes: Vec<SavedClass>,
    pub(in crate::server) methods: Vec<SavedMethod>,
    pub(in crate::server) sessions: Vec<SavedSession>,
}

/// Writes a snapshot, whole or not at all.
pub(in crate::server) fn write(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    files::write_whole(path, &encode(snapshot))
}

/// Reads the snapshot, if there is one.
pub(in crate::server) fn read(path: &Path) -> Result<Option<Snapshot>, ContextError> {
    match files::read_bounded(path, MAX_FILE_BYTES) {
        Ok(bytes) => Ok(Some(decode(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let mut all: Vec<Record> = vec![payload::json(META, &snapshot.meta)];
    let classes = snapshot.classes.iter();
    all.extend(classes.map(|class| payload::json(CLASS, class)));
    let methods = snapshot.methods.iter();
    all.extend(methods.map(|method| payload::json(METHOD, method)));
    for session in &snapshot.sessions {
        all.push(payload::json(SESSION, session));
        let variables = session.variables.iter();
        all.extend(variables.map(|value| variable_record(VARIABLE, value)));
    }
    records::encode(MAGIC, &all)
}

fn decode(bytes: &[u8]) -> Result<Snapshot, Damaged> {
    let all = records::decode(MAGIC, bytes)?;
    let mut meta = None;
    let (mut classes, mut methods) = (Vec::new(), Vec::new());
    let mut sessions: Vec<SavedSession> = Vec::new();
    for (at, record) in all.iter().enumerate() {
        let number = at + 1;
        match record.kind {
            META => meta = Some(payload::read_json(number, &record.payload)?),
            CLASS => classes.push(payload::read_json(number, &record.payload)?),
            METHOD => methods.push(payload::read_json(number, &record.payload)?),
            SESSION => sessions.push(payload::read_json(number, &record.payload)?),
            VARIABLE => {
                let value = read_variable(number, record)?;
                let owner = sessions.last_mut().ok_or_else(|| {
                    Damaged::Content(number, "a variable without a session".to_owned())
                })?;
                owner.variables.push(value);
            }
            _ => {}
        }
    }
    let meta = meta.ok_or_else(|| Damaged::Content(1, "it is not the meta data".to_owned()))?;
    Ok(Snapshot {
        meta,
        classes,
        methods,
        sessions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.snapshot");
        assert!(read(&path).unwrap().is_none());
        let now = stui_protocol::time::now();
        let variable = |name: &str| SavedValue {
            name: name.to_owned(),
            class_name: "X".to_owned(),
            bytes: Ok(vec![0, 255]),
        };
        let session = |id: &str, variables| SavedSession {
            session_id: id.to_owned(),
            client_id: "c".to_owned(),
            name: None,
            created_at: now,
            last_modified: now,
            timeout: 0,
            evaluations: 3,
            state: Map::new(),
            history: Vec::new(),
            variables,
        };
        let snapshot = Snapshot {
            meta: SnapshotMeta {
                saved_at: now,
                instance: "i".to_owned(),
            },
            classes: vec![SavedClass {
                name: "Foo".to_owned(),
                superclass: "Object".to_owned(),
                slots: vec!["a".to_owned()],
                class_vars: Vec::new(),
                class_slots: Vec::new(),
                package: "P".to_owned(),
                layout: Layout::Variable,
                comment: "I am.".to_owned(),
            }],
            methods: vec![SavedMethod {
                class_name: "Foo".to_owned(),
                is_class_method: true,
                category: "x".to_owned(),
                source: "a ^ 'ä'".to_owned(),
            }],
            sessions: vec![
                session("1", vec![variable("a"), variable("b")]),
                session("2", vec![variable("c")]),
            ],
        };
        write(&path, &snapshot).unwrap();
        assert_eq!(read(&path).unwrap(), Some(snapshot));
        std::fs::write(&path, b"stuiimg\nxx").unwrap();
        assert!(matches!(read(&path), Err(ContextError::Damaged(_))));
    }
}
