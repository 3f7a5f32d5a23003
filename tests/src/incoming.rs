//! What arrives on a connection to the daemon, message by message.

use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;

use stui_protocol::codec::client::{Lines, Message};

/// Bytes that have arrived and are no whole message yet.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    lines: Lines,
    rest: Vec<u8>,
}

impl Incoming {
    /// Waits for the next message; none at the end of the stream, whoever brings it about.
    ///
    /// # Errors
    /// When the stream's read timeout passes, or when a line is no message.
    pub(crate) fn next(&mut self, mut stream: &UnixStream) -> io::Result<Option<Message>> {
        let mut buffer = [0; 64 * 1024];
        loop {
            let mut input = self.rest.as_slice();
            let line = self.lines.next(&mut input);
            self.rest = input.to_vec();
            if let Some(line) = line {
                let message = line.message();
                let wrong = |error| io::Error::other(format!("{error}: {line:?}"));
                return message.map(Some).map_err(wrong);
            }
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => self.rest.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                // A read with a timeout is not taken up again after a signal.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
