//! Whatever is written is read back the same, and no bytes break a decoder.

#![allow(clippy::unwrap_used)] // in strategies: values that are right by construction

use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};
use stui_protocol::codec::{client, event, image};
use stui_protocol::daemon::ClientCommand;
use stui_protocol::error::Failure;
use stui_protocol::{ErrorType, Event, EventName, Reply, Request, Timestamp, Version};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e15..1e15f64).prop_map(|number| Value::from(number.round() / 8.0)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            object(inner).prop_map(Value::Object),
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    hash_map(".{0,8}", value, 0..6).prop_map(|keys| keys.into_iter().collect())
}

fn id() -> impl Strategy<Value = String> {
    ".{1,128}"
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0i64..4_000_000_000_000).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

fn request() -> impl Strategy<Value = Request> {
    (id(), "[a-z_]{1,20}", object(json()), 0u32..9).prop_map(|(id, command, parameters, minor)| {
        Request {
            id,
            command,
            parameters,
            version: Version { major: 1, minor },
        }
    })
}

fn failure() -> impl Strategy<Value = Failure> {
    (
        ".{0,40}",
        proptest::sample::select(&ErrorType::ALL[..]),
        object(json()),
    )
        .prop_map(|(error, error_type, details)| Failure {
            error,
            error_type,
            details,
        })
}

fn reply() -> impl Strategy<Value = Reply> {
    let outcome = prop_oneof![json().prop_map(Ok), failure().prop_map(Err)];
    (option::of(id()), outcome, ".{0,36}", timestamp()).prop_map(
        |(id, outcome, instance, timestamp)| Reply {
            id,
            outcome,
            instance,
            timestamp,
        },
    )
}

fn event_name() -> impl Strategy<Value = EventName> {
    prop_oneof![
        Just(EventName::Output),
        Just(EventName::EvaluationFinished),
        Just(EventName::Gap),
        "x_[a-z]{1,12}".prop_map(EventName::Other),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let numbers = (option::of(any::<u64>()), option::of(any::<u64>()));
    let ids = (option::of(id()), option::of(id()), option::of(id()));
    (event_name(), numbers, ids, object(json()), timestamp()).prop_map(
        |(event, (seq, position), (instance, session_id, evaluation_id), data, timestamp)| Event {
            event,
            instance,
            seq,
            position,
            session_id,
            evaluation_id,
            data,
            timestamp,
        },
    )
}

/// One line that a peer wrote, through the line cutter in pieces of `chunk` bytes.
fn one_line(bytes: &[u8], chunk: usize) -> client::Line {
    let mut lines = client::Lines::default();
    let mut found = Vec::new();
    for part in bytes.chunks(chunk) {
        let mut input = part;
        while let Some(line) = lines.next(&mut input) {
            found.push(line);
        }
    }
    assert_eq!(found.len(), 1);
    found.remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_come_back_on_both_links(request in request(), chunk in 1usize..64) {
        let body = image::encode_request(&request).unwrap();
        prop_assert_eq!(&image::decode_request(&body).unwrap(), &request);
        let line = client::encode_request(&request).unwrap();
        prop_assert_eq!(one_line(&line, chunk).request().unwrap(), request);
    }

    #[test]
    fn replies_come_back_on_both_links(reply in reply(), chunk in 1usize..64) {
        prop_assert_eq!(&image::decode_reply(&image::encode_reply(&reply)).unwrap(), &reply);
        let message = one_line(&client::encode_reply(&reply), chunk).message().unwrap();
        prop_assert_eq!(message, client::Message::Reply(reply));
    }

    #[test]
    fn events_come_back_on_both_links(event in event(), chunk in 1usize..64) {
        let (topic, body) = event::encode_event(&event);
        prop_assert_eq!(&event::decode_event(&topic, &body).unwrap(), &event);
        let message = one_line(&client::encode_event(&event), chunk).message().unwrap();
        prop_assert_eq!(message, client::Message::Event(event));
    }

    #[test]
    fn any_parameters_are_read_or_refused(
        name in proptest::sample::select(
            [stui_protocol::image::ImageCommand::NAMES, stui_protocol::daemon::DaemonCommand::NAMES]
                .concat()),
        parameters in object(json()),
    ) {
        if let Err(failure) = ClientCommand::parse(name, parameters) {
            prop_assert!(matches!(
                failure.error_type,
                ErrorType::MissingParameter | ErrorType::InvalidParameter
            ));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        if let Err(rejected) = image::decode_request(&bytes) {
            prop_assert!(!rejected.failure.error.is_empty());
        }
        let _ = image::decode_reply(&bytes);
        let _ = event::decode_event(b"output", &bytes);
        let _ = client::decode_message(&bytes);
    }
}
