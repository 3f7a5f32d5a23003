//! Thin clients: they send bytes, block until the answer is there and look at its beginning only,
//! so that what is measured is the way and not the client.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};
use stui_tests::asking::{new_id, request};
use stui_tests::patience::PATIENCE;

/// Somebody who asks and waits.
pub(crate) enum Speaker {
    /// A plain ZeroMQ REQ socket, at an image or at whatever stands before it.
    Req(zmq::Socket),
    /// A connection to the daemon.
    Line(BufReader<UnixStream>),
}

impl Speaker {
    /// # Panics
    /// When there are no more sockets.
    pub(crate) fn req(context: &zmq::Context, endpoint: &str) -> Self {
        let socket = context.socket(zmq::REQ).expect("a REQ socket");
        let patience = i32::try_from(PATIENCE.as_millis()).expect("a short patience");
        socket.set_rcvtimeo(patience).expect("a receive timeout");
        socket.set_linger(0).expect("no linger");
        socket.connect(endpoint).expect("an endpoint");
        Self::Req(socket)
    }

    /// Connects and reads the hello.
    pub(crate) fn line(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("a daemon");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut speaker = BufReader::new(stream);
        speaker.read_until(b'\n', &mut Vec::new()).expect("a hello");
        Self::Line(speaker)
    }

    /// Asks and answers the reply's bytes.
    pub(crate) fn ask(&mut self, question: &Question) -> Vec<u8> {
        let reply = match self {
            Self::Req(socket) => {
                socket.send(&question.text[..], 0).expect("sending");
                receive(socket)
            }
            Self::Line(stream) => {
                let text = [&question.text[..], b"\n"].concat();
                stream.get_mut().write_all(&text).expect("sending");
                next_reply(stream)
            }
        };
        assert!(
            reply.starts_with(&question.good),
            "{}",
            String::from_utf8_lossy(&reply)
        );
        reply
    }

    /// Asks and answers the result.
    pub(crate) fn result(&mut self, command: &str, parameters: &Value) -> Value {
        let reply = self.ask(&Question::new(&new_id("set-up"), command, parameters));
        let mut reply: Value = serde_json::from_slice(&reply).expect("JSON");
        reply["result"].take()
    }

    /// Makes a session of its own; answers how parameters name it.
    pub(crate) fn session(&mut self, name: &str) -> Value {
        match self {
            Self::Req(_) => {
                let wanted = json!({"client_id": name, "name": name, "timeout": 900});
                let created = self.result("create_session", &wanted);
                json!({"session_id": created["session_id"]})
            }
            Self::Line(_) => {
                let created = self.result("new_session", &json!({"name": name}));
                json!({"session": created["session"]["name"]})
            }
        }
    }
}

fn receive(socket: &zmq::Socket) -> Vec<u8> {
    loop {
        match socket.recv_bytes(0) {
            Err(zmq::Error::EINTR) => {}
            reply => return reply.expect("a reply"),
        }
    }
}

/// The next line that is no event.
fn next_reply(stream: &mut BufReader<UnixStream>) -> Vec<u8> {
    let mut line = Vec::new();
    loop {
        line.clear();
        stream.read_until(b'\n', &mut line).expect("a reply");
        if !line.starts_with(b"{\"event\"") {
            return line;
        }
    }
}

/// A request, encoded, and how a good reply to it begins.
#[derive(Debug)]
pub(crate) struct Question {
    text: Vec<u8>,
    good: Vec<u8>,
}

impl Question {
    pub(crate) fn new(id: &str, command: &str, parameters: &Value) -> Self {
        Self {
            text: request(id, command, parameters).to_string().into(),
            good: format!(r#"{{"id":"{id}","status":"success""#).into(),
        }
    }
}
