//! The image link as a plain ZeroMQ client sees it: framing, garbage, sizes, repeated ids, events,
//! start and stop. Nothing here needs Smalltalk to run.
#![allow(
    clippy::expect_used,
    reason = "an expectation that fails is a failed test"
)]

use serde_json::{Value, json};
use stui_embedded::{Bounds, Config, EmbeddedImage, StartError};
use stui_protocol::codec::event::decode_event;
use stui_protocol::codec::image::decode_reply;
use stui_protocol::limits::MAX_MESSAGE_BYTES;
use stui_protocol::{ErrorType, EventName, Reply};
use zmq::{Context, Socket, SocketType};

/// Patience for a message that must come, in milliseconds.
const PATIENCE_MS: i32 = 10_000;

fn image() -> EmbeddedImage {
    EmbeddedImage::start(Config::default()).expect("an image")
}

fn socket(kind: SocketType, endpoint: &str) -> Socket {
    let socket = Context::new().socket(kind).expect("a socket");
    socket.set_rcvtimeo(PATIENCE_MS).expect("a patience");
    socket.set_linger(0).expect("no linger");
    socket.connect(endpoint).expect("a connection");
    socket
}

fn client(image: &EmbeddedImage) -> Socket {
    socket(zmq::REQ, image.endpoint())
}

fn send(client: &Socket, body: &[u8]) -> Reply {
    client.send(body, 0).expect("a request on its way");
    let frames = client.recv_multipart(0).expect("a reply");
    assert_eq!(frames.len(), 1);
    decode_reply(&frames[0]).expect("a reply that can be read")
}

fn ask(client: &Socket, id: &str, command: &str, parameters: &Value) -> Reply {
    let request = json!({"id": id, "command": command, "parameters": parameters, "version": "1.1"});
    send(client, request.to_string().as_bytes())
}

fn error_type(reply: &Reply) -> Option<ErrorType> {
    reply
        .outcome
        .as_ref()
        .err()
        .map(|failure| failure.error_type)
}

#[test]
fn a_ping_comes_back() {
    let image = image();
    let reply = ask(&client(&image), "1", "ping", &json!({"message": "héllo"}));
    let result = reply.outcome.expect("a pong");
    assert_eq!(result["message"], "héllo");
    assert_eq!(result["instance"], image.instance());
    assert_eq!(reply.id.as_deref(), Some("1"));
    assert_eq!(reply.instance, image.instance());
}

#[test]
fn every_garbage_is_answered_and_the_link_stays_up() {
    let image = image();
    let client = client(&image);
    let deep = format!("{}1", "{\"a\":".repeat(10_000));
    for body in [&b""[..], b"\xff\xfe", b"null", b"[]", b"{", deep.as_bytes()] {
        let reply = send(&client, body);
        assert_eq!(error_type(&reply), Some(ErrorType::InvalidRequest));
        assert_eq!(reply.id, None);
    }
    assert!(ask(&client, "1", "ping", &json!({})).outcome.is_ok());
}

#[test]
fn a_body_over_the_limit_is_told_so_and_the_link_stays_up() {
    let image = image();
    let client = client(&image);
    let reply = send(&client, &vec![b' '; MAX_MESSAGE_BYTES + 1]);
    assert_eq!(error_type(&reply), Some(ErrorType::MessageTooLarge));
    assert!(ask(&client, "1", "ping", &json!({})).outcome.is_ok());
}

#[test]
fn frames_of_the_senders_own_come_back_untouched() {
    let image = image();
    let dealer = socket(zmq::DEALER, image.endpoint());
    let ping = json!({"id": "1", "command": "ping"}).to_string();
    let envelope = [&b"\x00\x01correlation"[..], b"more"];
    dealer
        .send_multipart([envelope[0], envelope[1], b"", ping.as_bytes()], 0)
        .expect("a request on its way");
    let reply = dealer.recv_multipart(0).expect("a reply");
    assert_eq!(reply[..2], envelope);
    assert_eq!(reply[2], b"");
    assert!(decode_reply(&reply[3]).expect("a reply").outcome.is_ok());
}

#[test]
fn frames_of_another_shape_are_answered() {
    let image = image();
    let dealer = socket(zmq::DEALER, image.endpoint());
    let many = vec![&b"x"[..]; 1000];
    for frames in [&[&b"{}"[..]][..], &[b""], &[b"", b"{}", b"{}"], &many] {
        dealer
            .send_multipart(frames, 0)
            .expect("a message on its way");
        let reply = dealer.recv_multipart(0).expect("a reply");
        let body = reply.last().expect("a body");
        let reply = decode_reply(body).expect("a reply that can be read");
        assert_eq!(error_type(&reply), Some(ErrorType::InvalidRequest));
    }
}

#[test]
fn a_repeated_id_gets_the_kept_reply_and_makes_no_second_session() {
    let image = image();
    let (one, two) = (client(&image), client(&image));
    let first = ask(&one, "make", "create_session", &json!({"client_id": "c"}));
    let again = ask(&two, "make", "create_session", &json!({"client_id": "c"}));
    assert_eq!(first, again);
    let listed = ask(&one, "list", "list_sessions", &json!({}));
    let sessions = listed.outcome.expect("sessions");
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_client_has_only_so_many_sessions() {
    let image = EmbeddedImage::start(Config {
        bounds: Bounds {
            sessions_per_client: 1,
            ..Bounds::default()
        },
        ..Config::default()
    })
    .expect("an image");
    let client = client(&image);
    let make = |id, owner| ask(&client, id, "create_session", &json!({"client_id": owner}));
    assert!(make("1", "c").outcome.is_ok());
    let refused = error_type(&make("2", "c"));
    assert_eq!(refused, Some(ErrorType::SessionLimitExceeded));
    assert!(make("3", "d").outcome.is_ok());
}

#[test]
fn without_a_state_directory_nothing_can_be_saved_and_the_answer_says_what_to_do() {
    let image = image();
    let client = client(&image);
    let reply = ask(&client, "1", "save_image", &json!({}));
    assert_eq!(error_type(&reply), Some(ErrorType::UnsupportedOperation));
    let failure = reply.outcome.expect_err("no state directory");
    assert!(failure.error.contains("--state-dir"), "{failure}");
}

#[test]
fn events_are_numbered_and_named() {
    let image = EmbeddedImage::start(Config {
        events_endpoint: Some("tcp://127.0.0.1:0".to_owned()),
        ..Config::default()
    })
    .expect("an image");
    let events = socket(zmq::SUB, image.events_endpoint().expect("events"));
    events.set_subscribe(b"").expect("a subscription");
    let client = client(&image);
    let describe = ask(&client, "1", "describe", &json!({})).outcome;
    let described = describe.expect("a description")["event_endpoint"].clone();
    assert_eq!(described, json!(image.events_endpoint()));

    // A subscription takes a while to arrive; a heartbeat says that it has.
    let mut seq = None;
    let mut next = |wanted: &EventName| loop {
        let frames = events.recv_multipart(0).expect("an event");
        let event = decode_event(&frames[0], &frames[1]).expect("an event that can be read");
        assert_eq!(event.instance.as_deref(), Some(image.instance()));
        let number = event.seq.expect("a number");
        assert!(seq.is_none_or(|last: u64| number == last + 1), "a hole");
        seq = Some(number);
        if event.event == *wanted {
            return event;
        }
    };
    next(&EventName::Heartbeat);
    ask(&client, "2", "create_session", &json!({"client_id": "c"}));
    let created = next(&EventName::SessionCreated);
    assert_eq!(created.data["client_id"], "c");
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let refused = EmbeddedImage::start(Config {
        endpoint: "tcp://0.0.0.0:0".to_owned(),
        ..Config::default()
    });
    assert!(matches!(refused, Err(StartError::Endpoint(_))));
}

#[test]
fn an_endpoint_is_free_again_after_stop_and_two_images_do_not_meet() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        endpoint: format!("ipc://{}", folder.path().join("image").display()),
        ..Config::default()
    };
    let other = image();
    let first = EmbeddedImage::start(config.clone()).expect("an image");
    let before = first.instance().to_owned();
    first.stop();
    let left = std::fs::read_dir(folder.path()).expect("the folder");
    assert_eq!(left.count(), 0, "nothing is left over");
    let second = EmbeddedImage::start(config).expect("an image at the same place");
    let reply = ask(&client(&second), "1", "ping", &json!({}));
    assert_ne!(reply.instance, before);
    assert_ne!(reply.instance, other.instance());
    assert!(second.is_alive());
}
