//! Evaluations as the protocol page tells them: jobs that end well, fail, or go on.

use serde_json::json;
use stui_protocol::error::EvaluationErrorDetails;
use stui_protocol::image::{Evaluate, Evaluated, EvaluationStatus, Interrupt, Job, Ping};
use stui_protocol::{Command, ErrorType, Failure};
use stui_tests::asking::{new_id, read};
use stui_tests::{Asking, Image, patience};

fn details(failure: &Failure) -> EvaluationErrorDetails {
    failure
        .details_as()
        .expect("the details of a failed evaluation")
}

#[test]
fn a_finished_evaluation_tells_everything() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let id = new_id("evaluation");

    let evaluated: Evaluated = client
        .finish::<Evaluate, _>(&id, session.with(json!({"code": "3 + 4"})))
        .expect("seven");

    assert_eq!(evaluated.evaluation_id, id);
    assert_eq!(evaluated.result, "7");
    assert_eq!(evaluated.result_type, "SmallInteger");
    assert!(evaluated.object_id.is_some());
    assert!(evaluated.execution_time >= 0.0);
    assert!(!evaluated.has_error && !evaluated.truncated);
    assert_eq!(evaluated.output, "");
}

#[test]
fn a_result_that_is_not_to_be_kept_has_no_object_id() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let parameters = session.with(json!({"code": "Object new", "keep_result": false}));
    let evaluated = client.evaluate(parameters).expect("an object");

    assert_eq!(evaluated.object_id, None);
    assert_eq!(evaluated.result, "an Object");
}

#[test]
fn variables_live_in_their_session_from_one_evaluation_to_the_next() {
    let image = Image::shared();
    let client = image.client();
    let (mine, yours) = (client.session(), client.session());

    mine.value("answer := 42");
    yours.value("answer := 7");

    assert_eq!(mine.value("answer + 1"), "43");
    assert_eq!(yours.value("answer + 1"), "8");
}

#[test]
fn an_evaluation_without_a_session_leaves_nothing_behind() {
    let image = Image::shared();
    let client = image.client();

    let first = client
        .evaluate(json!({"code": "lonely := 5. lonely * 2"}))
        .expect("ten");
    let second = client.evaluate(json!({"code": "lonely"}));

    assert_eq!(first.result, "10");
    // Whether a name that nobody has assigned to is nil or an error is the image's choice.
    assert!(second.is_err() || second.is_ok_and(|evaluated| evaluated.result == "nil"));
}

#[test]
fn statements_comments_and_an_explicit_return_are_code_and_so_is_nothing_at_all() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    assert_eq!(session.value("| a | a := 3. \"a comment\" ^ a + 1"), "4");
    assert_eq!(session.value("1 max: 2; yourself"), "1");
    assert_eq!(session.value(""), "nil");
}

#[test]
fn a_failing_evaluation_tells_class_receiver_and_stack() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let failure = session.failure("1/0");

    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    assert!(!failure.error.is_empty());
    let details = details(&failure);
    assert_eq!(details.class, "ZeroDivide");
    assert_eq!(details.receiver, "1");
    // The method may be inherited: `SmallInteger(Integer)>>/`.
    let divides = |method: &str| method.starts_with("SmallInteger") && method.ends_with(">>/");
    assert!(
        details.stack.iter().any(|frame| divides(&frame.method)),
        "{:?}",
        details.stack
    );
    assert_eq!(details.debug_session_id, None);
    assert_eq!(session.value("3 + 4"), "7", "the session is usable");
}

#[test]
fn a_message_that_nobody_understands_is_named() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let failure = session.failure("nil frobnicate: 3");

    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    assert!(failure.error.contains("frobnicate:"), "{}", failure.error);
    assert_eq!(details(&failure).class, "MessageNotUnderstood");
    assert_eq!(details(&failure).receiver, "nil");
}

#[test]
fn the_stack_runs_from_the_innermost_frame_to_the_code() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = super::new_class(
        &session,
        "",
        &["outer ^ self inner", "inner ^ self error: 'deep'"],
    );

    let failure = session.failure(&format!("{class} new outer"));

    let stack = details(&failure).stack;
    let place = |method: &str| {
        let method = format!("{class}>>{method}");
        stack.iter().position(|frame| frame.method == method)
    };
    let (inner, outer) = (place("inner"), place("outer"));
    assert!(inner.is_some() && inner < outer, "{stack:#?}");
    assert!(failure.error.contains("deep"), "{}", failure.error);
}

#[test]
fn a_syntax_error_points_at_its_spot_and_nothing_runs() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("a := 0");

    let missing = session.failure("3 +");
    let wrong = session.failure("a := 1.\nb := )");

    assert_eq!(missing.error_type, ErrorType::SyntaxError);
    let spot = missing.syntax_error().expect("a spot");
    assert_eq!((spot.position, spot.line, spot.column), (4, 1, 4));
    assert_eq!(spot.source, "3 +");
    assert_eq!(wrong.error_type, ErrorType::SyntaxError);
    let spot = wrong.syntax_error().expect("a spot");
    assert_eq!((spot.position, spot.line, spot.column), (14, 2, 6));
    assert_eq!(session.value("a"), "0", "nothing of it ran");
}

#[test]
fn what_the_code_writes_comes_with_its_result_or_its_failure() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let evaluated = session.evaluated("Transcript show: 'hello'; cr; show: 'world'. 42");
    let failure = session.failure("Transcript show: 'before'. 1/0");

    assert_eq!(evaluated.output, "hello\nworld");
    assert_eq!(evaluated.result, "42");
    assert_eq!(details(&failure).output, "before");
}

#[test]
fn an_evaluation_that_takes_longer_is_running_and_its_end_is_kept() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let id = session.start("(Delay forSeconds: 1) wait. 6 * 7");
    let meanwhile = client.ask::<EvaluationStatus>(json!({"evaluation_id": id}));
    let evaluated = client.outcome_of(&id).expect("forty-two");
    let again = client.outcome_of(&id).expect("forty-two, once more");

    assert_eq!(meanwhile, Job::Running { evaluation_id: id });
    assert_eq!(evaluated.result, "42");
    assert_eq!(again, evaluated);
}

#[test]
fn what_an_evaluation_has_written_can_be_asked_for_while_it_runs() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let id = session.start("Transcript show: 'hé'; show: 'llo'. [ true ] whileTrue");

    let so_far = |from: u64| {
        let asked = json!({"evaluation_id": id, "output_from": from});
        let running = client.reply("evaluation_status", asked).outcome;
        let running = running.expect("it runs");
        assert_eq!(running["state"], "running");
        (running["output"].clone(), running["output_end"].clone())
    };
    patience::until("its output", || (so_far(0).1 == 5).then_some(()));

    assert_eq!(so_far(0), (json!("héllo"), json!(5)));
    assert_eq!(so_far(2), (json!("llo"), json!(5)));
    assert_eq!(so_far(7), (json!(""), json!(5)));
    client.ask::<Interrupt>(json!({"evaluation_id": id}));
}

#[test]
fn the_failure_of_an_evaluation_is_kept_as_well() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let id = session.start("(Delay forMilliseconds: 500) wait. self error: 'too late'");
    let failure = client.outcome_of(&id).expect_err("a failure");

    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    assert!(failure.error.contains("too late"), "{}", failure.error);
    assert_eq!(client.outcome_of(&id), Err(failure));
}

#[test]
fn an_evaluation_that_nobody_started_is_not_found() {
    let image = Image::shared();

    let failure = image
        .client()
        .refused::<EvaluationStatus>(json!({"evaluation_id": "never"}));

    assert_eq!(failure.error_type, ErrorType::EvaluationNotFound);
}

#[test]
fn a_1_0_client_waits_for_the_end() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let parameters = session.with(json!({"code": "(Delay forMilliseconds: 300) wait. 42"}));

    // No version: 1.0, and no wait_ms.
    let reply = client
        .exchange(&json!({"id": new_id("old"), "command": "evaluate", "parameters": parameters}));

    let job: <Evaluate as Command>::Result = read("evaluate", reply.outcome.expect("the end"));
    assert!(matches!(job, Job::Finished(evaluated) if evaluated.result == "42"));
}

#[test]
fn a_1_0_client_is_told_when_its_code_takes_too_long() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let parameters = session.with(json!({"code": "[true] whileTrue", "timeout_ms": 300}));

    let reply = client
        .exchange(&json!({"id": new_id("old"), "command": "evaluate", "parameters": parameters}));

    assert_eq!(
        reply.outcome.expect_err("a timeout").error_type,
        ErrorType::Timeout
    );
}

#[test]
fn sessions_run_beside_each_other_while_one_loops() {
    let image = Image::shared();
    let client = image.client();
    let (looping, other) = (client.session(), client.session());

    let id = looping.start("[true] whileTrue");

    assert!(client.ask::<Ping>(json!({})).evaluations_running >= 1);
    assert_eq!(other.value("3 + 4"), "7");
    assert_eq!(
        other.value("(1 to: 1000) inject: 0 into: [:a :b | a + b]"),
        "500500"
    );
    assert_eq!(
        client.ask::<EvaluationStatus>(json!({"evaluation_id": id})),
        Job::Running { evaluation_id: id }
    );
    looping.ask::<stui_protocol::image::Interrupt>(json!({}));
}

#[test]
fn a_busy_session_takes_no_second_evaluation() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let id = session.start("(Delay forSeconds: 1) wait. #first");

    let failure = session.refused::<Evaluate>(json!({"code": "#second"}));

    assert_eq!(failure.error_type, ErrorType::SessionBusy);
    assert_eq!(client.outcome_of(&id).expect("the first").result, "#first");
    assert_eq!(session.value("#second"), "#second");
}

#[test]
fn a_notification_that_nobody_wants_stops_nothing() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    assert_eq!(session.value("Notification signal: 'by the way'. 3"), "3");
}

#[test]
fn a_halt_is_an_error_to_whoever_has_no_debugger() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let failure = session.failure("Halt now. 3");

    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    assert_eq!(details(&failure).class, "Halt");
}

#[test]
fn code_that_ends_the_process_is_refused() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    for code in [
        "Smalltalk exitSuccess",
        "Smalltalk snapshot: false andQuit: true",
    ] {
        let failure = session.failure(code);
        // The page leaves open whether the image refuses the code or the code fails.
        let allowed = [
            ErrorType::EvaluationError,
            ErrorType::PermissionDenied,
            ErrorType::UnsupportedOperation,
        ];
        assert!(allowed.contains(&failure.error_type), "{code}: {failure:?}");
    }
    assert_eq!(session.value("3 + 4"), "7");
}

#[test]
fn a_parameter_that_is_missing_wrong_or_of_no_session_is_said_so() {
    let image = Image::shared();
    let client = image.client();

    let missing = client.refused::<Evaluate>(json!({}));
    let wrong = client.refused::<Evaluate>(json!({"code": 3}));
    let impossible = client.refused::<Evaluate>(json!({"code": "3", "wait_ms": -1}));
    let nowhere = client.refused::<Evaluate>(json!({"code": "3", "session_id": "none such"}));

    assert_eq!(missing.error_type, ErrorType::MissingParameter);
    assert_eq!(missing.details["parameter"], "code");
    assert_eq!(wrong.error_type, ErrorType::InvalidParameter);
    assert_eq!(impossible.error_type, ErrorType::InvalidParameter);
    assert_eq!(nowhere.error_type, ErrorType::SessionNotFound);
}
