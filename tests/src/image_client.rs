//! A plain ZeroMQ REQ client of an image.

use std::fmt;

use serde_json::{Value, json};
use stui_protocol::Reply;
use stui_protocol::codec::image::decode_reply;
use stui_protocol::image::CreateSession;

use crate::asking::{Asking, Session, new_id};
use crate::patience::PATIENCE;

/// Seconds without use after which a story's session goes away by itself.
const SESSION_TIMEOUT_S: u64 = 900;

/// Sends one request, waits for its reply, and so on.
pub struct ImageClient {
    socket: zmq::Socket,
}

impl ImageClient {
    /// A client of the image at an endpoint.
    #[must_use]
    pub fn connect(endpoint: &str) -> Self {
        let socket = zmq::Context::new().socket(zmq::REQ).expect("a REQ socket");
        let patience = patience_ms();
        socket.set_rcvtimeo(patience).expect("a receive timeout");
        socket.set_sndtimeo(patience).expect("a send timeout");
        socket.set_linger(0).expect("no linger");
        socket.connect(endpoint).expect("an endpoint");
        Self { socket }
    }

    /// Makes a session of a client of its own.
    pub fn session(&self) -> Session<'_, Self> {
        let parameters =
            json!({"client_id": new_id("client"), "name": "story", "timeout": SESSION_TIMEOUT_S});
        let id = self.ask::<CreateSession>(parameters).session_id;
        Session { who: self, id }
    }

    /// Sends any bytes as a message's body and waits for the reply.
    pub fn send_bytes(&self, body: &[u8]) -> Reply {
        self.send_frames(&[body])
    }

    /// Sends a request and goes away without its reply, as soon as the request is on its way.
    pub fn send_and_leave(self, request: &Value) {
        let body = request.to_string();
        self.socket.set_linger(patience_ms()).expect("a linger");
        self.socket
            .send(body.as_str(), 0)
            .expect("sending to the image");
    }

    /// Sends any frames after the delimiter and waits for the reply.
    pub fn send_frames(&self, frames: &[&[u8]]) -> Reply {
        self.socket
            .send_multipart(frames, 0)
            .expect("sending to the image");
        self.receive()
    }

    fn receive(&self) -> Reply {
        let frames = loop {
            match self.socket.recv_multipart(0) {
                Ok(frames) => break frames,
                Err(zmq::Error::EINTR) => {}
                Err(error) => panic!("the image did not answer: {error}"),
            }
        };
        let [body] = frames.as_slice() else {
            panic!("a reply has one frame after the delimiter: {frames:?}");
        };
        decode_reply(body).unwrap_or_else(|error| {
            panic!("{error} in {}", String::from_utf8_lossy(body));
        })
    }
}

fn patience_ms() -> i32 {
    i32::try_from(PATIENCE.as_millis()).expect("a short patience")
}

impl Asking for ImageClient {
    const SESSION: &'static str = "session_id";

    fn exchange(&self, request: &Value) -> Reply {
        let reply = self.send_bytes(request.to_string().as_bytes());
        assert_eq!(reply.id.as_deref(), request["id"].as_str(), "{reply:?}");
        assert!(!reply.instance.is_empty(), "no instance: {reply:?}");
        reply
    }
}

impl fmt::Debug for ImageClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ImageClient")
    }
}
