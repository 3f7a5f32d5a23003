//! The image link without ZeroMQ: a line of JSON each way over TCP, for demonstrations and tests.
//!
//! The same rules hold: one request under way, nothing sent to nobody, and what was sent when the
//! connection ends is unknown. There are no frames, so the `id` in the JSON tells whose reply it is.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use stui_protocol::codec::client::{self, Line};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::inflight::Correlation;
use super::{Arrived, Change, Happening, Sent};

/// Between two attempts to connect.
const RECONNECT: Duration = Duration::from_millis(10);
/// For one attempt.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes that are read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// A connection, or the attempts to get one.
pub(crate) struct Lines {
    /// `HOST:PORT`.
    place: String,
    state: State,
    /// What the latest reply belongs to, and what is under way: an `id` and its number.
    answered: Option<Asked>,
    under_way: Option<Asked>,
}

type Asked = (String, Correlation);

enum State {
    Connecting(BoxFuture<'static, io::Result<TcpStream>>),
    Up(Connection),
}

struct Connection {
    stream: TcpStream,
    outgoing: Vec<u8>,
    buffer: Box<[u8]>,
    unread: std::ops::Range<usize>,
    lines: client::Lines,
}

/// The one key that matters here.
#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

impl Lines {
    /// Begins to connect to `tcp://HOST:PORT`.
    pub(super) fn open(endpoint: &str) -> Self {
        let place = endpoint
            .strip_prefix("tcp://")
            .unwrap_or(endpoint)
            .to_owned();
        Self {
            state: connecting(&place, Instant::now()),
            place,
            answered: None,
            under_way: None,
        }
    }

    /// The next thing that happens. Can be cancelled.
    pub(super) async fn next(&mut self) -> Happening {
        loop {
            match &mut self.state {
                State::Connecting(attempt) => match attempt.await {
                    Ok(stream) => {
                        self.state = State::Up(Connection::new(stream));
                        return Happening::Changed(Change::Up);
                    }
                    Err(error) => {
                        tracing::trace!(%error, place = self.place, "connecting to the image");
                        self.connect_again();
                    }
                },
                State::Up(connection) => match connection.next().await {
                    Ok(line) => return Happening::Received(self.assign(line)),
                    Err(error) => {
                        tracing::debug!(%error, place = self.place, "the connection to the image ends");
                        self.connect_again();
                        return Happening::Changed(Change::Down);
                    }
                },
            }
        }
    }

    fn connect_again(&mut self) {
        self.state = connecting(&self.place, Instant::now() + RECONNECT);
        (self.answered, self.under_way) = (None, None);
    }

    /// Whose reply it is. One without an id answers what is under way: the image could not read
    /// that at all.
    fn assign(&mut self, line: Line) -> Arrived {
        let Line::Whole(body) = line else {
            return None;
        };
        let id = serde_json::from_slice::<Id<'_>>(&body).ok()?.id;
        let is = |asked: &mut Asked| id.as_ref().is_none_or(|id| *id == asked.0);
        if let Some(asked) = self.under_way.take_if(is) {
            let number = asked.1;
            self.answered = Some(asked);
            return Some((number, body));
        }
        let again = self.answered.take_if(is)?;
        Some((again.1, body))
    }

    /// Takes a message whole when nothing else is on its way out.
    pub(super) fn send(&mut self, correlation: Correlation, mut body: Vec<u8>) -> Sent {
        let State::Up(connection) = &mut self.state else {
            return Sent::Not(body);
        };
        if !connection.outgoing.is_empty() {
            return Sent::Not(body);
        }
        let id = serde_json::from_slice::<Id<'_>>(&body).ok();
        let id = id.and_then(|request| Some(request.id?.into_owned()));
        self.under_way = Some((id.unwrap_or_default(), correlation));
        body.push(b'\n');
        connection.outgoing = body;
        // What cannot be written now is written while waiting for the reply; an error shows there.
        let _ = connection.write();
        Sent::Whole
    }
}

fn connecting(place: &str, at: Instant) -> State {
    let place = place.to_owned();
    let attempt = async move {
        sleep_until(at).await;
        let stream = timeout(CONNECT, TcpStream::connect(place)).await??;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    State::Connecting(attempt.boxed())
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            outgoing: Vec::new(),
            buffer: vec![0; BUFFER_BYTES].into(),
            unread: 0..0,
            lines: client::Lines::default(),
        }
    }

    /// The next line. Can be cancelled: nothing that was read is lost.
    async fn next(&mut self) -> io::Result<Line> {
        loop {
            let mut input = &self.buffer[self.unread.clone()];
            let line = self.lines.next(&mut input);
            self.unread.start = self.unread.end - input.len();
            if let Some(line) = line {
                return Ok(line);
            }
            let wanted = match self.outgoing.is_empty() {
                true => Interest::READABLE,
                false => Interest::READABLE | Interest::WRITABLE,
            };
            let ready = self.stream.ready(wanted).await?;
            if ready.is_writable() {
                self.write()?;
            }
            match self.stream.try_read(&mut self.buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.unread = 0..count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.unread = 0..0,
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes what can be written now.
    fn write(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.stream.try_write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The replies of this link, as the fuzz targets see them.
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    use super::{Arrived, Line, Lines};

    /// What each line answers when a request of that id and number is under way before each.
    #[must_use]
    pub fn tcp_replies(id: &str, number: u64, lines: Vec<Line>) -> Vec<Arrived> {
        let mut link = Lines::open("tcp://127.0.0.1:1");
        let assigned = lines.into_iter().map(|line| {
            link.under_way = Some((id.to_owned(), number));
            link.assign(line)
        });
        assigned.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    fn waiting() -> Lines {
        let mut lines = Lines::open("tcp://127.0.0.1:1");
        lines.under_way = Some(("mine".to_owned(), 7));
        lines
    }

    #[tokio::test]
    async fn the_id_in_a_line_says_whose_reply_it_is() {
        let mut lines = waiting();
        assert_eq!(lines.assign(line(r#"{"id": "other"}"#)), None);
        assert_eq!(lines.assign(line("no json")), None);
        assert_eq!(lines.assign(Line::TooLarge), None);
        let number = |arrived: Arrived| arrived.map(|(number, _)| number);
        assert_eq!(
            number(lines.assign(line(r#"{"status": "success", "id": "mine"}"#))),
            Some(7)
        );
        // Again, and known as such: by its number.
        assert_eq!(number(lines.assign(line(r#"{"id": "mine"}"#))), Some(7));
        assert_eq!(lines.assign(line(r#"{"id": "mine"}"#)), None);
    }

    #[tokio::test]
    async fn a_reply_without_an_id_belongs_to_what_is_under_way() {
        let mut lines = waiting();
        assert!(
            lines
                .assign(line(r#"{"id": null, "status": "error"}"#))
                .is_some()
        );
    }
}
