//! Payloads of records: JSON, or a JSON head with bytes behind it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::records::{Damaged, Record};

/// A record that is JSON.
pub(super) fn json(kind: u8, content: &impl Serialize) -> Record {
    Record {
        kind,
        // Contents are structs with string keys: they always become JSON.
        payload: serde_json::to_vec(content).unwrap_or_default(),
    }
}

/// A record of a JSON head and bytes: length of the head (u32, little-endian), head, bytes.
pub(super) fn with_bytes(kind: u8, head: &impl Serialize, bytes: &[u8]) -> Record {
    let head = serde_json::to_vec(head).unwrap_or_default();
    let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
    let mut payload = length.to_le_bytes().to_vec();
    payload.extend(head);
    payload.extend(bytes);
    Record { kind, payload }
}

/// Reads a JSON record; `number` names it in the error.
pub(super) fn read_json<T: DeserializeOwned>(number: usize, bytes: &[u8]) -> Result<T, Damaged> {
    serde_json::from_slice(bytes).map_err(|wrong| Damaged::Content(number, wrong.to_string()))
}

/// Reads a record of a JSON head and bytes.
pub(super) fn read_with_bytes<T: DeserializeOwned>(
    number: usize,
    payload: &[u8],
) -> Result<(T, &[u8]), Damaged> {
    let short = || Damaged::Content(number, "it is too short".to_owned());
    let (length, rest) = payload.split_first_chunk::<4>().ok_or_else(short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short())?;
    let (head, bytes) = rest.split_at_checked(length).ok_or_else(short)?;
    Ok((read_json(number, head)?, bytes))
}
