//! A plain client of the daemon: lines of JSON over its Unix socket.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use stui_protocol::codec::client::{Line, Lines, Message};
use stui_protocol::daemon::{Attach, HelloData, NewSession};
use stui_protocol::{Event, EventName, Reply};

use crate::asking::{Asking, Session, new_id};
use crate::patience::PATIENCE;

/// A connection to the daemon. Events that arrive between replies are kept.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    incoming: RefCell<Incoming>,
    hello: HelloData,
}

#[derive(Debug, Default)]
struct Incoming {
    lines: Lines,
    rest: Vec<u8>,
    events: Vec<Event>,
}

impl Client {
    /// Connects and hears the daemon's hello; none while nobody listens there.
    #[must_use]
    pub fn try_connect(socket: &Path) -> Option<Self> {
        let stream = UnixStream::connect(socket).ok()?;
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a read timeout");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("a write timeout");
        let mut incoming = Incoming::default();
        let Some(Message::Event(event)) = incoming.message(&stream) else {
            return None;
        };
        assert_eq!(event.event, EventName::Hello, "{event:?}");
        let hello = event
            .data_as()
            .unwrap_or_else(|| panic!("a strange hello: {event:?}"));
        Some(Self {
            stream,
            incoming: RefCell::new(incoming),
            hello,
        })
    }

    /// What the daemon said first.
    #[must_use]
    pub fn hello(&self) -> &HelloData {
        &self.hello
    }

    /// Makes a session of a name that nobody has.
    pub fn session(&self) -> Session<'_, Self> {
        let name = new_id("s");
        let id = self.ask::<NewSession>(json!({"name": name})).session.name;
        Session { who: self, id }
    }

    /// Attaches to a session that is there, or makes it.
    pub fn attach(&self, name: &str) -> Session<'_, Self> {
        self.ask::<Attach>(json!({"session": name, "create": true}));
        Session {
            who: self,
            id: name.to_owned(),
        }
    }

    /// Sends any bytes.
    pub fn send_bytes(&self, bytes: &[u8]) -> std::io::Result<()> {
        (&self.stream).write_all(bytes)
    }

    /// Sends a request and does not wait.
    pub fn send(&self, request: &Value) {
        self.send_bytes(format!("{request}\n").as_bytes())
            .expect("sending to the daemon");
    }

    /// Says that nothing more will be sent.
    pub fn stop_sending(&self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("shutting down one way");
    }

    /// Waits for the next reply, whatever it answers; none when the daemon closes the connection.
    pub fn next_reply(&self) -> Option<Reply> {
        let mut incoming = self.incoming.borrow_mut();
        loop {
            match incoming.message(&self.stream)? {
                Message::Reply(reply) => return Some(reply),
                Message::Event(event) => incoming.events.push(event),
            }
        }
    }

    /// Waits until an event for which `is_it` holds has arrived, now or before.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&Event) -> bool) -> Event {
        let mut incoming = self.incoming.borrow_mut();
        if let Some(event) = incoming.events.iter().find(|event| is_it(event)) {
            return event.clone();
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match incoming.message(&self.stream) {
                Some(Message::Event(event)) => {
                    incoming.events.push(event.clone());
                    if is_it(&event) {
                        return event;
                    }
                }
                Some(Message::Reply(reply)) => panic!("nobody asked: {reply:?}"),
                None => break,
            }
        }
        panic!("{what} never came, only {:#?}", incoming.events);
    }

    /// Events that arrived so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.incoming.borrow().events.clone()
    }
}

impl Incoming {
    /// Waits for the next line; none at the end of the stream.
    fn message(&mut self, mut stream: &UnixStream) -> Option<Message> {
        let mut buffer = [0; 64 * 1024];
        loop {
            let mut input = self.rest.as_slice();
            let line = self.lines.next(&mut input);
            self.rest = input.to_vec();
            if let Some(line) = line {
                return Some(understand(&line));
            }
            match stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.rest.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                // A read with a timeout is not taken up again after a signal.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("the daemon says nothing more: {error}"),
            }
        }
    }
}

fn understand(line: &Line) -> Message {
    line.message()
        .unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

impl Asking for Client {
    const SESSION: &'static str = "session";

    fn exchange(&self, request: &Value) -> Reply {
        self.send(request);
        let reply = self
            .next_reply()
            .expect("a reply, not the end of the connection");
        assert_eq!(reply.id.as_deref(), request["id"].as_str(), "{reply:?}");
        reply
    }
}
