//! A plain client of the daemon: lines of JSON over its Unix socket.

use std::cell::RefCell;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use stui_protocol::codec::client::Message;
use stui_protocol::daemon::{Attach, HelloData, NewSession, Status};
use stui_protocol::{Event, EventName, Reply};

use crate::asking::{Asking, Session, new_id};
use crate::http;
use crate::incoming::Incoming;
use crate::patience::PATIENCE;

/// A connection to the daemon. Events that arrive between replies are kept.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    incoming: RefCell<Incoming>,
    events: RefCell<Vec<Event>>,
    hello: HelloData,
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
        let Some(Message::Event(event)) = message(&mut incoming, &stream) else {
            return None;
        };
        assert_eq!(event.event, EventName::Hello, "{event:?}");
        let hello = event
            .data_as()
            .unwrap_or_else(|| panic!("a strange hello: {event:?}"));
        Some(Self {
            stream,
            incoming: RefCell::new(incoming),
            events: RefCell::default(),
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
            match message(&mut incoming, &self.stream)? {
                Message::Reply(reply) => return Some(reply),
                Message::Event(event) => self.events.borrow_mut().push(event),
            }
        }
    }

    /// Waits for whatever the daemon says next; none when it closes the connection.
    pub fn next_message(&self) -> Option<Message> {
        message(&mut self.incoming.borrow_mut(), &self.stream)
    }

    /// Waits until an event for which `is_it` holds has arrived, now or before.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&Event) -> bool) -> Event {
        let mut incoming = self.incoming.borrow_mut();
        let mut events = self.events.borrow_mut();
        if let Some(event) = events.iter().find(|event| is_it(event)) {
            return event.clone();
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match message(&mut incoming, &self.stream) {
                Some(Message::Event(event)) => {
                    events.push(event.clone());
                    if is_it(&event) {
                        return event;
                    }
                }
                Some(Message::Reply(reply)) => panic!("nobody asked: {reply:?}"),
                None => break,
            }
        }
        panic!("{what} never came, only {events:#?}");
    }

    /// A number that the daemon serves over HTTP; none when it has no such line.
    #[must_use]
    pub fn metric(&self, line: &str) -> Option<f64> {
        let status = self.ask::<Status>(json!({}));
        let address = status.daemon.admin.expect("an address for metrics");
        let page = http::get(&address, "/metrics").expect("the metrics");
        let found = page
            .body
            .lines()
            .find_map(|each| each.strip_prefix(line)?.strip_prefix(' '));
        found.map(|number| number.parse().expect("a number"))
    }

    /// Events that arrived so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.borrow().clone()
    }
}

/// Waits for the next message; none at the end of the stream.
fn message(incoming: &mut Incoming, stream: &UnixStream) -> Option<Message> {
    match incoming.next(stream) {
        Ok(message) => message,
        Err(error) => panic!("the daemon says nothing more: {error}"),
    }
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
