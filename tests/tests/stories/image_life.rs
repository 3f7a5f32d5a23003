//! A daemon whose image lives in another process, and may die there.

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::daemon::{Await, ImageState, Status, Submit};
use stui_tests::{Asking, Client, Daemon, Image, patience};

/// A daemon in front of an embedded image that is a process of its own.
fn cast() -> (Image, Daemon) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &events]);
    (image, daemon)
}

fn wait_for_state(client: &Client, wanted: &[ImageState]) {
    patience::until(&format!("an image that is one of {wanted:?}"), || {
        let state = client.ask::<Status>(json!({})).image.state;
        wanted.contains(&state).then_some(())
    });
}

#[test]
fn an_image_elsewhere_is_used_like_the_one_inside() {
    let (image, daemon) = cast();
    let client = daemon.client();
    let session = client.session();

    assert_eq!(session.value("x := 3 + 4"), "7");

    let status = client.ask::<Status>(json!({}));
    assert_eq!(status.image.endpoint, image.endpoint());
    let listed = image
        .client()
        .ask::<stui_protocol::image::ListSessions>(json!({}))
        .sessions;
    assert_eq!(listed.len(), 1, "{listed:?}");
}

#[test]
fn sessions_outlive_the_daemon() {
    let (_image, mut daemon) = cast();
    let client = daemon.client();
    let session = client.attach("main");
    session.value("kept := 42");
    let running = session.ask::<Submit>(json!({"code": "(Delay forSeconds: 2) wait. late := 1"}));

    daemon.kill();
    daemon.start_again();

    let client = daemon.client();
    let session = client.attach("main");
    assert_eq!(session.value("kept"), "42");
    let _ = running;
}

#[test]
fn a_request_to_a_dead_image_is_answered_at_once_and_life_goes_on_with_the_next() {
    let (image, daemon) = cast();
    let client = daemon.client();
    client.session().value("3");

    let image = image.crash();
    wait_for_state(&client, &[ImageState::Down, ImageState::Connecting]);
    let failure = client
        .evaluate(json!({"code": "3 + 4"}))
        .expect_err("no image");
    assert_eq!(failure.error_type, ErrorType::ImageUnavailable);

    let _image = image.start();
    wait_for_state(&client, &[ImageState::Ready]);
    assert_eq!(client.session().value("3 + 4"), "7");
}

#[test]
fn what_ran_when_the_image_died_has_an_honest_end() {
    let (image, daemon) = cast();
    let client = daemon.client();
    let session = client.session();
    let running = session.ask::<Submit>(json!({"code": "[true] whileTrue"}));
    let waiting = session.ask::<Submit>(json!({"code": "3 + 4"}));
    // The image itself says so: for the daemon it runs as soon as it is about to be sent.
    let witness = image.client();
    patience::until("an evaluation that runs in the image", || {
        let sessions = witness
            .ask::<stui_protocol::image::ListSessions>(json!({}))
            .sessions;
        sessions.iter().any(|session| session.busy).then_some(())
    });

    let _image = image.crash().start();

    let failure = client.refused::<Await>(json!({"evaluation_id": running.evaluation_id}));
    assert_eq!(failure.error_type, ErrorType::OutcomeUnknown);
    // It was not sent, or its session is gone with the image: either is the truth.
    let failure = client.refused::<Await>(json!({"evaluation_id": waiting.evaluation_id}));
    let honest = [
        ErrorType::ImageUnavailable,
        ErrorType::SessionNotFound,
        ErrorType::OutcomeUnknown,
    ];
    assert!(honest.contains(&failure.error_type), "{failure:?}");
}
