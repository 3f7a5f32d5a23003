//! What happened in a session, in order: lines with positions 1, 2, 3, …
//!
//! Everything goes here first and to clients from here. A client is only a cursor in it, so one
//! that does not read costs nothing and slows nobody: when lines that it has not seen are dropped,
//! it is told so by one `gap`. A line is in the store before anybody can read it here; the newest
//! lines are in memory, the others are read from the store when somebody asks. The log is bounded
//! in bytes and days, and its positions go on after whatever ends.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::codec::client::encode_event;
use stui_protocol::daemon::GapData;
use stui_protocol::{Event, EventName};
use tokio::sync::watch;

use crate::store::{Collected, Extent, LinePlace, Mark, Store};

/// An event as its line, end included. Encoded once, shared by all who read it.
pub type LogLine = Arc<[u8]>;

/// Bytes of lines that stay in memory although the store has them, for clients that follow.
const CACHE_BYTES: usize = 4 * 1024;

/// The log of one session.
#[derive(Debug)]
pub struct Log {
    /// The daemon's number for the session.
    pub(crate) session: u64,
    kept: Mutex<Kept>,
    end: watch::Sender<End>,
    /// The store knows that there is something to take.
    is_dirty: AtomicBool,
    store: Store,
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
    /// The newest lines, with milliseconds since 1970: all that the store has not taken over, and
    /// some more.
    tail: VecDeque<(i64, LogLine)>,
    tail_bytes: usize,
    /// Position of the newest line.
    last: u64,
    /// Position of the oldest line that is not gone.
    first: u64,
    /// Lines up to this position can be read from the store.
    stored: u64,
    stored_bytes: u64,
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
    pub(crate) fn new(session: u64, limit_bytes: usize, store: Store) -> Self {
        Self {
            session,
            kept: Mutex::new(Kept {
                tail: VecDeque::new(),
                tail_bytes: 0,
                last: 0,
                first: 1,
                stored: 0,
                stored_bytes: 0,
                limit_bytes,
            }),
            end: watch::Sender::new(End::default()),
            is_dirty: AtomicBool::new(false),
            store,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event and answers its position. Old lines go when there are too many bytes.
    pub fn append(self: &Arc<Self>, event: Event) -> u64 {
        self.append_marked(event, Mark::None)
    }

    /// Adds an event that means something for an evaluation.
    pub(crate) fn append_marked(self: &Arc<Self>, mut event: Event, mark: Mark) -> u64 {
        let mut kept = self.kept();
        let position = kept.last + 1;
        event.position = Some(position);
        let line: LogLine = encode_event(&event).into();
        let at_ms = event.timestamp.as_millisecond();
        self.touch();
        let place = LinePlace {
            session: self.session,
            first: kept.first,
            position,
            at_ms,
        };
        self.store.append(place, mark, &line);
        kept.push(at_ms, line);
        self.end.send_modify(|end| end.position = position);
        position
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.end.send_modify(|end| end.closed = true);
    }

    /// Bytes of its lines that are in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.kept().tail_bytes
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

    /// Bytes of all its lines.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let kept = self.kept();
        let cached = kept
            .stored
            .saturating_sub(kept.last - kept.tail.len() as u64);
        let unstored = kept
            .tail
            .iter()
            .skip(usize::try_from(cached).unwrap_or(usize::MAX));
        let unstored: usize = unstored.map(|(_, line)| line.len()).sum();
        kept.stored_bytes + unstored as u64
    }

    /// Lines after a position and up to another, at most `limit_bytes` of them but one at least.
    /// Reads from disk what is not in memory. When the disk cannot be read just now, the part ends
    /// there.
    #[must_use]
    pub fn read(&self, after: u64, up_to: u64, limit_bytes: usize) -> Part {
        let mut part = Part {
            position: after,
            ..Part::default()
        };
        let mut room = limit_bytes;
        loop {
            let before = part.position;
            self.read_on(&mut part, up_to, &mut room);
            if part.position == before || room == 0 {
                return part;
            }
        }
    }

    /// Reads on from the store or from memory; `room` is what is left of the bound.
    fn read_on(&self, part: &mut Part, up_to: u64, room: &mut usize) {
        let kept = self.kept();
        let last = up_to.min(kept.last);
        if part.position >= last {
            return;
        }
        if part.position + 1 < kept.first {
            if part.lines.is_empty() {
                part.skip_to(last.min(kept.first - 1));
            }
            // Else it is told next time: a gap stands before the lines of its part.
            return;
        }
        let in_memory = kept.tail_first();
        if part.position + 1 >= in_memory {
            for position in part.position + 1..=last {
                let Some(line) = kept.line(position) else {
                    break;
                };
                if !part.push(position, line, room) {
                    break;
                }
            }
            return;
        }
        drop(kept);
        let up_to = last.min(in_memory - 1);
        let after = part.position;
        let Some(lines) = self.store.lines(self.session, after, up_to, *room) else {
            *room = 0;
            return;
        };
        // What the store does not have although it should was dropped a moment ago.
        let found = lines.first().map_or(up_to + 1, |(position, _)| *position);
        if found > after + 1 {
            if part.lines.is_empty() {
                part.skip_to(found - 1);
            } else {
                *room = 0;
                return;
            }
        }
        for (position, line) in lines {
            if position != part.position + 1 || !part.push(position, &line, room) {
                break;
            }
        }
    }

    /// The line at a position, unless it is gone. Reads from disk, perhaps.
    #[must_use]
    pub(crate) fn line(&self, position: u64) -> Option<LogLine> {
        let mut part = self.read(position.checked_sub(1)?, position, 1);
        part.lines.pop()
    }

    /// There is something for the store to take.
    pub(crate) fn touch(self: &Arc<Self>) {
        if !self.is_dirty.swap(true, Ordering::AcqRel) {
            self.store.is_dirty(Arc::clone(self));
        }
    }

    /// What the store has not taken over yet.
    pub(crate) fn collect(&self) -> Collected {
        let kept = self.kept();
        self.is_dirty.store(false, Ordering::Release);
        let from = (kept.stored + 1).max(kept.tail_first());
        let lines = (from..=kept.last).filter_map(|position| {
            let (at_ms, line) = kept.entry(position)?;
            Some((position, *at_ms, Arc::clone(line)))
        });
        Collected {
            session: self.session,
            first: kept.first,
            lines: lines.collect(),
            limit_bytes: kept.limit_bytes as u64,
        }
    }

    /// The store has taken over as much; lines that are too old or too many are gone from it.
    pub(crate) fn stored(&self, extent: Extent) {
        let mut kept = self.kept();
        kept.stored = kept.stored.max(extent.last);
        kept.stored_bytes = extent.bytes;
        kept.first = kept.first.max(extent.first);
        if kept.last < extent.last {
            // An earlier daemon's log.
            kept.last = extent.last;
            self.end.send_modify(|end| end.position = extent.last);
        }
        kept.forget_cached();
    }

    /// A line that an earlier daemon has journaled and the store has not taken over, perhaps.
    pub(crate) fn restore(self: &Arc<Self>, position: u64, at_ms: i64, line: &[u8]) {
        let mut kept = self.kept();
        if position <= kept.last {
            return;
        }
        if position > kept.last + 1 {
            // Lines between are gone with a damaged store.
            kept.tail.clear();
            kept.tail_bytes = 0;
            kept.last = position - 1;
            kept.first = position;
        }
        self.touch();
        kept.push(at_ms, line.into());
        self.end.send_modify(|end| end.position = position);
    }

    /// The store is a new one: what only the old one had is gone.
    pub(crate) fn forget_stored(self: &Arc<Self>) {
        let mut kept = self.kept();
        kept.first = kept.first.max(kept.tail_first());
        kept.stored = kept.first - 1;
        kept.stored_bytes = 0;
        self.touch();
    }
}

impl Kept {
    /// Position of the first line in memory; one more than the last when there is none.
    fn tail_first(&self) -> u64 {
        self.last + 1 - self.tail.len() as u64
    }

    fn entry(&self, position: u64) -> Option<&(i64, LogLine)> {
        let index = usize::try_from(position.checked_sub(self.tail_first())?).ok()?;
        self.tail.get(index)
    }

    fn line(&self, position: u64) -> Option<&LogLine> {
        self.entry(position).map(|(_, line)| line)
    }

    fn push(&mut self, at_ms: i64, line: LogLine) {
        self.tail_bytes += line.len();
        self.tail.push_back((at_ms, line));
        self.last += 1;
        while self.tail_bytes > self.limit_bytes && self.tail.len() > 1 {
            let dropped = self.tail_first();
            self.pop();
            if dropped > self.stored {
                // The store never had it, and what is older is too much as well.
                self.first = dropped + 1;
            }
        }
    }

    fn pop(&mut self) {
        if let Some((_, line)) = self.tail.pop_front() {
            self.tail_bytes -= line.len();
        }
        if self.tail.is_empty() {
            self.tail.shrink_to_fit();
        }
    }

    /// Drops from memory what the store has, but the newest.
    fn forget_cached(&mut self) {
        while self.tail_bytes > CACHE_BYTES
            && self.tail_first() <= self.stored
            && !self.tail.is_empty()
        {
            self.pop();
        }
        self.tail.shrink_to(self.tail.len() * 2);
    }
}

impl Part {
    /// Adds the line at the next position. False when there is no room for it.
    fn push(&mut self, position: u64, line: &LogLine, room: &mut usize) -> bool {
        if line.len() > *room && !self.lines.is_empty() {
            *room = 0;
            return false;
        }
        *room = room.saturating_sub(line.len());
        self.lines.push(Arc::clone(line));
        self.position = position;
        true
    }

    fn skip_to(&mut self, to: u64) {
        let from = self.gap.map_or(self.position + 1, |gap| gap.from);
        self.gap = Some(GapData { from, to });
        self.position = to;
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
mod tests;
