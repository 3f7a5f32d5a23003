//! The records of the store, as the fuzz targets see them.

use std::sync::{Arc, LazyLock};

use stui_protocol::daemon::GapData;

use super::journal::{read_frames, write_frame};
use super::record::{Change, OpenEvaluation, SessionRecord};
use super::tables::row;
use super::{Retention, Store};
use crate::log::gap_event;
use crate::metrics::Metrics;

/// What of a journal was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Journal {
    /// Its changes, written again.
    pub bytes: Vec<u8>,
    /// How many those are.
    pub changes: usize,
    /// Bytes behind them that are none.
    pub cut: usize,
}

/// Reads the frames of a journal, without its header, and writes them again.
#[must_use]
pub fn rewrite_journal(frames: &[u8]) -> Journal {
    let (mut bytes, mut changes) = (Vec::new(), 0);
    let cut = read_frames(frames, |change, line| {
        bytes.extend_from_slice(&framed(&change, line));
        changes += 1;
    });
    let cut = cut.len();
    Journal {
        bytes,
        changes,
        cut,
    }
}

/// Recovers what a journal of these changes says: each a JSON document, then perhaps a tab and a
/// line of a log. Those that are none are left out. Answers how many sessions there are then, and
/// the journal itself.
///
/// # Panics
/// When what was recovered does not hold together.
#[must_use]
pub fn recover(changes: &[u8]) -> (usize, Vec<u8>) {
    static METRICS: LazyLock<Option<Arc<Metrics>>> =
        LazyLock::new(|| Metrics::new().ok().map(Arc::new));
    let mut frames = Vec::new();
    for text in changes.split(|byte| *byte == b'\n') {
        let tab = text.iter().position(|byte| *byte == b'\t');
        let (json, line) = text.split_at(tab.unwrap_or(text.len()));
        if let Ok(change) = serde_json::from_slice::<Change>(json) {
            frames.extend_from_slice(&framed(&change, line));
        }
    }
    let Some(metrics) = &*METRICS else {
        return (0, frames);
    };
    let retention = Retention {
        log_bytes: 4096,
        log_days: 1,
    };
    let store = Store::in_memory(retention, Arc::clone(metrics));
    let sessions = store.recovered_from(&frames);
    for pair in sessions.windows(2) {
        assert!(pair[0].record.key < pair[1].record.key);
    }
    for session in &sessions {
        let key = session.record.key;
        assert!(session.open.iter().all(|open| open.session == key));
        // And it goes on.
        let before = session.log.end().position;
        assert_eq!(
            session.log.append(gap_event(GapData { from: 1, to: 1 })),
            before + 1
        );
        assert_eq!(
            session.log.read(0, u64::MAX, usize::MAX).position,
            before + 1
        );
        assert!(store.next_key() > key);
    }
    (sessions.len(), frames)
}

/// Reads a row of the tables as each of its kinds, and writes it again; none when it is none.
#[must_use]
pub fn rewrite_row(bytes: &[u8]) -> Option<Vec<u8>> {
    row::<SessionRecord>(bytes).or_else(|| row::<OpenEvaluation>(bytes))
}

fn framed(change: &Change, line: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    if write_frame(&mut frame, change, line).is_err() {
        frame.clear();
    }
    frame
}
