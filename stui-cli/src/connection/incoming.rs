//! What arrives at a connection, and the thread that reads it.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use stui_protocol::codec::client::{Lines, Message};
use stui_protocol::{Event, EventName, Reply};

use super::QUEUE_LENGTH;
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
    /// Another daemon has taken the connection up: it said hello, and what follows goes there.
    Anew(Event, Route),
    Interrupt,
    Leave,
    /// A connection that was lost stands again, or cannot.
    Again(Result<Box<Back>, Problem>),
}

/// Both ends of a queue of arrivals.
pub(super) type Route = (SyncSender<Arrival>, Receiver<Arrival>);

/// Starts the thread that reads lines until the stream ends or says something wrong.
pub(super) fn start_reading(stream: UnixStream, mut queue: SyncSender<Arrival>) -> io::Result<()> {
    thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || {
            let last = read(stream, &mut queue);
            // Nobody is there any more when this fails.
            let _ = queue.send(last);
        })
        .map(drop)
}

fn read(mut stream: UnixStream, queue: &mut SyncSender<Arrival>) -> Arrival {
    let mut has_begun = false;
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
                    if deliver(message, queue, has_begun).is_none() {
                        return Arrival::Closed;
                    }
                    has_begun = true;
                }
                Err(why) => return Arrival::Garbled(why.to_string()),
            }
        }
    }
}

/// Puts a message into the queue. A `hello` in the middle begins another one. None when nobody is
/// there any more.
fn deliver(message: Message, queue: &mut SyncSender<Arrival>, has_begun: bool) -> Option<()> {
    match message {
        Message::Event(hello) if has_begun && hello.event == EventName::Hello => {
            let (next, arrivals) = sync_channel(QUEUE_LENGTH);
            let anew = Arrival::Anew(hello, (next.clone(), arrivals));
            std::mem::replace(queue, next).send(anew).ok()
        }
        other => queue.send(Arrival::Said(other)).ok(),
    }
}
