//! What happened in a session, in order: lines with positions 1, 2, 3, …
//!
//! Everything goes here first and to clients from here. A client is only a cursor in it, so one
//! that does not read costs nothing and slows nobody: when lines that it has not seen are dropped,
//! it is told so by one `gap`. The log is in memory and bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use stui_protocol::codec::client::encode_event;
use stui_protocol::daemon::GapData;
use stui_protocol::{Event, EventName};
use tokio::sync::watch;

/// An event as its line, end included. Encoded once, shared by all who read it.
pub type LogLine = Arc<[u8]>;

/// The log of one session.
#[derive(Debug)]
pub struct Log {
    kept: Mutex<Kept>,
    end: watch::Sender<End>,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Position of the newest line; 0 before the first.
    pub position: u64,
    /// Nothing more will come: the session is gone.
    pub closed: bool,
}

#[derive(Debug)]
struct Kept {
    lines: VecDeque<LogLine>,
    /// Position of the first line kept.
    first: u64,
    bytes: usize,
    limit_bytes: usize,
}

/// A part of a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// These lines are gone.
    pub gap: Option<GapData>,
    /// Lines in order.
    pub lines: Vec<LogLine>,
    /// Position of the last line, gone or not: where to go on reading.
    pub position: u64,
}

impl Log {
    /// An empty log that keeps about that many bytes, and one line at least.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            kept: Mutex::new(Kept {
                lines: VecDeque::new(),
                first: 1,
                bytes: 0,
                limit_bytes,
            }),
            end: watch::Sender::new(End::default()),
        }
    }

    /// Adds an event and answers its position. Old lines go when there are too many bytes.
    pub fn append(&self, mut event: Event) -> u64 {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let position = kept.first + kept.lines.len() as u64;
        event.position = Some(position);
        let line: LogLine = encode_event(&event).into();
        kept.bytes += line.len();
        kept.lines.push_back(line);
        kept.trim();
        self.end.send_modify(|end| end.position = position);
        position
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.end.send_modify(|end| end.closed = true);
    }

    /// Bytes that its lines take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes
    }

    /// Where the log ends now.
    #[must_use]
    pub fn end(&self) -> End {
        *self.end.borrow()
    }

    /// Where the log ends, with its changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<End> {
        self.end.subscribe()
    }

    /// Lines after a position and up to another, at most `limit_bytes` of them but one at least.
    #[must_use]
    pub fn read(&self, after: u64, up_to: u64, limit_bytes: usize) -> Part {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let last = up_to.min(kept.first + kept.lines.len() as u64 - 1);
        let mut part = Part {
            position: after,
            ..Part::default()
        };
        if after < last && after + 1 < kept.first {
            let to = last.min(kept.first - 1);
            part.gap = Some(GapData {
                from: after + 1,
                to,
            });
            part.position = to;
        }
        let mut bytes = 0;
        while part.position < last {
            let Some(line) = kept.line(part.position + 1) else {
                break;
            };
            bytes += line.len();
            if bytes > limit_bytes && !part.lines.is_empty() {
                break;
            }
            part.lines.push(Arc::clone(line));
            part.position += 1;
        }
        part
    }
}

impl Kept {
    fn line(&self, position: u64) -> Option<&LogLine> {
        let index = usize::try_from(position.checked_sub(self.first)?).ok()?;
        self.lines.get(index)
    }

    fn trim(&mut self) {
        while self.bytes > self.limit_bytes && self.lines.len() > 1 {
            if let Some(line) = self.lines.pop_front() {
                self.bytes -= line.len();
                self.first += 1;
            }
        }
    }
}

/// The line that tells a gap.
#[must_use]
pub fn gap_event(gap: GapData) -> Event {
    let mut event = Event::new(EventName::Gap, &gap);
    event.position = Some(gap.to);
    event
}

#[cfg(test)]
mod tests {
    use stui_protocol::image::OutputData;

    use super::*;

    fn output(text: &str) -> Event {
        Event::new(EventName::Output, &OutputData { text: text.into() })
    }

    fn texts(part: &Part) -> Vec<String> {
        part.lines
            .iter()
            .map(|line| {
                let event: Event = serde_json::from_slice(line).unwrap();
                event.data_as::<OutputData>().unwrap().text
            })
            .collect()
    }

    fn log_of(texts: &[&str]) -> Log {
        let log = Log::new(1 << 20);
        for text in texts {
            log.append(output(text));
        }
        log
    }

    #[test]
    fn positions_count_from_one() {
        let log = Log::new(1 << 20);
        assert_eq!(log.end().position, 0);
        assert_eq!(log.append(output("a")), 1);
        assert_eq!(log.append(output("b")), 2);
        assert_eq!(log.end().position, 2);
    }

    #[test]
    fn a_cursor_sees_every_line_once() {
        let log = log_of(&["a", "b", "c"]);
        let first = log.read(0, 2, 1 << 20);
        assert_eq!(texts(&first), ["a", "b"]);
        let second = log.read(first.position, u64::MAX, 1 << 20);
        assert_eq!(texts(&second), ["c"]);
        assert_eq!(log.read(second.position, u64::MAX, 1 << 20).lines.len(), 0);
    }

    #[test]
    fn a_part_is_bounded_but_has_one_line_at_least() {
        let log = log_of(&["a", "b"]);
        let part = log.read(0, u64::MAX, 1);
        assert_eq!((texts(&part), part.position), (vec!["a".to_owned()], 1));
    }

    #[test]
    fn lines_that_were_dropped_are_one_gap() {
        let long = "x".repeat(1000);
        let log = Log::new(2500);
        for _ in 0..10 {
            log.append(output(&long));
        }
        let part = log.read(3, u64::MAX, 1 << 20);
        let gap = part.gap.unwrap();
        assert_eq!(gap.from, 4);
        assert_eq!(gap.to + part.lines.len() as u64, 10);
        assert_eq!(part.position, 10);
        assert_eq!(log.read(gap.to, u64::MAX, 1 << 20).gap, None);
    }

    #[test]
    fn a_position_that_was_never_reached_is_the_end() {
        let log = log_of(&["a"]);
        let part = log.read(99, u64::MAX, 1 << 20);
        assert_eq!((part.gap, part.lines.len(), part.position), (None, 0, 99));
    }

    #[test]
    fn a_line_larger_than_the_log_is_kept_until_the_next() {
        let log = Log::new(10);
        log.append(output("first"));
        log.append(output("second"));
        let part = log.read(0, u64::MAX, 1 << 20);
        assert_eq!(part.gap, Some(GapData { from: 1, to: 1 }));
        assert_eq!(texts(&part), ["second"]);
    }
}
