//! The daemon is killed when an evaluation begins: it is sent again when the image can tell that it
//! never began it, and else its outcome is unknown.

use rustix::process::Signal;
use serde_json::json;
use stui_protocol::daemon::Await;
use stui_protocol::{ErrorType, Event, EventName};
use stui_tests::{Asking, Client, Scripted, patience};

use super::{ends, log_of_main, submit};
use crate::support::Daemon;

/// Kills the daemon while the image owes it a reply to `silent_at` and it has begun an evaluation.
/// Answers the next daemon with the evaluation's id, after `meanwhile`.
fn killed_at_a_beginning(
    image: &Scripted,
    mut daemon: Daemon,
    silent_at: &str,
    meanwhile: impl FnOnce(),
) -> (Daemon, String) {
    let client = daemon.client();
    image.falls_silent_at(silent_at);
    if silent_at == "browse_class" {
        client.send(&json!({"id": "b", "command": "browse_class", "parameters": {"class_name": "X"}, "version": "1.1"}));
        patience::until("the request in the image", || {
            (image.count("browse_class") > 0).then_some(())
        });
    }
    let id = submit(&client, "begun");
    patience::until("its beginning in the log", || {
        let log = log_of_main(&client);
        let begins = |event: &Event| {
            event.event == EventName::EvaluationStarted
                && event.evaluation_id.as_deref() == Some(&id)
        };
        log.iter().any(begins).then_some(())
    });
    if silent_at == "evaluate" {
        image.wait_for_code("begun");
    }
    daemon.signal(Signal::KILL);
    daemon.end();
    image.speaks_again();
    meanwhile();
    daemon.start_again();
    (daemon, id)
}

/// How often that code was executed.
fn executions(image: &Scripted, code: &str) -> usize {
    let executed = image.executed();
    executed.iter().filter(|(_, each)| each == code).count()
}

#[test]
fn what_never_began_in_the_image_is_sent_again_by_the_next_daemon() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    daemon.client().attach("main").value("before");
    let (daemon, id) = killed_at_a_beginning(&image, daemon, "browse_class", || {});
    let client = daemon.client();
    let done = client.ask::<Await>(json!({"evaluation_id": id}));
    let stui_protocol::image::Job::Finished(done) = done else {
        panic!("it goes on: {done:?}");
    };
    assert_eq!(done.result, "begun");
    assert_eq!(executions(&image, "begun"), 1);
    assert_eq!(ends(&client, &id).len(), 1);
}

#[test]
fn what_the_image_may_have_forgotten_is_not_sent_again() {
    is_unknown_after_a_kill(|client| {
        client.attach("main").value("before");
    });
}

#[test]
fn without_a_witness_nobody_knows_whether_it_began() {
    is_unknown_after_a_kill(|client| {
        client.attach("main");
    });
}

/// The daemon is killed when an evaluation begins, and the image forgets all evaluations.
fn is_unknown_after_a_kill(before: impl FnOnce(&Client)) {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    before(&daemon.client());
    let forget = || image.forgets_evaluations();
    let (daemon, id) = killed_at_a_beginning(&image, daemon, "evaluate", forget);
    let failure = daemon
        .client()
        .refused::<Await>(json!({"evaluation_id": id}));
    assert_eq!(failure.error_type, ErrorType::OutcomeUnknown, "{failure:?}");
    assert_eq!(executions(&image, "begun"), 1);
}
