//! The id of a request makes it idempotent: work is done once, however often it is asked for.

use std::thread;

use serde_json::json;
use stui_protocol::image::{CreateSession, Evaluate, ListClientSessions};
use stui_protocol::{Command, ErrorType};
use stui_tests::asking::{new_id, request};
use stui_tests::{Asking, Image};

const COUNT: &str = "count := count + 1";

#[test]
fn a_repeated_id_gets_the_kept_reply_and_nothing_is_done_again() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("count := 0");
    let parameters = session.with(json!({"code": COUNT, "wait_ms": 10_000}));
    let again = request(&new_id("evaluation"), "evaluate", &parameters);

    let first = client.exchange(&again);
    let second = client.exchange(&again);
    let third = image.client().exchange(&again);

    assert_eq!(first.outcome.as_ref().expect("one")["result"], "1");
    assert_eq!(second.outcome, first.outcome);
    assert_eq!(third.outcome, first.outcome, "from another client as well");
    assert_eq!(session.value("count"), "1");
}

#[test]
fn a_repeated_failure_is_the_same_failure() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("count := 0");
    let parameters = session.with(json!({"code": format!("{COUNT}. 1/0"), "wait_ms": 10_000}));
    let again = request(&new_id("evaluation"), "evaluate", &parameters);

    let first = client.exchange(&again);
    let second = client.exchange(&again);

    assert!(first.outcome.is_err());
    assert_eq!(second.outcome, first.outcome);
    assert_eq!(session.value("count"), "1");
}

#[test]
fn a_repeat_joins_an_evaluation_that_still_runs() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("count := 0");
    let id = new_id("evaluation");
    let code = format!("(Delay forMilliseconds: 600) wait. {COUNT}");
    let parameters = session.with(json!({"code": code}));

    let first = client.exchange(&request(&id, "evaluate", &parameters));
    let repeat: stui_protocol::image::Evaluated = client
        .finish::<Evaluate, _>(&id, parameters)
        .expect("the end of the one evaluation");

    assert_eq!(
        first.outcome.expect("a running evaluation")["state"],
        "running"
    );
    assert_eq!(repeat.result, "1");
    assert_eq!(session.value("count"), "1");
}

#[test]
fn two_clients_that_send_the_same_request_at_once_get_the_same_reply() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("count := 0");
    let code = format!("(Delay forMilliseconds: 200) wait. {COUNT}");
    let parameters = session.with(json!({"code": code, "wait_ms": 10_000}));
    let same = request(&new_id("evaluation"), "evaluate", &parameters);

    let replies = thread::scope(|scope| {
        let ask = || image.client().exchange(&same);
        [scope.spawn(ask), scope.spawn(ask)].map(|asking| asking.join().expect("a reply"))
    });

    assert_eq!(replies[0].outcome, replies[1].outcome);
    assert_eq!(session.value("count"), "1");
}

#[test]
fn a_session_is_made_once() {
    let image = Image::shared();
    let client = image.client();
    let owner = new_id("client");
    let again = request(
        &new_id("create"),
        CreateSession::NAME,
        &json!({"client_id": owner}),
    );

    let first = client.exchange(&again);
    let second = client.exchange(&again);

    assert_eq!(
        first.outcome.expect("a session"),
        second.outcome.expect("the same session")
    );
    let sessions = client.ask::<ListClientSessions>(json!({"client_id": owner}));
    assert_eq!(sessions.session_count, 1);
}

#[test]
fn a_reply_is_kept_over_many_other_requests() {
    // Not the shared image: the other stories would push the reply out.
    let image = Image::alone();
    let client = image.client();
    let session = client.session();
    session.value("count := 0");
    let parameters = session.with(json!({"code": COUNT, "wait_ms": 10_000}));
    let again = request(&new_id("evaluation"), "evaluate", &parameters);
    let first = client.exchange(&again);

    for _ in 0..1000 {
        client.reply("ping", json!({}));
    }

    assert_eq!(client.exchange(&again).outcome, first.outcome);
    assert_eq!(session.value("count"), "1");
}

#[test]
fn an_id_has_at_most_128_characters() {
    let image = Image::shared();
    let client = image.client();
    let longest = format!("{:é<128}", new_id("longest"));
    let too_long = format!("{longest}x");

    assert!(
        client
            .exchange(&request(&longest, "ping", &json!({})))
            .outcome
            .is_ok()
    );

    // Whether the reply repeats an id that is none is the image's choice.
    let reply = client.send_bytes(
        request(&too_long, "ping", &json!({}))
            .to_string()
            .as_bytes(),
    );
    assert_eq!(
        reply.outcome.expect_err("no such id").error_type,
        ErrorType::InvalidRequest
    );
}
