//! The recorded bytes of `tests/golden/wire`.

use std::path::PathBuf;

use serde_json::Value;

/// What a server and a client of libzmq say to each other, in order.
pub(super) struct Recording {
    /// The socket type of the server: REP or PUB.
    pub(super) server: zmq::SocketType,
    /// The socket type of the client.
    pub(super) client: zmq::SocketType,
    /// `ZMQ_HEARTBEAT_IVL` of the client.
    pub(super) heartbeat_ms: Option<i32>,
    pub(super) steps: Vec<Step>,
}

/// One step; `tests/golden/wire/README.md` tells what each means.
pub(super) enum Step {
    Server {
        bytes: Vec<u8>,
    },
    Client {
        bytes: Vec<u8>,
        /// Positions at which other versions of libzmq may differ.
        varies: Vec<usize>,
        /// How many zeros follow.
        zeros: usize,
    },
    Sends(Vec<Vec<u8>>),
    SendsZeros(usize),
    Receives(Vec<Vec<u8>>),
    Subscribes(Vec<u8>),
    Unsubscribes(Vec<u8>),
}

/// Bytes after which a server closes the connection.
pub(super) struct Refused {
    pub(super) what: String,
    pub(super) server: zmq::SocketType,
    pub(super) client: Vec<u8>,
    pub(super) libzmq_closes: bool,
}

impl Recording {
    pub(super) fn read(name: &str) -> Self {
        let golden = golden(name);
        Self {
            server: socket_type(&golden["server"]),
            client: socket_type(&golden["client"]),
            heartbeat_ms: golden["heartbeat_ms"]
                .as_i64()
                .map(|ms| i32::try_from(ms).unwrap()),
            steps: golden["steps"]
                .as_array()
                .unwrap()
                .iter()
                .map(Step::from)
                .collect(),
        }
    }
}

impl From<&Value> for Step {
    fn from(step: &Value) -> Self {
        let (key, value) = step.as_object().unwrap().iter().next().unwrap();
        match key.as_str() {
            "server" => Self::Server {
                bytes: bytes(value),
            },
            "client" => Self::Client {
                bytes: bytes(value),
                varies: numbers(&step["varies"]),
                zeros: step["zeros_follow"]
                    .as_u64()
                    .map_or(0, |n| usize::try_from(n).unwrap()),
            },
            "client_sends" => Self::Sends(frames(value)),
            "client_sends_zeros" => {
                Self::SendsZeros(usize::try_from(value.as_u64().unwrap()).unwrap())
            }
            "client_receives" => Self::Receives(frames(value)),
            "client_subscribes" => Self::Subscribes(bytes(value)),
            "client_unsubscribes" => Self::Unsubscribes(bytes(value)),
            other => panic!("no step is called {other}"),
        }
    }
}

impl Refused {
    pub(super) fn all() -> Vec<Self> {
        let golden = golden("refused");
        golden.as_array().unwrap().iter().map(Self::from).collect()
    }
}

impl From<&Value> for Refused {
    fn from(item: &Value) -> Self {
        Self {
            what: item["what"].as_str().unwrap().to_owned(),
            server: socket_type(&item["server"]),
            client: bytes(&item["client"]),
            libzmq_closes: item["libzmq_closes"].as_bool().unwrap(),
        }
    }
}

fn golden(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("golden/wire/{name}.json"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

fn socket_type(value: &Value) -> zmq::SocketType {
    match value.as_str().unwrap() {
        "REP" => zmq::REP,
        "PUB" => zmq::PUB,
        "REQ" => zmq::REQ,
        "DEALER" => zmq::DEALER,
        "SUB" => zmq::SUB,
        other => panic!("no socket type here is {other}"),
    }
}

fn frames(value: &Value) -> Vec<Vec<u8>> {
    value.as_array().unwrap().iter().map(bytes).collect()
}

fn numbers(value: &Value) -> Vec<usize> {
    let numbers = value.as_array().into_iter().flatten();
    numbers
        .map(|number| usize::try_from(number.as_u64().unwrap()).unwrap())
        .collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap().as_bytes();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
            .unwrap()
    };
    hex.chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}
