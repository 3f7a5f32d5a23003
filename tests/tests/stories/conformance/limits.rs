//! Bounds: on prints, on output, on time, on depth and on memory.

use std::time::{Duration, Instant};

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::error::EvaluationErrorDetails;
use stui_protocol::limits::{DEFAULT_PRINT_LIMIT, MAX_MESSAGE_BYTES};
use stui_tests::{Asking, Image, skipped};

use super::new_class;

#[test]
fn a_long_print_string_is_cut_where_the_request_says() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let code = "String new: 5000 withAll: $x";

    let whole = client
        .evaluate(session.with(json!({"code": code})))
        .expect("a string");
    let cut = client
        .evaluate(session.with(json!({"code": code, "print_limit": 100})))
        .expect("the start of a string");

    assert_eq!(whole.result.chars().count(), 5002);
    assert!(!whole.truncated);
    assert!(cut.result.chars().count() <= 100, "{}", cut.result);
    assert!(cut.result.starts_with("'xxxx"));
    assert!(cut.truncated);
}

#[test]
fn a_print_string_is_cut_even_when_nobody_asks() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let evaluated = session.evaluated("String new: 1000000 withAll: $x");

    assert!(evaluated.result.chars().count() <= DEFAULT_PRINT_LIMIT);
    assert!(evaluated.truncated);
}

#[test]
fn the_limit_counts_characters_not_bytes() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let parameters = json!({"code": "String new: 500 withAll: $é", "print_limit": 300});

    let evaluated = client.evaluate(session.with(parameters)).expect("a string");

    assert!(evaluated.truncated);
    let count = evaluated.result.chars().count();
    assert!((290..=300).contains(&count), "{count}");
}

#[test]
fn a_collection_that_holds_itself_is_printed_as_far_as_the_limit() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let evaluated = session.evaluated("c := OrderedCollection new. c add: c. c");

    assert!(
        evaluated.result.starts_with("an OrderedCollection("),
        "{:.200}",
        evaluated.result
    );
    assert!(evaluated.result.chars().count() <= DEFAULT_PRINT_LIMIT);
}

#[test]
fn printing_that_fails_is_reported_like_any_other_code() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(
        &session,
        "",
        &["printOn: aStream self error: 'unprintable'"],
    );

    let failure = session.failure(&format!("{class} new"));

    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    assert!(failure.error.contains("unprintable"), "{}", failure.error);
}

#[test]
fn printing_that_never_ends_is_stopped_like_any_other_code() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "", &["printOn: aStream [true] whileTrue"]);

    let parameters = json!({"code": format!("{class} new"), "timeout_ms": 500});
    let failure = client
        .evaluate(session.with(parameters))
        .expect_err("no print string");

    assert_eq!(failure.error_type, ErrorType::Timeout);
    assert_eq!(session.value("3 + 4"), "7");
}

#[test]
fn output_without_measure_is_cut_and_the_reply_still_fits_the_link() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let evaluated = session
        .evaluated("s := String new: 100000 withAll: $x. 120 timesRepeat: [Transcript show: s]. 1");

    assert_eq!(evaluated.result, "1");
    assert!(evaluated.truncated);
    assert!(evaluated.output.starts_with("xxxx"));
    assert!(evaluated.output.len() < MAX_MESSAGE_BYTES);
}

#[test]
fn code_that_loops_is_stopped_at_its_time_limit_and_the_session_is_usable_at_once() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("kept := 5");

    for code in [
        "[true] whileTrue",
        "(Delay forSeconds: 1000) wait",
        "Semaphore new wait",
    ] {
        let began = Instant::now();
        let parameters = json!({"code": code, "timeout_ms": 400});
        let failure = client
            .evaluate(session.with(parameters))
            .expect_err("no end");

        assert_eq!(failure.error_type, ErrorType::Timeout, "{code}");
        assert!(
            began.elapsed() >= Duration::from_millis(400),
            "{code}: too early"
        );
        assert_eq!(session.value("kept"), "5", "{code}: the bindings stay");
    }
}

#[test]
fn ensure_blocks_run_when_the_time_is_over() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("cleaned := false");

    let code = "[[true] whileTrue] ensure: [cleaned := true]";
    let parameters = json!({"code": code, "timeout_ms": 300});
    client
        .evaluate(session.with(parameters))
        .expect_err("no end");

    assert_eq!(session.value("cleaned"), "true");
}

#[test]
fn recursion_without_end_ends_the_evaluation_not_the_image() {
    let story = "recursion_without_end_ends_the_evaluation_not_the_image";
    let image = Image::shared();
    if !image.is_embedded() {
        return skipped(
            story,
            "an image with a limit of depth; Pharo fills its memory first",
        );
    }
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "", &["down: n ^ 1 + (self down: n + 1)"]);

    let failure = session.failure(&format!("{class} new down: 1"));

    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    let details: EvaluationErrorDetails = failure.details_as().expect("details");
    assert!(
        details.stack.len() < 1000,
        "a stack is bounded, too: {}",
        details.stack.len()
    );
    assert_eq!(session.value("3 + 4"), "7");
}

#[test]
fn hunger_for_memory_ends_the_evaluation_not_the_image() {
    let story = "hunger_for_memory_ends_the_evaluation_not_the_image";
    if !Image::shared().is_embedded() {
        return skipped(
            story,
            "an embedded image; another one may be somebody's work",
        );
    }
    let image = Image::embedded();
    let client = image.client();
    let session = client.session();

    let slowly = session
        .failure("c := OrderedCollection new. [true] whileTrue: [c add: (Array new: 10000)]");
    session.value("c := nil");
    let at_once = session.failure("Array new: 1000000000");
    let by_number = session.failure("(2 raisedTo: 1000000000) printString size");

    for failure in [slowly, at_once, by_number] {
        assert_eq!(
            failure.error_type,
            ErrorType::EvaluationError,
            "{failure:?}"
        );
    }
    assert_eq!(
        session.value("(Array new: 10000) size"),
        "10000",
        "there is room again"
    );
}
