//! The lines that a client sends, as they come.

use std::io;
use std::time::Duration;

use stui_protocol::codec::client::{Line, Lines};
use tokio::io::AsyncReadExt;
use tokio::net::unix::OwnedReadHalf;
use tokio::time::{MissedTickBehavior, interval, timeout};

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
    patience: Duration,
    /// A whole line has come.
    has_spoken: bool,
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
            patience,
            has_spoken: false,
        }
    }

    /// The next line. Can be cancelled: nothing that was read is lost.
    pub(crate) async fn next(&mut self) -> Result<Line, Stopped> {
        loop {
            let mut input = &self.buffer[self.unread.clone()];
            let line = self.lines.next(&mut input);
            self.unread.start = self.unread.end - input.len();
            if let Some(line) = line {
                self.has_spoken = true;
                return Ok(line);
            }
            let count = self.read().await?;
            self.unread = 0..count;
        }
    }

    async fn read(&mut self) -> Result<usize, Stopped> {
        let overdue = match (self.lines.pending(), self.has_spoken) {
            (0, true) => None,
            (0, false) => Some("nothing was asked: connect when there is something to ask"),
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
