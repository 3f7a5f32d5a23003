//! The port of the metrics under those who mean no good: it cuts them off, and the daemon serves on.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use serde_json::json;
use stui_protocol::daemon::Status;
use stui_tests::patience::PATIENCE;
use stui_tests::{Asking, Client, Daemon, patience};

/// Connections that are served at a time.
const PLACES: usize = 16;

fn address(client: &Client) -> String {
    let status = client.ask::<Status>(json!({}));
    status.daemon.admin.expect("an address for metrics")
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the port");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What is answered to these bytes until the connection ends; whoever is cut off while he still
/// sends may get nothing.
fn answer(address: &str, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    rest(&mut stream)
}

/// What comes until the connection ends, as it must.
fn rest(stream: &mut TcpStream) -> String {
    let mut told = Vec::new();
    if let Err(error) = stream.read_to_end(&mut told) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    String::from_utf8_lossy(&told).into_owned()
}

fn get(address: &str, path: &str) -> String {
    answer(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(),
    )
}

fn is_served(address: &str) {
    patience::until("a page", || {
        get(address, "/readyz")
            .starts_with("HTTP/1.1 200")
            .then_some(())
    });
}

#[test]
fn pages_are_there_and_nothing_else() {
    let daemon = Daemon::start();
    let address = address(&daemon.client());
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/metrics").contains("\nstui_image_up "));
    assert!(get(&address, "/secrets").starts_with("HTTP/1.1 404"));
    let head = answer(&address, b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    let post = answer(
        &address,
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    );
    assert!(post.starts_with("HTTP/1.1 405"), "{post}");
}

#[test]
fn whoever_sends_his_question_slowly_takes_a_place_for_seconds_only() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let address = address(&client);
    let mut slow = Vec::new();
    let refused = patience::until("a refusal", || {
        slow.extend((0..PLACES).map(|_| {
            let mut stream = connect(&address);
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nX-Slow: ");
            stream
        }));
        let answered = get(&address, "/metrics");
        (!answered.starts_with("HTTP/1.1 200")).then_some(answered)
    });
    assert!(
        refused.is_empty() || refused.starts_with("HTTP/1.1 503"),
        "{refused}"
    );
    assert_eq!(client.session().value("3 + 4"), "7");
    for mut stream in slow {
        rest(&mut stream);
    }
    is_served(&address);
}

#[test]
fn hundreds_of_connections_cost_the_daemon_nothing() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let address = address(&client);
    let many: Vec<_> = (0..300).map(|_| connect(&address)).collect();
    assert_eq!(client.session().value("3 + 4"), "7");
    for mut stream in many {
        rest(&mut stream);
    }
    is_served(&address);
}

#[test]
fn garbage_and_endless_heads_are_cut_off() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let address = address(&client);
    let mut endless = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Endless: ".to_vec();
    endless.resize(1024 * 1024, b'x');
    let answered = answer(&address, &endless);
    assert!(
        answered.is_empty() || answered.starts_with("HTTP/1.1 431"),
        "{answered}"
    );
    let many = "X-Many: 1\r\n".repeat(100_000);
    let answered = answer(&address, format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes());
    assert!(
        answered.is_empty() || answered.starts_with("HTTP/1.1 431"),
        "{answered}"
    );
    let garbage: [&[u8]; 5] = [
        &[0; 4096],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"{\"id\":\"1\"}\n",
        b"GET\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
    ];
    for garbage in garbage {
        let answered = answer(&address, garbage);
        assert!(
            answered.is_empty() || answered.starts_with("HTTP/1.1 400"),
            "{answered}"
        );
    }
    is_served(&address);
    assert_eq!(client.session().value("3 + 4"), "7");
}
