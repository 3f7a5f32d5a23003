//! What arrives at a connection, and the thread that reads it.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::SyncSender;
use std::thread;

use stui_protocol::codec::client::{Lines, Message};
use stui_protocol::{Event, Reply};

use super::again::Back;
use crate::exit::Problem;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What the owner of a connection gets to see.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// The answer to a request.
    Reply(Reply),
    /// Something happened.
    Event(Event),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\ or a request to end: leave, whatever goes on.
    Leave,
}

/// What the threads put into the queue.
#[derive(Debug)]
pub(super) enum Arrival {
    Said(Message),
    Garbled(String),
    Closed,
    Interrupt,
    Leave,
    /// A connection that was lost stands again, or cannot.
    Again(Result<Box<Back>, Problem>),
}

/// Starts the thread that reads lines until the stream ends or says something wrong.
pub(super) fn start_reading(stream: UnixStream, queue: SyncSender<Arrival>) -> io::Result<()> {
    thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || {
            let last = read(stream, &queue);
            // Nobody is there any more when this fails.
            let _ = queue.send(last);
        })
        .map(drop)
}

fn read(mut stream: UnixStream, queue: &SyncSender<Arrival>) -> Arrival {
    let mut lines = Lines::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let mut input = match stream.read(&mut chunk) {
            Ok(0) => return Arrival::Closed,
            Ok(count) => &chunk[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Arrival::Closed,
        };
        while let Some(line) = lines.next(&mut input) {
            match line.message() {
                Ok(message) => {
                    if queue.send(Arrival::Said(message)).is_err() {
                        return Arrival::Closed;
                    }
                }
                Err(why) => return Arrival::Garbled(why.to_string()),
            }
        }
    }
}
