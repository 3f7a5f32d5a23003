//! The collector: what is reachable stays, what is not goes.

use crate::cast::Image;

/// Code that touches much: blocks, exceptions, collections, strings, streams, large integers,
/// processes, class definitions, printing.
const MUCH: &[(&str, &str)] = &[
    (
        "((1 to: 50) collect: [ :i | i * i ]) inject: 0 into: [ :a :b | a + b ]",
        "42925",
    ),
    (
        "30 factorial printString",
        "'265252859812191058636308480000000'",
    ),
    (
        "(1 to: 5) asOrderedCollection printString",
        "'an OrderedCollection(1 2 3 4 5)'",
    ),
    (
        "[ [ 1/0 ] ensure: [ 3 printString ] ] on: ZeroDivide do: [ :e | e class printString , 'x' ]",
        "'ZeroDividex'",
    ),
    (
        "[ :a :b | [ :c | a , b , c ] value: 'c' ] value: 'a' value: 'b'",
        "'abc'",
    ),
    (
        "s := Semaphore new. [ x := (1 to: 20) asArray reversed. s signal ] fork. s wait. x first",
        "20",
    ),
    (
        "d := Dictionary new. 1 to: 40 do: [ :i | d at: i printString put: i ]. d at: '17'",
        "17",
    ),
    (
        "String streamContents: [ :w | 1 to: 9 do: [ :i | w print: i ] ]",
        "'123456789'",
    ),
    (
        "Object subclass: #Bird instanceVariableNames: 'egg' classVariableNames: 'All' package: 'T'",
        "Bird",
    ),
    (
        "Bird compile: 'egg ^ egg ifNil: [ egg := Object new ]'. b := Bird new. b egg == b egg",
        "true",
    ),
    ("thisContext sender printString", "'nil'"),
    (
        "[ 3 foo: 4 bar: 5 ] on: MessageNotUnderstood do: [ :e | e return: e message arguments ]",
        "#(4 5)",
    ),
    (
        "(3 perform: #between:and: with: 1 with: 5) printString asSymbol",
        "#true",
    ),
    (
        "| n | n := 0. [ n := n + 1. n < 4 ifTrue: [ Error signal ]. n ] on: Error do: [ :e | e retry ]",
        "4",
    ),
    (
        "('hello world' substrings collect: [ :each | each capitalized ]) last",
        "'World'",
    ),
    ("#(3 1 2) asSortedCollection asArray", "#(1 2 3)"),
];

#[test]
fn collecting_at_every_turn_changes_no_result() {
    let mut image = Image::new();
    image.vm.stress_collector(Some(10));

    for (code, expected) in MUCH {
        assert_eq!(image.eval(code), *expected, "{code}");
    }

    let collections = image.vm.heap_stats().collections;
    assert!(collections > 20, "{collections}");
}

#[test]
fn garbage_goes() {
    let mut image = Image::new();
    image.vm.collect_garbage();
    let before = image.vm.heap_stats().objects;

    image.eval("1 to: 10000 do: [ :i | Array new: 3. i printString asSymbol ]");
    image.vm.collect_garbage();

    let after = image.vm.heap_stats().objects;
    assert!(after < before + 1000, "{before} {after}");
}

#[test]
fn a_pinned_value_stays_until_it_is_unpinned() {
    let mut image = Image::new();
    let value = image.vm.new_string("kept");
    let pin = image.vm.pin(value);

    image.vm.collect_garbage();

    assert_eq!(
        image.vm.string_value(image.vm.pinned(pin)).as_deref(),
        Some("kept")
    );
    image.vm.unpin(pin);
    assert!(image.vm.pinned(pin).is_nil());
}

#[test]
fn compiled_code_that_has_not_run_yet_keeps_its_literals() {
    let mut image = Image::new();
    let code = image
        .vm
        .compile_expression(Some(image.workspace), "#(1 $a 'bcd' zork)")
        .unwrap();

    image.vm.collect_garbage();
    image.eval("1 to: 1000 do: [ :i | i printString ]");

    let process = image.vm.spawn(
        &code,
        stui_embedded::vm::SpawnOptions {
            print_limit: Some(100),
            ..Default::default()
        },
    );
    let outcome = format!("{:?}", image.end_of(process));
    assert!(outcome.contains("#(1 $a 'bcd' #zork)"), "{outcome}");
}

#[test]
fn a_variable_keeps_its_value_and_a_dropped_workspace_lets_it_go() {
    let mut image = Image::new();
    image.eval("big := Array new: 100000");
    image.vm.collect_garbage();
    let before = image.vm.heap_stats().bytes;

    image.vm.drop_workspace(image.workspace);
    image.vm.collect_garbage();

    assert!(image.vm.heap_stats().bytes + 1_000_000 < before);
}

#[test]
fn a_value_held_without_a_pin_is_no_danger_once_it_is_gone() {
    let mut image = Image::new();
    image.eval("big := Array new: 1000 withAll: 'x' copy. out := Object new");
    image.eval("1 to: 5000 do: [ :i | Object new ]. last := Object new. big := nil");
    let stale = image.variable("last");
    image.eval("last := nil");

    image.vm.collect_garbage();

    let time = std::time::Duration::from_millis(200);
    let _ = image.vm.print_string(stale, 100, time);
    let _ = image.vm.fields(stale, 0, 10);
    let _ = image.vm.dump(stale, 1000);
    image.vm.set_variable(image.workspace, "stale", stale);
    image.vm.collect_garbage();
    let process = image.start("stale foo");
    image.end_of(process);
    assert_eq!(image.eval("3 + 4"), "7");
}
