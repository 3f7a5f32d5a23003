//! Saving the image and resuming from it.

use serde_json::json;
use stui_protocol::image::{GetContextSummary, ListSessions, SaveImage};
use stui_protocol::{ErrorType, EventName};
use stui_tests::{Asking, Events, Image, Session, skipped};

use super::new_class;

#[test]
fn a_saved_image_comes_back_with_its_sessions_classes_and_history() {
    let story = "a_saved_image_comes_back_with_its_sessions_classes_and_history";
    if !Image::shared().is_embedded() {
        return skipped(story, "an embedded image that the story may save and kill");
    }
    let image = Image::embedded();
    let mut events = Events::listen(&image).expect("events of the embedded image");
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "n", &["n: x n := x", "n ^ n"]);
    session.value(&format!("kept := {class} new. kept n: 42"));
    let id = session.id.clone();
    let before = image.describe().instance;

    let saved = client.ask::<SaveImage>(json!({}));
    assert!(saved.saved && !saved.path.is_empty());
    for name in [EventName::ImageSaving, EventName::ImageSaved] {
        events.wait_for(&name.topic(), |event| event.event == name);
    }
    session.value("kept n: 43");
    session.value("late := 1");
    let image = image.after_a_crash();

    assert_ne!(
        image.describe().instance,
        before,
        "another life of the image"
    );
    let client = image.client();
    let listed = client.ask::<ListSessions>(json!({})).sessions;
    assert!(
        listed.iter().any(|info| info.session.session_id == id),
        "{listed:?}"
    );
    let session = Session { who: &client, id };
    assert_eq!(
        session.value("kept n"),
        "42",
        "as it was when the image was saved"
    );
    let summary = session.ask::<GetContextSummary>(json!({}));
    assert!(
        summary
            .history
            .iter()
            .any(|entry| entry.code.contains("kept n: 42"))
    );
}

#[test]
fn without_a_saved_image_a_crash_ends_the_sessions() {
    let story = "without_a_saved_image_a_crash_ends_the_sessions";
    if !Image::shared().is_embedded() {
        return skipped(story, "an embedded image that the story may kill");
    }
    let image = Image::embedded();
    let client = image.client();
    let session = client.session();
    session.value("lost := 1");
    let (id, before) = (session.id, image.describe().instance);

    let image = image.after_a_crash();

    assert_ne!(image.describe().instance, before);
    let failure = image
        .client()
        .refused::<stui_protocol::image::GetSessionInfo>(json!({"session_id": id}));
    assert_eq!(failure.error_type, ErrorType::SessionNotFound);
}
