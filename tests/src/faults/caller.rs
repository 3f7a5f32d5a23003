//! A client of the daemon that expects the worst: nothing that arrives, or does not, ends it.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use stui_protocol::Reply;
use stui_protocol::codec::client::Message;

use crate::asking::request;
use crate::incoming::Incoming;

/// A connection that may break at any moment.
#[derive(Debug)]
pub struct Caller {
    stream: UnixStream,
    incoming: Incoming,
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoReply {
    /// Not in time.
    Late,
    /// The connection is gone.
    Gone,
    /// Something that is no message, or belongs to nobody.
    Strange(String),
}

impl Caller {
    /// Connects and waits for the daemon's hello.
    ///
    /// # Errors
    /// `Gone` while nobody listens there.
    pub fn connect(socket: &Path, limit: Duration) -> Result<Self, NoReply> {
        let stream = UnixStream::connect(socket).map_err(|_| NoReply::Gone)?;
        let mut caller = Self {
            stream,
            incoming: Incoming::default(),
        };
        match caller.message(Instant::now() + limit)? {
            Message::Event(_) => Ok(caller),
            // A refusal, after which the daemon hangs up.
            Message::Reply(_) => Err(NoReply::Gone),
        }
    }

    /// Sends a request and waits for its reply, past all events.
    ///
    /// # Errors
    /// `Strange` for the reply to another request, too: this connection has one at a time.
    pub fn ask(
        &mut self,
        id: &str,
        command: &str,
        parameters: &Value,
        limit: Duration,
    ) -> Result<Reply, NoReply> {
        let deadline = Instant::now() + limit;
        let line = format!("{}\n", request(id, command, parameters));
        self.stream
            .set_write_timeout(Some(limit))
            .expect("a write timeout");
        self.stream
            .write_all(line.as_bytes())
            .map_err(|error| no_reply(&error))?;
        loop {
            match self.message(deadline)? {
                Message::Event(_) => {}
                Message::Reply(reply) if reply.id.as_deref() == Some(id) => return Ok(reply),
                Message::Reply(reply) => {
                    return Err(NoReply::Strange(format!("a reply to {:?}", reply.id)));
                }
            }
        }
    }

    fn message(&mut self, deadline: Instant) -> Result<Message, NoReply> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NoReply::Late);
        }
        self.stream
            .set_read_timeout(Some(left))
            .expect("a read timeout");
        match self.incoming.next(&self.stream) {
            Ok(message) => message.ok_or(NoReply::Gone),
            Err(error) => Err(no_reply(&error)),
        }
    }
}

fn no_reply(error: &std::io::Error) -> NoReply {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => NoReply::Late,
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => NoReply::Gone,
        _ => NoReply::Strange(error.to_string()),
    }
}
