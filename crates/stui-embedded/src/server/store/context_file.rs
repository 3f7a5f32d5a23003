//! The file of one saved context.
//!
//! Records: the meta data first (JSON), then one for each variable (a head as JSON, then the bytes
//! of `Vm::dump`, none when it could not be saved), then the history (JSON).

use serde::{Deserialize, Serialize};
use stui_protocol::image::HistoryEntry;
use thiserror::Error;

use super::super::records::{self, Damaged, Record};
use super::contexts::ContextMeta;
use super::payload;

/// What a context file begins with.
pub(super) const MAGIC: &[u8; 8] = b"stuictx\n";

const META: u8 = 1;
const VARIABLE: u8 = 2;
const HISTORY: u8 = 3;

/// Most bytes of the meta record.
pub(super) const MAX_META_BYTES: usize = 8 * 1024;

/// Why a context cannot be used.
#[derive(Debug, Error)]
pub(in crate::server) enum ContextError {
    #[error("there is no such context")]
    Missing,
    #[error("the saved context is damaged: {0}")]
    Damaged(#[from] Damaged),
    #[error("the saved context cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// A variable in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct SavedValue {
    pub(in crate::server) name: String,
    pub(in crate::server) class_name: String,
    /// The dumped value, or why there is none.
    pub(in crate::server) bytes: Result<Vec<u8>, String>,
}

/// What a context holds besides its meta data.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::server) struct ContextContent {
    pub(in crate::server) variables: Vec<SavedValue>,
    /// Oldest first.
    pub(in crate::server) history: Vec<HistoryEntry>,
}

#[derive(Serialize, Deserialize)]
struct VariableHead {
    name: String,
    class_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The record of a variable; contexts and snapshots write it alike.
pub(super) fn variable_record(kind: u8, value: &SavedValue) -> Record {
    let head = VariableHead {
        name: value.name.clone(),
        class_name: value.class_name.clone(),
        reason: value.bytes.as_ref().err().cloned(),
    };
    let bytes = value.bytes.as_deref().unwrap_or_default();
    payload::with_bytes(kind, &head, bytes)
}

/// Reads such a record.
pub(super) fn read_variable(number: usize, record: &Record) -> Result<SavedValue, Damaged> {
    let (head, bytes): (VariableHead, _) = payload::read_with_bytes(number, &record.payload)?;
    Ok(SavedValue {
        name: head.name,
        class_name: head.class_name,
        bytes: head.reason.map_or_else(|| Ok(bytes.to_vec()), Err),
    })
}

/// The bytes of a file.
pub(super) fn encode(meta: &ContextMeta, content: &ContextContent) -> Vec<u8> {
    let mut all = vec![payload::json(META, meta)];
    all.extend(
        content
            .variables
            .iter()
            .map(|value| variable_record(VARIABLE, value)),
    );
    all.push(payload::json(HISTORY, &content.history));
    records::encode(MAGIC, &all)
}

/// Reads a whole file.
pub(super) fn decode(bytes: &[u8]) -> Result<(ContextMeta, ContextContent), Damaged> {
    let all = records::decode(MAGIC, bytes)?;
    let mut meta = None;
    let mut content = ContextContent::default();
    for (at, record) in all.iter().enumerate() {
        let number = at + 1;
        match record.kind {
            META => meta = Some(payload::read_json(number, &record.payload)?),
            VARIABLE => content.variables.push(read_variable(number, record)?),
            HISTORY => content.history = payload::read_json(number, &record.payload)?,
            _ => {}
        }
    }
    let meta = meta.ok_or_else(|| Damaged::Content(1, "it is not the meta data".to_owned()))?;
    Ok((meta, content))
}

/// Reads the meta data from the start of a file.
pub(super) fn decode_meta(start: &[u8]) -> Result<ContextMeta, Damaged> {
    let record = records::decode_first(MAGIC, start)?;
    payload::read_json(1, &record.payload)
}
