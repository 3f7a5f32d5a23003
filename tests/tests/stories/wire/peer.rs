//! A plain TCP socket that plays one side, and libzmq on the other.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use stui_tests::patience::PATIENCE;

use super::recording::{Recording, Refused, Step};

/// Where in ours and in libzmq's greeting other versions may differ: a length that only ZMTP 1
/// looks at, and the minor version.
const GREETING_VARIES: [usize; 2] = [8, 11];
const GREETING_BYTES: usize = 64;

/// Two greetings and two READYs.
const HANDSHAKE_STEPS: usize = 4;

/// The server's side as plain bytes, with a client of libzmq connected to it.
pub(super) struct Peer {
    listener: TcpListener,
    stream: TcpStream,
    client: zmq::Socket,
    /// What is played, for messages.
    at: String,
}

impl Peer {
    pub(super) fn meet(recording: &Recording) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = client_of(recording);
        let port = listener.local_addr().unwrap().port();
        client.connect(&format!("tcp://127.0.0.1:{port}")).unwrap();
        let stream = accept(&listener);
        Self {
            listener,
            stream,
            client,
            at: String::new(),
        }
    }

    /// Where we are, for messages.
    pub(super) fn at(&mut self, what: String) {
        self.at = what;
    }

    /// Closes the connection; libzmq makes another one by itself.
    pub(super) fn leave_and_meet_again(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Both).unwrap();
        self.stream = accept(&self.listener);
    }

    pub(super) fn write(&mut self, bytes: &[u8], piece: usize) {
        for piece in bytes.chunks(piece) {
            self.stream
                .write_all(piece)
                .unwrap_or_else(|error| panic!("{}: {error}", self.at));
        }
    }

    pub(super) fn expect(&mut self, expected: &[u8], varies: &[usize]) {
        let mut seen = vec![0; expected.len()];
        self.stream
            .read_exact(&mut seen)
            .unwrap_or_else(|error| panic!("{}: libzmq says nothing more: {error}", self.at));
        assert_eq!(
            masked(&seen, varies),
            masked(expected, varies),
            "{}",
            self.at
        );
    }

    pub(super) fn expect_zeros(&mut self, count: usize) {
        self.expect(&vec![0; count], &[]);
    }

    pub(super) fn client_sends(&self, frames: &[Vec<u8>]) {
        self.client
            .send_multipart(frames, 0)
            .unwrap_or_else(|error| panic!("{}: {error}", self.at));
    }

    pub(super) fn client_receives(&self, expected: &[Vec<u8>]) {
        let seen = self.client.recv_multipart(0);
        let seen = seen.unwrap_or_else(|error| panic!("{}: nothing came: {error}", self.at));
        assert_eq!(seen, expected, "{}", self.at);
    }

    pub(super) fn client_subscribes(&self, topic: &[u8]) {
        self.client.set_subscribe(topic).unwrap();
    }

    pub(super) fn client_unsubscribes(&self, topic: &[u8]) {
        self.client.set_unsubscribe(topic).unwrap();
    }

    /// Without waiting.
    pub(super) fn client_has_something(&self) -> bool {
        self.client.poll(zmq::POLLIN, 0).unwrap() > 0
    }
}

fn client_of(recording: &Recording) -> zmq::Socket {
    let client = zmq::Context::new().socket(recording.client).unwrap();
    let patience = i32::try_from(PATIENCE.as_millis()).unwrap();
    client.set_rcvtimeo(patience).unwrap();
    client.set_sndtimeo(patience).unwrap();
    client.set_linger(0).unwrap();
    if let Some(ms) = recording.heartbeat_ms {
        client.set_heartbeat_ivl(ms).unwrap();
        // Only a missing PONG may end the connection, not a loaded machine.
        client.set_heartbeat_timeout(patience).unwrap();
    }
    client
}

fn accept(listener: &TcpListener) -> TcpStream {
    patient(listener.accept().unwrap().0)
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn masked(bytes: &[u8], varies: &[usize]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for &position in varies {
        bytes[position] = 0;
    }
    bytes
}

/// A server of libzmq, and a plain connection to it.
fn connection_to(server: zmq::SocketType) -> (zmq::Socket, TcpStream) {
    let socket = zmq::Context::new().socket(server).unwrap();
    socket.set_linger(0).unwrap();
    // Closing for want of a handshake is not what is asked about.
    socket.set_handshake_ivl(0).unwrap();
    let patience = i32::try_from(PATIENCE.as_millis()).unwrap();
    socket.set_rcvtimeo(patience).unwrap();
    socket.bind("tcp://127.0.0.1:*").unwrap();
    let endpoint = socket.get_last_endpoint().unwrap().unwrap();
    let stream = TcpStream::connect(endpoint.trim_start_matches("tcp://")).unwrap();
    (socket, patient(stream))
}

/// Whether libzmq closes the connection after these bytes.
pub(super) fn closes(refused: &Refused) -> bool {
    let (_server, mut stream) = connection_to(refused.server);
    // It may have closed before all is written.
    let _ = stream.write_all(&refused.client);
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
    }
}

/// Plays the client's bytes to a server of libzmq: it must say what the recorded server says.
pub(super) fn a_real_server_says_the_same(recording: &Recording, name: &str) {
    let (server, mut stream) = connection_to(recording.server);
    let (handshake, messages) = recording.steps.split_at(HANDSHAKE_STEPS);
    // Each side may wait for the other's greeting before it says its own.
    for step in handshake {
        if let Step::Client { bytes, .. } = step {
            stream.write_all(bytes).unwrap();
        }
    }
    for step in handshake {
        if let Step::Server { bytes } = step {
            says(&mut stream, bytes, name);
        }
    }
    for step in messages {
        match step {
            Step::Client { bytes, .. } => stream.write_all(bytes).unwrap(),
            Step::Server { bytes } => {
                server.recv_multipart(0).unwrap();
                server.send(reply_in(bytes), 0).unwrap();
                says(&mut stream, bytes, name);
            }
            _ => {}
        }
    }
}

fn says(stream: &mut TcpStream, expected: &[u8], name: &str) {
    let mut seen = vec![0; expected.len()];
    stream
        .read_exact(&mut seen)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let varies: &[usize] = if expected.len() == GREETING_BYTES {
        &GREETING_VARIES
    } else {
        &[]
    };
    assert_eq!(masked(&seen, varies), masked(expected, varies), "{name}");
}

/// The body of the last frame.
fn reply_in(mut bytes: &[u8]) -> &[u8] {
    loop {
        let (header, size) = if bytes[0] & 2 == 0 {
            (2, usize::from(bytes[1]))
        } else {
            (
                9,
                usize::try_from(u64::from_be_bytes(bytes[1..9].try_into().unwrap())).unwrap(),
            )
        };
        if bytes[0] & 1 == 0 {
            return &bytes[header..];
        }
        bytes = &bytes[header + size..];
    }
}
