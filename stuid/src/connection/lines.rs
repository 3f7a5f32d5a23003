//! The lines that a client sends, as they come.

use std::io;
use std::time::Duration;

use stui_protocol::Failure;
use stui_protocol::codec::client::{Line, Lines};
use tokio::io::AsyncReadExt;
use tokio::net::unix::OwnedReadHalf;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::places::Place;

/// Bytes that are read at once. Small, because every idle client has them; a large line is put
/// together elsewhere.
const BUFFER_BYTES: usize = 8 * 1024;

/// Reads lines.
pub(crate) struct LineReader {
    stream: OwnedReadHalf,
    buffer: Box<[u8]>,
    /// Where in the buffer the bytes are that were read and not looked at.
    unread: std::ops::Range<usize>,
    lines: Lines,
    /// Why the line that comes is dropped.
    refused: Option<Failure>,
    patience: Duration,
    /// A whole line has come.
    has_spoken: bool,
}

/// What came, to the end of its line.
#[derive(Debug)]
pub(crate) enum Came {
    Line(Line),
    /// There was no room for it.
    Refused(Failure),
}

/// Why there is no further line.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The client sends no more.
    Ended,
    /// Half a line came, and then nothing for too long; or never anything. Says so.
    Stalled(&'static str),
}

impl LineReader {
    pub(crate) fn new(stream: OwnedReadHalf, patience: Duration) -> Self {
        Self {
            stream,
            buffer: vec![0; BUFFER_BYTES].into(),
            unread: 0..0,
            lines: Lines::default(),
            refused: None,
            patience,
            has_spoken: false,
        }
    }

    /// The next line; as much of it as is there weighs in its place. Can be cancelled: nothing that
    /// was read is lost.
    pub(crate) async fn next(&mut self, place: &mut Place) -> Result<Came, Stopped> {
        loop {
            if let Some(came) = self.take(place) {
                self.has_spoken = true;
                return Ok(came);
            }
            let count = self.read().await?;
            self.unread = 0..count;
        }
    }

    /// Takes what was read, to the end of a line; none when there is none yet.
    fn take(&mut self, place: &mut Place) -> Option<Came> {
        if self.refused.is_some() {
            return self
                .drop_line()
                .then(|| self.refused.take().map(Came::Refused))?;
        }
        let mut input = &self.buffer[self.unread.clone()];
        let line = self.lines.next(&mut input);
        self.unread.start = self.unread.end - input.len();
        if let Some(line) = line {
            return Some(Came::Line(line));
        }
        if let Err(failure) = place.claims(self.lines.pending()) {
            place.weighs(0);
            self.lines = Lines::default();
            self.refused = Some(failure);
        }
        None
    }

    /// Drops what was read, to the end of the line; false when that has not come.
    fn drop_line(&mut self) -> bool {
        let unread = &self.buffer[self.unread.clone()];
        let end = unread.iter().position(|byte| *byte == b'\n');
        self.unread.start += end.map_or(unread.len(), |end| end + 1);
        end.is_some()
    }

    async fn read(&mut self) -> Result<usize, Stopped> {
        let is_midway = self.lines.pending() > 0 || self.refused.is_some();
        let overdue = match (is_midway, self.has_spoken) {
            (false, true) => None,
            (false, false) => Some("nothing was asked: connect when there is something to ask"),
            _ => Some("the rest of this request did not come: a request is one whole line"),
        };
        let reading = self.stream.read(&mut self.buffer);
        let read = match overdue {
            None => reading.await,
            Some(why) => {
                let read = timeout(self.patience, reading).await;
                read.map_err(|_| Stopped::Stalled(why))?
            }
        };
        match read {
            Ok(0) | Err(_) => Err(Stopped::Ended),
            Ok(count) => Ok(count),
        }
    }

    /// The stream, when nothing of a further line was read from it: who reads on misses nothing.
    pub(crate) fn into_stream(self) -> Option<OwnedReadHalf> {
        let is_midway = self.lines.pending() > 0 || self.refused.is_some();
        (self.unread.is_empty() && !is_midway).then_some(self.stream)
    }

    /// Ends when nobody is at the other end any more, after the client has stopped sending.
    pub(crate) async fn hangup(&self, look_again: Duration) {
        let mut ticks = interval(look_again);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Writing nothing is an error once the other end is closed, and only then.
            match self.stream.as_ref().try_write(&[]) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}
