//! The event link: what an image tells without being asked.

use serde_json::{Value, json};
use stui_protocol::image::{
    CloseSession, EvaluationFinishedData, EvaluationStartedData, Interrupt, OutputData,
};
use stui_protocol::{Event, EventName, Outcome};
use stui_tests::{Asking, Events, Image, ImageClient, Session, skipped};

/// The cast: an image, a client, a session, a listener.
fn listen(story: &str, image: &Image) -> Option<Events> {
    let events = Events::listen(image);
    if events.is_none() {
        skipped(
            story,
            "an image with an event link (STUI_TEST_IMAGE_EVENTS)",
        );
    }
    events
}

fn finished(events: &[Event]) -> Outcome {
    let data: EvaluationFinishedData = events
        .last()
        .and_then(Event::data_as)
        .expect("data of evaluation_finished");
    data.into()
}

fn written(events: &[Event]) -> String {
    let outputs = events
        .iter()
        .filter(|event| event.event == EventName::Output);
    outputs
        .map(|event| event.data_as::<OutputData>().expect("a text").text)
        .collect()
}

/// The outcome as `evaluation_status` answers it.
fn status(session: &Session<'_, ImageClient>, id: &str) -> Outcome {
    session.who.status_of(id, 0)
}

#[test]
fn an_evaluation_tells_its_start_its_output_in_order_and_its_end() {
    let image = Image::shared();
    let Some(mut events) = listen("an_evaluation_tells_its_start_…", &image) else {
        return;
    };
    let client = image.client();
    let session = client.session();
    let code = "1 to: 200 do: [:n | Transcript show: n printString; cr]. (Delay forMilliseconds: 50) wait. #end";

    let id = session.start(code);
    let told = events.of_evaluation(&id);

    assert_eq!(told[0].event, EventName::EvaluationStarted);
    let started: EvaluationStartedData = told[0].data_as().expect("the code");
    assert_eq!(started.code, code);
    assert!(
        told.iter()
            .all(|event| event.session_id.as_deref() == Some(session.id.as_str()))
    );
    let numbers: String = (1..=200).map(|n| format!("{n}\n")).collect();
    assert_eq!(written(&told), numbers);
    let kept = status(&session, &id);
    assert_eq!(finished(&told), kept, "the event says what the reply says");
    assert_eq!(kept.expect("the end")["result"], "#end");
}

#[test]
fn output_arrives_while_the_code_still_runs() {
    let image = Image::shared();
    let Some(mut events) = listen("output_arrives_while_the_code_still_runs", &image) else {
        return;
    };
    let client = image.client();
    let session = client.session();

    let id = session.start("Transcript show: 'early'; flush. [true] whileTrue");
    let output = events.wait_for("the output", |event| {
        event.event == EventName::Output && event.evaluation_id.as_deref() == Some(&id)
    });

    assert_eq!(output.data["text"], "early");
    session.ask::<Interrupt>(json!({}));
}

#[test]
fn the_events_of_an_instance_are_counted_without_a_hole() {
    let image = Image::shared();
    let Some(mut events) = listen("the_events_of_an_instance_are_counted_…", &image) else {
        return;
    };
    let client = image.client();
    let session = client.session();

    let id = session
        .start("50 timesRepeat: [Transcript show: 'x'; cr. (Delay forMilliseconds: 1) wait]");
    events.of_evaluation(&id);

    let instance = image.describe().instance;
    let seqs: Vec<u64> = events
        .heard()
        .iter()
        .map(|event| event.seq.expect("a seq"))
        .collect();
    assert!(
        seqs.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{seqs:?}"
    );
    assert!(
        events
            .heard()
            .iter()
            .all(|event| event.instance.as_ref() == Some(&instance))
    );
}

#[test]
fn a_failure_is_announced_with_everything_that_the_reply_says() {
    let image = Image::shared();
    let Some(mut events) = listen("a_failure_is_announced_…", &image) else {
        return;
    };
    let client = image.client();
    let session = client.session();

    let failing = session.start("(Delay forMilliseconds: 100) wait. Transcript show: 'oh'. 1/0");
    let told = events.of_evaluation(&failing);
    assert_eq!(finished(&told), status(&session, &failing));
    assert!(finished(&told).is_err());

    let looping = session.start("[true] whileTrue");
    session.ask::<Interrupt>(json!({}));
    let told = events.of_evaluation(&looping);
    assert_eq!(finished(&told), status(&session, &looping));
}

#[test]
fn sessions_that_come_and_go_are_announced() {
    let image = Image::shared();
    let Some(mut events) = listen("sessions_that_come_and_go_are_announced", &image) else {
        return;
    };
    let client = image.client();

    let session = client.session();
    session.ask::<CloseSession>(json!({}));

    for name in [EventName::SessionCreated, EventName::SessionClosed] {
        events.wait_for(&name.topic(), |event| {
            event.event == name && event.session_id.as_deref() == Some(session.id.as_str())
        });
    }
}

#[test]
fn a_quiet_image_shows_that_it_lives() {
    let image = Image::shared();
    let Some(mut events) = listen("a_quiet_image_shows_that_it_lives", &image) else {
        return;
    };

    events.wait_for("a heartbeat", |event| event.event == EventName::Heartbeat);
}

#[test]
fn text_beyond_ascii_arrives_as_it_was_written() {
    let image = Image::shared();
    let Some(mut events) = listen("text_beyond_ascii_arrives_as_it_was_written", &image) else {
        return;
    };
    let client = image.client();
    let session = client.session();

    let id = session
        .start("(Delay forMilliseconds: 50) wait. Transcript show: 'grüße, \u{4e16}\u{754c}'. 'Ω'");
    let told = events.of_evaluation(&id);

    assert_eq!(written(&told), "grüße, \u{4e16}\u{754c}");
    assert_eq!(
        finished(&told).expect("the end")["result"],
        Value::from("'Ω'")
    );
}
