//! Whose sessions a client of the front end has: by its key, or else by its name.

use serde_json::json;
use stui_keys::KeyPair;
use stui_protocol::ErrorType;
use stui_protocol::codec::image::decode_reply;
use stui_tests::asking::request;

use super::{Front, ask, protect, send};

/// The names of the sessions that a client sees.
fn names(socket: &zmq::Socket) -> Vec<String> {
    let listed = ask(socket, "list_sessions", &json!({})).outcome.unwrap();
    let sessions = listed["sessions"].as_array().unwrap().iter();
    sessions
        .map(|each| each["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn names_have_owners_and_do_not_see_each_others_sessions() {
    let front = Front::with("owner = 5000\nowners = {one = 5001, two = 5002}");
    let (one, two) = (front.named("one"), front.named("two"));
    for socket in [&one, &two] {
        let parameters = json!({"client_id": "whoever", "name": "mine"});
        ask(socket, "create_session", &parameters).outcome.unwrap();
    }
    ask(
        &one,
        "create_session",
        &json!({"client_id": "whoever", "name": "ones"}),
    )
    .outcome
    .unwrap();
    assert_eq!(names(&one), ["mine", "ones"]);
    assert_eq!(names(&two), ["mine"]);
    assert_eq!(names(&front.named("other")), [""; 0]);
    let failure = ask(&two, "history", &json!({"session": "ones"}))
        .outcome
        .unwrap_err();
    assert_eq!(failure.error_type, ErrorType::SessionNotFound);
}

#[test]
fn one_user_cannot_take_the_room_for_requests_that_is_for_all() {
    let lines = "owners = {one = 5001, same = 5001, two = 5002}\n[limits]\n\
                 request_bytes_per_owner = 1000000\nrequest_bytes = 2000000";
    let front = Front::with(lines);
    let (one, same, two) = (front.named("one"), front.named("same"), front.named("two"));
    for socket in [&one, &two] {
        let parameters = json!({"client_id": "whoever", "name": "mine"});
        ask(socket, "create_session", &parameters).outcome.unwrap();
    }
    let code = |code: &str| format!("{code} \"{}\"", "x".repeat(400_000));
    let evaluate = |code: &str| json!({"session": "mine", "code": code, "version": "1.0"});
    send(&one, "evaluate", &evaluate(&code("hold it")));
    front.wait_for_metric("stui_evaluations_running", 1.0);

    let large = evaluate(&code("refused"));
    let refused = ask(&same, "submit", &large).outcome.unwrap_err();
    assert_eq!(refused.error_type, ErrorType::Overloaded);
    let details = ["scope", "limit", "key", "sent"].map(|key| refused.details[key].clone());
    let wanted = json!(["owner", 1_000_000, "limits.request_bytes_per_owner", false]);
    assert_eq!(json!(details), wanted);
    ask(&same, "ping", &json!({})).outcome.unwrap();
    ask(&two, "submit", &large).outcome.unwrap();
}

#[test]
fn with_keys_only_known_ones_come_in_and_each_is_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let own = stui_keys::file::create(dir.path(), "front").unwrap();
    let (one, two, stranger) = (KeyPair::new(), KeyPair::new(), KeyPair::new());
    let lines = format!(
        "curve_key = \"{}\"\nowners = {{\"{}\" = 5001, \"{}\" = 5002}}",
        own.secret_file.display(),
        one.public,
        two.public
    );
    let front = Front::with(&lines);
    let first = front.keyed(&one, &own.public);
    ask(
        &first,
        "create_session",
        &json!({"client_id": "me", "name": "ones"}),
    )
    .outcome
    .unwrap();
    assert_eq!(names(&first), ["ones"]);
    assert_eq!(names(&front.keyed(&two, &own.public)), [""; 0]);

    let refused = "stui_frontend_refused_total{reason=\"key\"}";
    let unknown = front.keyed(&stranger, &own.public);
    send_quietly(&unknown);
    front.wait_for_metric(refused, 1.0);
    let wrong = front.keyed(&one, &KeyPair::new().public);
    let open = front.named("open");
    send_quietly(&wrong);
    send_quietly(&open);
    assert_eq!(names(&first), ["ones"], "those who may are served");
    for socket in [unknown, wrong, open] {
        assert_eq!(socket.poll(zmq::POLLIN, 0).unwrap(), 0);
    }
}

#[test]
fn nobody_gets_the_replies_of_another_key_by_taking_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let own = stui_keys::file::create(dir.path(), "front").unwrap();
    let (one, thief) = (KeyPair::new(), KeyPair::new());
    let front = Front::with(&format!(
        "curve_key = \"{}\"\nowners = {{\"{}\" = 5001, \"{}\" = 5002}}",
        own.secret_file.display(),
        one.public,
        thief.public
    ));
    let named = |key: &KeyPair| {
        front.socket(zmq::REQ, |socket| {
            socket.set_identity(b"one").unwrap();
            protect(socket, key, &own.public);
        })
    };
    let first = named(&one);
    send(&first, "evaluate", &json!({"code": "hold on"}));
    front.image.wait_for_code("hold on");
    let second = named(&thief);
    send(&second, "ping", &json!({}));
    front.wait_for_metric("stui_frontend_connections", 2.0);

    front.image.finish("hold on", "mine");

    let reply = decode_reply(&first.recv_bytes(0).unwrap()).unwrap();
    assert_eq!(reply.outcome.unwrap()["result"], "mine");
    assert_eq!(second.poll(zmq::POLLIN, 0).unwrap(), 0, "the name is taken");
}

/// A request of somebody who may not even have a connection.
fn send_quietly(socket: &zmq::Socket) {
    let body = request("1", "ping", &json!({})).to_string();
    // Without a connection there is nowhere to send to.
    let _ = socket.send(body.as_str(), zmq::DONTWAIT);
}
