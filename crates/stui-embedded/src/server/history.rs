//! The evaluations that a session remembers, bounded by count and bytes; the oldest go first.

use std::collections::VecDeque;

use stui_protocol::image::HistoryEntry;

use crate::interpreter::cut;

/// Evaluations of one session.
pub(super) const MAX_ENTRIES: usize = 500;

/// Bytes of code and results of one session.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Longest code kept whole, in characters: a pasted class, not a pasted book.
const MAX_CODE_CHARS: usize = 16 * 1024;

/// Longest result kept, in characters: enough to recognise it.
const MAX_RESULT_CHARS: usize = 1024;

/// Past evaluations, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    entries: VecDeque<HistoryEntry>,
    bytes: usize,
}

impl History {
    /// Adds the newest entry, its texts cut to bounds.
    pub(super) fn add(&mut self, mut entry: HistoryEntry) {
        entry.code = cut(entry.code, MAX_CODE_CHARS).0;
        entry.result = cut(entry.result, MAX_RESULT_CHARS).0;
        self.bytes += size(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            match self.entries.pop_front() {
                Some(oldest) => self.bytes -= size(&oldest),
                None => break,
            }
        }
    }

    /// Copies of all, newest first.
    pub(super) fn newest_first(&self) -> Vec<HistoryEntry> {
        self.entries.iter().rev().cloned().collect()
    }

    /// Copies of all, oldest first: the order that `add` takes them in.
    pub(super) fn oldest_first(&self) -> Vec<HistoryEntry> {
        self.entries.iter().cloned().collect()
    }

    /// Forgets all; answers how many there were.
    pub(super) fn clear(&mut self) -> usize {
        self.bytes = 0;
        let count = self.entries.len();
        self.entries.clear();
        count
    }
}

fn size(entry: &HistoryEntry) -> usize {
    entry.evaluation_id.len() + entry.code.len() + entry.result.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: usize, code: String) -> HistoryEntry {
        HistoryEntry {
            evaluation_id: n.to_string(),
            code,
            result: String::new(),
            has_error: false,
            timestamp: stui_protocol::time::now(),
        }
    }

    #[test]
    fn the_oldest_entries_go_first_by_count_and_by_bytes() {
        let mut history = History::default();
        for n in 0..MAX_ENTRIES + 3 {
            history.add(entry(n, "3 + 4".to_owned()));
        }
        assert_eq!(history.entries.len(), MAX_ENTRIES);
        assert_eq!(history.oldest_first()[0].evaluation_id, "3");
        assert_eq!(
            history.newest_first()[0].evaluation_id,
            (MAX_ENTRIES + 2).to_string()
        );
        for n in 0..MAX_ENTRIES {
            history.add(entry(n, "é".repeat(MAX_CODE_CHARS)));
        }
        assert!(history.bytes <= MAX_BYTES);
        assert!(history.entries.len() > 10);
        let before = history.entries.len();
        assert_eq!(history.clear(), before);
        assert_eq!(history.entries.len(), 0);
    }

    #[test]
    fn long_code_is_cut_between_characters() {
        let mut history = History::default();
        history.add(entry(0, "é".repeat(MAX_CODE_CHARS + 1)));
        let kept = &history.newest_first()[0].code;
        assert_eq!(kept.chars().count(), MAX_CODE_CHARS);
    }
}
