//! Interrupting, whatever the image does with it: the answer says what became of the evaluation.

use std::path::Path;

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::daemon::{Await, Submit};
use stui_protocol::image::{Interrupt, Tier};
use stui_tests::{Asking, Client, Scripted};

use crate::support::Daemon;

fn submit(client: &Client, code: &str) -> String {
    client
        .ask::<Submit>(json!({"session": "main", "code": code}))
        .evaluation_id
}

fn failure_of(client: &Client, id: &str) -> ErrorType {
    client
        .refused::<Await>(json!({"evaluation_id": id}))
        .error_type
}

/// A daemon that gives the image a second for each exchange.
fn impatient(image: &Scripted, dir: &Path) -> Daemon {
    let config = dir.join("stuid.toml");
    std::fs::write(&config, "[image]\nrequest_timeout_ms = 1000\n").expect("a configuration");
    Daemon::with(&[
        "--config",
        &config.display().to_string(),
        "--image",
        image.endpoint(),
        "--image-events",
        image.events_endpoint(),
    ])
}

#[test]
fn an_evaluation_that_had_to_be_taken_away_is_told_to_be() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    let id = submit(&client, "hold stubborn");
    image.wait_for_code("hold stubborn");

    let stopped = session.ask::<Interrupt>(json!({}));

    assert_eq!(stopped.tier, Tier::Abandon);
    assert_eq!(stopped.evaluation_id.as_deref(), Some(id.as_str()));
    assert_eq!(failure_of(&client, &id), ErrorType::Interrupted);
    assert_eq!(session.value("after"), "after");
}

#[test]
fn any_driver_takes_back_what_waits_and_is_told_that_it_never_began() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (client, other) = (daemon.client(), daemon.client());
    client.attach("main");
    let runs = submit(&client, "hold it");
    image.wait_for_code("hold it");
    let waits = submit(&client, "later");

    let stopped = other.ask::<Interrupt>(json!({"evaluation_id": waits}));

    assert_eq!(stopped.tier, Tier::Queued);
    assert_eq!(stopped.evaluation_id.as_deref(), Some(waits.as_str()));
    assert_eq!(failure_of(&client, &waits), ErrorType::Interrupted);
    let running = other.ask::<Interrupt>(json!({"session": "main"}));
    assert_eq!(running.evaluation_id.as_deref(), Some(runs.as_str()));
    assert_eq!(image.count("interrupt"), 1, "the image saw what it ran");
}

#[test]
fn an_image_that_says_nothing_to_an_interrupt_is_told_within_the_deadline() {
    let image = Scripted::start();
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = impatient(&image, dir.path());
    let client = daemon.client();
    let other = client.session();
    let behind = other.start("hold another");
    client.attach("main");
    let id = submit(&client, "hold it");
    image.wait_for_code("hold it");

    image.falls_silent_at("interrupt");
    let unanswered = client.refused::<Interrupt>(json!({"evaluation_id": id}));
    let unsent = client.refused::<Interrupt>(json!({"evaluation_id": behind}));

    assert_eq!(unanswered.error_type, ErrorType::OutcomeUnknown);
    assert_eq!(unanswered.details["sent"], true, "{unanswered}");
    assert_eq!(unsent.error_type, ErrorType::ImageUnavailable);
    assert_eq!(unsent.details["sent"], false, "{unsent}");
    image.speaks_again();
    assert_eq!(failure_of(&client, &id), ErrorType::Interrupted);
}

#[test]
fn what_the_image_has_not_taken_yet_cannot_be_interrupted_and_that_is_said() {
    let image = Scripted::start();
    let dir = tempfile::tempdir().expect("a directory");
    let daemon = impatient(&image, dir.path());
    let client = daemon.client();
    let session = client.attach("main");
    image.falls_silent_at("evaluate");
    let id = submit(&client, "hold it");
    image.wait_for_code("hold it");

    let refused = session.refused::<Interrupt>(json!({}));

    assert_eq!(refused.details["sent"], false, "{refused}");
    assert_eq!(failure_of(&client, &id), ErrorType::OutcomeUnknown);
    image.speaks_again();
    let stopped = session.ask::<Interrupt>(json!({}));
    assert_eq!(stopped.evaluation_id.as_deref(), Some(id.as_str()));
    assert_eq!(session.value("next"), "next");
}
