//! `--tcp`: a line of JSON each way over TCP, for who has no ZeroMQ. Each connection is a plain REQ
//! client of the image.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use stui_protocol::codec::client::{Line, Lines, encode_reply};

/// Connections at a time. Each has a thread that waits for the image with it.
const MOST_CONNECTIONS: usize = 16;

/// After a connection could not be accepted.
const BREATH: Duration = Duration::from_millis(100);

/// Listens, on this machine only: whoever connects can do everything in the image.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "--tcp {address} can be reached from outside, and whoever reaches an image can do everything in it: use 127.0.0.1 or [::1]"
    );
    let listener = TcpListener::bind(address)?;
    tracing::info!(address = %listener.local_addr()?, "lines over TCP are served");
    Ok(listener)
}

/// Serves the image at that endpoint on a thread, as long as the process lives.
pub(super) fn serve(listener: TcpListener, image: &str) {
    let image = image.to_owned();
    let places = Arc::new(());
    thread::spawn(move || {
        loop {
            match listener.accept() {
                Ok(_) if Arc::strong_count(&places) > MOST_CONNECTIONS => {
                    tracing::warn!(MOST_CONNECTIONS, "too many connections over TCP");
                }
                Ok((stream, _)) => {
                    let (image, place) = (image.clone(), Arc::clone(&places));
                    thread::spawn(move || {
                        if let Err(error) = converse(stream, &image) {
                            tracing::debug!(%error, "a connection over TCP ends");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection over TCP");
                    thread::park_timeout(BREATH);
                }
            }
        }
    });
}

fn converse(mut stream: TcpStream, image: &str) -> io::Result<()> {
    let socket = zmq::Context::new().socket(zmq::REQ)?;
    socket.set_linger(0)?;
    socket.connect(image)?;
    stream.set_nodelay(true)?;
    let (mut lines, mut buffer) = (Lines::default(), [0; 8 * 1024]);
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let mut input = &buffer[..count];
        while let Some(line) = lines.next(&mut input) {
            stream.write_all(&answer(&socket, line)?)?;
        }
    }
}

/// The image's reply to a line, as a line.
fn answer(socket: &zmq::Socket, line: Line) -> io::Result<Vec<u8>> {
    let body = match (line.request(), line) {
        (_, Line::Whole(body)) => body,
        (Err(rejected), Line::TooLarge) => return Ok(encode_reply(&rejected.into_reply(""))),
        (Ok(_), Line::TooLarge) => return Ok(Vec::new()),
    };
    socket.send(body, 0)?;
    let mut reply = socket.recv_bytes(0)?;
    reply.push(b'\n');
    Ok(reply)
}
