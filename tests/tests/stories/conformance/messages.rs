//! Messages that are no requests, and garbage: each is answered, and others are served on.

use serde_json::{Value, json};
use stui_protocol::limits::MAX_MESSAGE_BYTES;
use stui_protocol::{ErrorType, Reply};
use stui_tests::asking::{new_id, request};
use stui_tests::{Asking, Image, ImageClient};

/// Sends a body; the reply must be that failure.
fn refused(client: &ImageClient, body: &[u8], error_type: ErrorType) -> Reply {
    let reply = client.send_bytes(body);
    let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
    match &reply.outcome {
        Err(failure) => assert_eq!(failure.error_type, error_type, "{shown}: {failure:?}"),
        Ok(result) => panic!("{shown}: {result}"),
    }
    reply
}

fn serves(image: &Image) {
    let client = image.client();
    assert_eq!(client.session().value("3 + 4"), "7");
}

#[test]
fn a_body_that_is_no_json_object_is_an_invalid_request_without_an_id() {
    let image = Image::shared();
    let client = image.client();

    for body in [
        "",
        " ",
        "null",
        "[]",
        "\"ping\"",
        "42",
        "{",
        "{\"id\": \"1\"",
        "ping",
        "{}{}",
    ] {
        let reply = refused(&client, body.as_bytes(), ErrorType::InvalidRequest);
        assert_eq!(reply.id, None, "{body:?}");
    }
    serves(&image);
}

#[test]
fn a_body_that_is_not_utf_8_is_an_invalid_request() {
    let image = Image::shared();
    let client = image.client();

    refused(&client, b"\xff\xfe\x00", ErrorType::InvalidRequest);
    refused(
        &client,
        b"{\"id\": \"\xc3\x28\", \"command\": \"ping\"}",
        ErrorType::InvalidRequest,
    );
    serves(&image);
}

#[test]
fn a_body_nested_10_000_deep_is_an_invalid_request() {
    let image = Image::shared();
    let client = image.client();

    let arrays = "[".repeat(10_000);
    let closed = format!("{arrays}{}", "]".repeat(10_000));
    let objects = "{\"a\":".repeat(10_000);
    let inside =
        format!("{{\"id\":\"deep\",\"command\":\"ping\",\"parameters\":{{\"a\":{closed}}}}}");
    for body in [arrays, closed, objects, inside] {
        refused(&client, body.as_bytes(), ErrorType::InvalidRequest);
    }
    serves(&image);
}

#[test]
fn a_message_of_11_mib_is_too_large_and_the_link_stays_up() {
    let image = Image::shared();
    let client = image.client();
    let code = "x".repeat(11 * 1024 * 1024);
    let body = request("large", "evaluate", &json!({"code": code})).to_string();

    let reply = refused(&client, body.as_bytes(), ErrorType::MessageTooLarge);

    let limit = reply.outcome.expect_err("too large").details["limit"].clone();
    assert_eq!(limit, Value::from(MAX_MESSAGE_BYTES));
    assert!(client.reply("ping", json!({})).outcome.is_ok());
    serves(&image);
}

#[test]
fn a_message_just_below_the_limit_is_served() {
    let image = Image::shared();
    let client = image.client();
    let message = "x".repeat(MAX_MESSAGE_BYTES - 4096);

    // The reply is as long and fits, too.
    let result = client
        .reply("ping", json!({"message": message}))
        .outcome
        .expect("a pong");

    assert_eq!(
        result["message"].as_str().map(str::len),
        Some(message.len())
    );
}

#[test]
fn a_message_of_several_frames_is_an_invalid_request() {
    let image = Image::shared();
    let client = image.client();
    let ping = request("frames", "ping", &json!({})).to_string();

    for frames in [
        [ping.as_bytes(), b"more"],
        [b"", ping.as_bytes()],
        [b"", b""],
    ] {
        let reply = client.send_frames(&frames);
        let failure = reply.outcome.expect_err("one frame, not two");
        assert_eq!(failure.error_type, ErrorType::InvalidRequest);
    }
    serves(&image);
}

#[test]
fn a_request_of_the_wrong_shape_is_invalid_and_named_by_its_id() {
    let image = Image::shared();
    let client = image.client();

    for wrong in [
        json!({"id": "shape"}),
        json!({"id": "shape", "command": 3}),
        json!({"id": "shape", "command": "ping", "parameters": "none"}),
        json!({"id": "shape", "command": "ping", "parameters": []}),
        json!({"id": "shape", "command": "ping", "version": 1.1}),
        json!({"id": "shape", "command": "ping", "version": "newest"}),
    ] {
        let body = wrong.to_string();
        let reply = refused(&client, body.as_bytes(), ErrorType::InvalidRequest);
        assert_eq!(reply.id.as_deref(), Some("shape"), "{body}");
    }
    for wrong in [
        json!({"command": "ping"}),
        json!({"id": 3, "command": "ping"}),
    ] {
        let reply = refused(
            &client,
            wrong.to_string().as_bytes(),
            ErrorType::InvalidRequest,
        );
        assert_eq!(reply.id, None, "{wrong}");
    }
}

#[test]
fn an_unknown_command_is_said_so() {
    let image = Image::shared();

    let failure = image
        .client()
        .reply("frobnicate", json!({}))
        .outcome
        .expect_err("no command");

    assert_eq!(failure.error_type, ErrorType::UnknownCommand);
}

#[test]
fn another_major_version_is_told_what_is_spoken() {
    let image = Image::shared();
    let client = image.client();

    let failure = client
        .exchange(&json!({"id": new_id("v"), "command": "ping", "version": "2.0"}))
        .outcome
        .expect_err("another major");

    assert_eq!(failure.error_type, ErrorType::UnsupportedVersion);
    let told = format!("{} {:?}", failure.error, failure.details);
    assert!(told.contains("1.0") && told.contains("1.1"), "{told}");
}

#[test]
fn another_minor_version_and_unknown_keys_are_no_trouble() {
    let image = Image::shared();
    let client = image.client();
    let parameters = json!({"message": "hi", "colour": "green"});

    for version in ["1.0", "1.1", "1.2"] {
        let reply = client.exchange(&json!({
            "id": new_id("v"), "command": "ping", "version": version, "later": {"deep": [1]},
            "parameters": parameters,
        }));
        assert_eq!(reply.outcome.expect("a pong")["message"], "hi", "{version}");
    }
}

#[test]
fn a_client_that_goes_away_before_its_reply_harms_nobody() {
    let image = Image::shared();
    for _ in 0..20 {
        let ping = request(&new_id("gone"), "ping", &json!({}));
        image.client().send_and_leave(&ping);
    }
    serves(&image);
}
