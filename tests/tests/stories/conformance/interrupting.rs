//! Stopping evaluations, and what is left when they are stopped.

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::image::{Evaluate, Inspect, Interrupt, Tier};
use stui_tests::{Asking, Image, ImageClient, Session, patience};

/// Starts code and waits until it has done `ready := true`.
fn under_way(session: &Session<'_, ImageClient>, code: &str) -> String {
    session.value("ready := false");
    let id = session.start(code);
    patience::until("the code's being ready", || {
        let ready = session.ask::<Inspect>(json!({"target": "ready"}));
        (ready.object_info.string_representation == "true").then_some(())
    });
    id
}

#[test]
fn an_endless_loop_is_interrupted_and_the_bindings_stay() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("kept := 5");
    let id = session.start("[true] whileTrue");

    let stopped = session.ask::<Interrupt>(json!({}));

    assert_eq!(stopped.tier, Tier::Signal);
    assert_eq!(stopped.evaluation_id.as_deref(), Some(id.as_str()));
    assert_eq!(
        client.outcome_of(&id).expect_err("no end").error_type,
        ErrorType::Interrupted
    );
    assert_eq!(session.value("kept"), "5");
}

#[test]
fn code_that_waits_is_interrupted_as_well() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    for code in ["(Delay forSeconds: 1000) wait", "Semaphore new wait"] {
        let id = session.start(code);
        let stopped = session.ask::<Interrupt>(json!({}));
        assert_ne!(stopped.tier, Tier::Idle, "{code}");
        let failure = client.outcome_of(&id).expect_err("no end");
        assert_eq!(failure.error_type, ErrorType::Interrupted, "{code}");
    }
}

#[test]
fn an_evaluation_is_interrupted_by_its_id_and_no_other_is() {
    let image = Image::shared();
    let client = image.client();
    let (mine, yours) = (client.session(), client.session());
    let id = mine.start("[true] whileTrue");
    let other = yours.start("(Delay forMilliseconds: 700) wait. 3");

    let stopped = client.ask::<Interrupt>(json!({"evaluation_id": id}));

    assert_eq!(stopped.evaluation_id.as_deref(), Some(id.as_str()));
    assert_eq!(client.outcome_of(&other).expect("no interrupt").result, "3");
}

#[test]
fn an_idle_session_has_nothing_to_interrupt() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let stopped = session.ask::<Interrupt>(json!({}));

    assert_eq!(stopped.tier, Tier::Idle);
    assert_eq!(stopped.evaluation_id, None);
}

#[test]
fn an_interrupt_runs_the_ensure_blocks_and_is_no_error_that_code_would_catch() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("cleaned := false. caught := false");
    let id = under_way(
        &session,
        "[[ready := true. [true] whileTrue] ensure: [cleaned := true]] on: Error do: [:e | caught := true]",
    );

    session.ask::<Interrupt>(json!({}));

    assert_eq!(
        client.outcome_of(&id).expect_err("no end").error_type,
        ErrorType::Interrupted
    );
    assert_eq!(session.value("cleaned"), "true");
    assert_eq!(session.value("caught"), "false");
}

#[test]
fn code_that_catches_everything_and_goes_on_is_stopped_by_a_higher_tier() {
    is_stopped_by_a_higher_tier(
        "[ready := true. [true] whileTrue] on: Exception do: [:e | e retry]",
    );
}

#[test]
fn code_that_does_not_even_let_itself_be_unwound_is_taken_away() {
    is_stopped_by_a_higher_tier("[ready := true. [true] whileTrue] ensure: [[true] whileTrue]");
}

fn is_stopped_by_a_higher_tier(code: &str) {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let id = under_way(&session, code);

    let stopped = session.ask::<Interrupt>(json!({}));

    assert!(
        matches!(stopped.tier, Tier::Terminate | Tier::Abandon),
        "{stopped:?}"
    );
    assert_eq!(
        client.outcome_of(&id).expect_err("no end").error_type,
        ErrorType::Interrupted
    );
    assert_eq!(session.value("3 + 4"), "7");
}

#[test]
fn what_was_written_before_the_interrupt_is_told() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let id = under_way(
        &session,
        "Transcript show: 'so far'. ready := true. [true] whileTrue",
    );

    session.ask::<Interrupt>(json!({}));

    let failure = client.outcome_of(&id).expect_err("no end");
    assert_eq!(failure.details["output"], "so far");
}

#[test]
fn interrupting_what_is_not_there_is_said_so() {
    let image = Image::shared();
    let client = image.client();

    let no_session = client.refused::<Interrupt>(json!({"session_id": "none such"}));
    let no_evaluation = client.refused::<Interrupt>(json!({"evaluation_id": "none such"}));
    let neither = client.refused::<Interrupt>(json!({}));

    assert_eq!(no_session.error_type, ErrorType::SessionNotFound);
    assert_eq!(no_evaluation.error_type, ErrorType::EvaluationNotFound);
    assert_eq!(neither.error_type, ErrorType::MissingParameter);
}

#[test]
fn ten_sessions_loop_and_each_is_stopped() {
    let image = Image::shared();
    let client = image.client();
    let sessions: Vec<_> = (0..10).map(|_| client.session()).collect();
    for session in &sessions {
        session.ask::<Evaluate>(json!({"code": "[true] whileTrue"}));
    }

    for session in &sessions {
        assert_ne!(session.ask::<Interrupt>(json!({})).tier, Tier::Idle);
    }

    for session in &sessions {
        assert_eq!(session.value("3 + 4"), "7");
    }
}
