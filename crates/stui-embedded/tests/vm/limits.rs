//! Hunger ends with an error of the evaluation, never with the image.

use std::time::{Duration, Instant};

use stui_embedded::value::Value;
use stui_embedded::vm::{CallError, InterruptReason, Limits, Outcome};

use crate::cast::Image;

fn small() -> Image {
    Image::with_limits(Limits {
        heap_bytes: 32 << 20,
        ..Limits::default()
    })
}

#[test]
fn an_endless_recursion_is_an_error_with_a_stack() {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Deep instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &[
            "dig ^ self dig + 1",
            "block ^ [ self block ] value",
            "print ^ self printString",
            "printOn: aStream self print",
        ],
    );

    let report = image.failure("Deep new dig");
    assert_eq!(report.class, "RecursionTooDeep");
    assert!(report.stack.iter().any(|frame| frame.text == "Deep>>dig"));
    assert_eq!(image.failure("Deep new block").class, "RecursionTooDeep");
    assert_eq!(image.failure("Deep new").class, "RecursionTooDeep");
    let handled = "[ Deep new dig ] on: RecursionTooDeep do: [ :e | 3 ]";
    assert_eq!(image.eval(handled), "3");
    let in_ensure = "[ Deep new dig ] ensure: [ [ Deep new dig ] on: Error do: [ :e | x := 4 ] ]";
    assert_eq!(image.failure(in_ensure).class, "RecursionTooDeep");
    assert_eq!(image.eval("x"), "4");
}

#[test]
fn a_handler_that_digs_on_ends_with_the_error() {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Deep instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &["dig ^ [ self dig ] on: Error do: [ :e | self dig ]"],
    );

    let process = image.start("Deep new dig");
    image.run_for(Duration::from_millis(300));
    image
        .vm
        .abandon(process, stui_embedded::vm::InterruptReason::User);

    assert_eq!(image.eval("3 + 4"), "7");
}

#[test]
fn a_perform_that_performs_itself_is_an_endless_recursion() {
    let mut image = Image::new();
    let code = "a := Array new: 2. a at: 1 put: #perform:withArguments:; at: 2 put: a.
        3 perform: #perform:withArguments: withArguments: a";

    assert_eq!(image.failure(code).class, "RecursionTooDeep");
}

#[test]
fn memory_hunger_is_an_error_and_the_memory_comes_back() {
    let mut image = small();
    let hungry = [
        "| all | all := OrderedCollection new. [ all add: (Array new: 10000) ] repeat",
        "Array new: 1000000000000",
        "String new: 4611686018427387904",
        "| s | s := 'abc'. [ s := s , s ] repeat",
        "| a | a := nil. [ a := Array with: a ] repeat",
        "| d | d := Dictionary new. 1 to: 100000000 do: [ :i | d at: i put: i ]",
    ];
    for code in hungry {
        assert_eq!(image.failure(code).class, "OutOfMemory", "{code}");
    }

    image.vm.collect_garbage();

    assert!(image.vm.heap_stats().bytes < 16 << 20);
    assert_eq!(image.eval("(Array new: 1000) size"), "1000");
}

#[test]
fn memory_hunger_can_be_handled() {
    let mut image = small();
    let code = "[ | all | all := OrderedCollection new. [ all add: (Array new: 10000) ] repeat ]
        on: OutOfMemory do: [ :e | 3 ]";

    assert_eq!(image.eval(code), "3");
}

#[test]
fn who_keeps_on_eating_can_still_be_interrupted() {
    let mut image = small();
    let code = "all := OrderedCollection new.
        [ [ all add: (Array new: 10000) ] on: OutOfMemory do: [ :e | ] ] repeat";
    let process = image.start(code);
    image.run_for(Duration::from_millis(500));

    image.vm.interrupt(process, InterruptReason::User);

    assert!(matches!(image.end_of(process), Outcome::Interrupted { .. }));
    image.eval("all := nil");
    assert_eq!(image.eval("(Array new: 100000) size"), "100000");
}

#[test]
fn enormous_numbers_are_refused_in_a_moment() {
    let mut image = Image::new();
    let start = Instant::now();
    let enormous = [
        "2 raisedTo: 1000000000",
        "1 bitShift: 1000000000000",
        "(10 raisedTo: 200000) squared squared",
    ];
    for code in enormous {
        assert_eq!(image.failure(code).class, "OutOfMemory", "{code}");
    }
    assert_eq!(image.eval("(2 raisedTo: 100000) printString size"), "30103");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn too_many_processes_are_refused() {
    let mut image = Image::with_limits(Limits {
        processes: 50,
        ..Limits::default()
    });

    let report = image.failure("100 timesRepeat: [ [ Semaphore new wait ] fork ]");

    assert_eq!(report.message, "There are too many processes");
}

#[test]
fn a_call_that_takes_too_long_is_given_up() {
    let mut image = Image::new();
    image.eval("b := [ [ true ] whileTrue ]");
    let block = image.variable("b");

    let called = image
        .vm
        .call(block, "value", &[], Duration::from_millis(20));

    assert_eq!(called.err(), Some(CallError::TooLong));
    let failed = image
        .vm
        .call(Value::Int(3), "foo", &[], Duration::from_secs(20));
    assert!(matches!(failed, Err(CallError::Failed(_))));
    let printed = image.vm.print_string(block, 5, Duration::from_secs(20));
    assert!(printed.truncated);
    assert_eq!(printed.text.chars().count(), 5);
}

#[test]
fn a_boolean_that_never_comes_can_be_interrupted() {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Vague instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &["mustBeBoolean ^ self"],
    );
    let process = image.start("Vague new ifTrue: [ 3 ]");
    image.run_for(Duration::from_millis(20));

    image.vm.interrupt(process, InterruptReason::User);

    assert!(matches!(image.end_of(process), Outcome::Interrupted { .. }));
}

#[test]
fn source_that_nests_as_deep_as_it_may_is_compiled_and_run() {
    let mut image = Image::new();
    let deep = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };

    let sends = deep("", "3", " yourself", 900);
    assert_eq!(image.eval(&sends), "3");
    let blocks = deep("[ ", "3", " ] value", 190);
    assert_eq!(image.eval(&blocks), "3");
    let captured = deep("[ :a | ", "a", " ]", 190);
    assert!(image.eval(&captured).starts_with("[ :a | [ :a |"));
    let arrays = deep("#(", "3", ")", 190);
    assert!(image.eval(&arrays).starts_with("#(#(#("));
}
