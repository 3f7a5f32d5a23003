//! Exceptions beyond the table of expressions: order of unwinding, reports, stacks.

use crate::cast::{Image, stack_of};

#[test]
fn a_division_by_zero_is_reported_with_the_stack_that_pharo_shows() {
    let mut image = Image::new();

    let report = image.failure("1/0");

    assert_eq!(
        (report.class.as_str(), report.receiver.as_str()),
        ("ZeroDivide", "1")
    );
    let stack = stack_of(&report);
    assert!(stack[0].ends_with(">>/"), "{stack:?}");
    assert_eq!(*stack.last().unwrap(), "UndefinedObject>>DoIt");
}

#[test]
fn a_message_not_understood_names_it_in_the_stack() {
    let mut image = Image::new();

    let report = image.failure("#(1) do: [ :each | each foo: 3 ]");

    assert_eq!(
        stack_of(&report),
        [
            "SmallInteger(Object)>>doesNotUnderstand: #foo:",
            "[ ... ] in UndefinedObject>>DoIt",
            "Array(SequenceableCollection)>>do:",
            "UndefinedObject>>DoIt",
        ]
    );
    assert_eq!(report.receiver, "1");
}

#[test]
fn the_lines_of_the_stack_are_those_of_the_source() {
    let mut image = Image::new();

    let report = image.failure("| x |\nx := 3.\nx\n  foo");

    let lines: Vec<_> = report.stack.iter().map(|frame| frame.line).collect();
    assert_eq!(lines.last(), Some(&3));
}

#[test]
fn ensure_blocks_run_from_the_inside_out_and_after_the_handler() {
    let mut image = Image::new();
    image.eval("log := OrderedCollection new");

    image.eval(
        "[ [ [ 1/0 ] ensure: [ log add: #inner ] ] ensure: [ log add: #outer ] ]
            on: ZeroDivide do: [ :e | log add: #handler ]",
    );

    assert_eq!(image.eval("log asArray"), "#(#handler #inner #outer)");
}

#[test]
fn an_unhandled_error_still_runs_the_ensure_blocks() {
    let mut image = Image::new();

    let report = image.failure("[ nil foo ] ensure: [ after := 1 ]");

    assert_eq!(report.class, "MessageNotUnderstood");
    assert_eq!(image.eval("after"), "1");
}

#[test]
fn an_error_in_an_ensure_block_keeps_the_first_report_and_the_outer_ensure_blocks() {
    let mut image = Image::new();

    let report = image.failure("[ [ 1/0 ] ensure: [ nil foo ] ] ensure: [ after := 2 ]");

    assert_eq!(report.class, "ZeroDivide");
    assert_eq!(image.eval("after"), "2");
}

#[test]
fn a_non_local_return_from_an_ensure_block_wins_over_an_unwinding() {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Door instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &["leave [ ^ 1 ] ensure: [ ^ 2 ]"],
    );

    assert_eq!(image.eval("Door new leave"), "2");
}

#[test]
fn a_block_whose_method_has_returned_cannot_return_again() {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Door instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &["key ^ [ :x | ^ x ]"],
    );

    assert_eq!(
        image.failure("Door new key value: 3").class,
        "BlockCannotReturn"
    );
    let kept = "[ Door new key value: 3 ] on: BlockCannotReturn do: [ :e | e result ]";
    assert_eq!(image.eval(kept), "3");
}

#[test]
fn a_failing_text_or_print_does_not_spoil_the_report() {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Mute instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &["printOn: aStream ^ self foo", "fail ^ Error new signal: 3"],
    );

    assert_eq!(image.failure("Mute new fail").message, "3");
    assert_eq!(image.failure("Mute new fail").receiver, "a Mute");
    assert_eq!(image.failure("Mute new").class, "MessageNotUnderstood");
}

#[test]
fn a_handler_selects_with_handles() {
    let mut image = Image::new();
    image.define(
        "Error subclass: #Odd instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &[],
    );

    assert_eq!(
        image
            .failure("[ Odd signal ] on: Error - Odd do: [ :e | 3 ]")
            .class,
        "Odd"
    );
    assert_eq!(image.eval("[ 1/0 ] on: Error - Odd do: [ :e | 3 ]"), "3");
    assert_eq!(
        image.eval("[ Odd signal: 'x' ] on: Odd do: [ :e | e messageText ]"),
        "'x'"
    );
}

#[test]
fn a_handler_runs_while_the_signal_waits() {
    let mut image = Image::new();
    let code = "log := OrderedCollection new.
        [ log add: 1. log add: (Notification signal: 'a'). log add: 3 ]
            on: Notification do: [ :e | e resume: 2 ].
        log asArray";

    assert_eq!(image.eval(code), "#(1 2 3)");
}

#[test]
fn resuming_an_error_is_refused() {
    let mut image = Image::new();

    let report = image.failure("[ Error signal ] on: Error do: [ :e | e resume: 1 ]");

    assert_eq!(report.class, "IllegalResumeAttempt");
}

#[test]
fn the_signaler_context_names_who_signalled() {
    let mut image = Image::new();
    let code =
        "[ 3 error: 'x' ] on: Error do: [ :e | e signalerContext printString -> e signaler ]";

    assert_eq!(image.eval(code), "'SmallInteger(Object)>>error:'->3");
}

#[test]
fn an_unhandled_warning_goes_on() {
    let mut image = Image::new();

    assert_eq!(image.eval("Warning signal: 'careful'. 3"), "3");
    assert_eq!(image.output, "Warning: careful\n");
}

#[test]
fn ensure_answers_the_value_of_its_receiver() {
    let mut image = Image::new();

    assert_eq!(image.eval("[ 3 ] ensure: [ 4 ]"), "3");
    assert_eq!(image.eval("[ 3 ] ifCurtailed: [ 4 ]"), "3");
}
