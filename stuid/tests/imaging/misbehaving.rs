//! An image that answers late, nonsense or nothing.

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::daemon::{Await, ImageState, Submit};
use stui_protocol::image::{Evaluate, Evaluated, Job, Ping};
use stui_tests::{Asking, Scripted, patience};

use crate::support::Daemon;

#[test]
fn an_image_that_does_not_stop_an_evaluation_in_time_is_told_to() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    let failure = session.refused::<Evaluate>(json!({"code": "hold it", "timeout_ms": 50}));
    assert_eq!(failure.error_type, ErrorType::Timeout);
    assert_eq!(image.count("interrupt"), 1);
    assert_eq!(session.value("next"), "next");
}

#[test]
fn an_image_that_answers_nonsense_is_told_of_and_asked_on() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let strangers = br#"{"id": "somebody's", "status": "success", "result": {}}"#;
    for garbage in [&b"no json"[..], b"\xff\xfe", b"", b"[]", b"{}", strangers] {
        image.garbles("browse_class", garbage);
        let reply = client.reply("browse_class", json!({"class_name": "X"}));
        assert_eq!(
            reply.outcome.unwrap_err().error_type,
            ErrorType::OutcomeUnknown
        );
        client.ask::<Ping>(json!({}));
    }
}

#[test]
fn a_start_whose_reply_is_nonsense_is_followed_to_its_end() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    image.garbles("evaluate", b"no json");
    assert_eq!(session.value("once"), "once");
    assert_eq!(image.count("evaluate"), 1);
}

#[test]
fn a_result_that_is_none_is_asked_for() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    let id = "an-id-that-nobody-else-has";
    let reply = json!({
        "id": id, "status": "success", "result": [7], "instance": "life-1",
        "timestamp": "2026-01-01T00:00:00Z",
    });
    image.garbles("evaluate", reply.to_string().as_bytes());
    let parameters = json!({"session": "main", "code": "once"});
    client.send(&json!({"id": id, "command": "evaluate", "parameters": parameters}));
    let evaluated = client.next_reply().unwrap().outcome.unwrap();
    assert_eq!(evaluated["result"], "once");
    assert_eq!(image.count("evaluate"), 1);
}

#[test]
fn a_silent_image_is_unresponsive_and_its_late_reply_nobodys() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.ask::<Ping>(json!({}));
    image.falls_silent_at("ping");
    daemon.wait_for_image(ImageState::Unresponsive);
    image.speaks_again();
    daemon.wait_for_image(ImageState::Ready);
    let pong = client.ask::<Ping>(json!({"message": "back"}));
    assert_eq!(pong.message.as_deref(), Some("back"));
    let late = daemon.metric("stui_link_replies_dropped_total{reason=\"late\"}");
    assert_eq!(late, Some(1.0), "{}", daemon.log());
}

#[test]
fn a_frozen_image_is_given_up_at_the_deadline_and_not_later() {
    let image = Scripted::start();
    let daemon = Daemon::impatient(&image, 1_000);
    let client = daemon.client();
    let session = client.attach("main");
    image.falls_silent_at("evaluate");
    let sent = session.refused::<Evaluate>(json!({"code": "frozen"}));
    assert_eq!(sent.error_type, ErrorType::OutcomeUnknown);
    let unsent = client.refused::<Evaluate>(json!({"code": "never"}));
    assert_eq!(unsent.error_type, ErrorType::ImageUnavailable);
    assert_eq!(unsent.details["sent"], false);
    image.speaks_again();
    daemon.wait_for_image(ImageState::Ready);
    assert_eq!(session.value("next"), "next");
    let asked = image.asked();
    assert!(
        !asked
            .iter()
            .any(|each| each.parameters.get("code") == Some(&json!("never")))
    );
}

#[test]
fn after_an_unknown_outcome_the_next_evaluation_waits_until_the_image_has_ended_the_first() {
    let image = Scripted::start();
    let daemon = Daemon::impatient(&image, 1_000);
    let client = daemon.client();
    let session = client.attach("main");
    image.falls_silent_at("evaluate");
    let unknown = session.refused::<Evaluate>(json!({"code": "hold it"}));
    assert_eq!(unknown.error_type, ErrorType::OutcomeUnknown);
    image.speaks_again();
    let next = client.ask::<Submit>(json!({"session": "main", "code": "next"}));
    assert_eq!(next.queue_position, 1);
    patience::until("the question whether it has ended", || {
        (image.count("evaluation_status") > 0).then_some(())
    });
    image.finish("hold it", "too late");
    let done: Job<Evaluated> = client.ask::<Await>(json!({"evaluation_id": next.evaluation_id}));
    assert!(matches!(done, Job::Finished(done) if done.result == "next"));
    let order: Vec<_> = image
        .asked()
        .iter()
        .filter_map(|each| each.parameters.get("code").cloned())
        .collect();
    assert_eq!(order, ["hold it", "next"]);
}
