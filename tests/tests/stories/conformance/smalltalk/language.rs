//! The language: blocks, exceptions, classes, returns, messages that nobody understands.

use stui_protocol::error::EvaluationErrorDetails;
use stui_tests::Image;

use super::super::{compile, new_class};
use super::all_print;

#[test]
fn control_flow_is_messages_to_blocks_and_booleans() {
    all_print(&[
        ("3 > 2 ifTrue: ['yes'] ifFalse: ['no']", "'yes'"),
        ("nil ifNil: [7]", "7"),
        ("3 ifNotNil: [:n | n + 1]", "4"),
        ("| n | n := 0. [n < 10] whileTrue: [n := n + 3]. n", "12"),
        ("| n | n := 0. 1 to: 10 do: [:i | n := n + i]. n", "55"),
        (
            "| n | n := 0. 10 to: 1 by: -2 do: [:i | n := n + i]. n",
            "30",
        ),
        ("| n | n := 1. 5 timesRepeat: [n := n * 2]. n", "32"),
        ("[:a :b | a + b] value: 3 value: 4", "7"),
        ("[:a | a] numArgs", "1"),
        ("[:a :b | a - b] valueWithArguments: #(9 4)", "5"),
        ("true and: [false]", "false"),
        ("false or: [3 = 3]", "true"),
        ("3 perform: #+ with: 4", "7"),
        ("3 perform: #between:and: with: 1 with: 5", "true"),
        ("#(1 2 3) detectMax: [:n | n \\\\ 3]", "2"),
        (
            "| b | b := [:n | n < 2 ifTrue: [1] ifFalse: [n * (b value: n - 1)]]. b value: 20",
            "2432902008176640000",
        ),
    ]);
}

#[test]
fn exceptions_are_caught_returned_from_retried_resumed_and_passed_on() {
    all_print(&[
        ("[1/0] on: ZeroDivide do: [:e | 'caught']", "'caught'"),
        ("[1/0. 5] on: ZeroDivide do: [:e | e return: 7]", "7"),
        (
            "[(Warning signal: 'w') + 1] on: Warning do: [:e | e resume: 41]",
            "42",
        ),
        (
            "| n | n := 0. [n := n + 1. n < 3 ifTrue: [1/0]. n] on: ZeroDivide do: [:e | e retry]",
            "3",
        ),
        (
            "[[1/0] on: ZeroDivide do: [:e | e pass]] on: Error do: [:e | e class]",
            "ZeroDivide",
        ),
        (
            "[[1/0] on: ZeroDivide do: [:e | e signal]] on: Error do: [:e | 'outer']",
            "'outer'",
        ),
        (
            "[Error signal: 'message'] on: Error do: [:e | e messageText]",
            "'message'",
        ),
        (
            "[nil foo] on: MessageNotUnderstood do: [:e | e message selector]",
            "#foo",
        ),
        ("[#() first] on: Error do: [:e | 'empty']", "'empty'"),
        (
            "[Dictionary new at: #x] on: KeyNotFound do: [:e | e key]",
            "#x",
        ),
        (
            "[#(1 2) at: 5] on: SubscriptOutOfBounds do: [:e | 'out']",
            "'out'",
        ),
        (
            "[1/0] on: ZeroDivide, MessageNotUnderstood do: [:e | 'either']",
            "'either'",
        ),
        (
            "[Error new signal: 'x'. 3] on: Error do: [:e | e retryUsing: [9]]",
            "9",
        ),
        (
            "| a | a := OrderedCollection new. [[a add: 1. 1/0] ifCurtailed: [a add: 2]] on: ZeroDivide do: [:e | a add: 3]. a",
            "an OrderedCollection(1 3 2)",
        ),
        ("[Notification signal: 'n'. 3] value", "3"),
    ]);
}

#[test]
fn ensure_blocks_run_when_an_error_ends_the_evaluation() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    session.failure("[a := 1. 1/0] ensure: [a := 2]");

    assert_eq!(session.value("a"), "2");
}

#[test]
fn classes_inherit_override_and_send_to_super() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let animal = new_class(
        &session,
        "name",
        &["name ^ name", "name: n name := n", "speak ^ 'I am ' , name"],
    );
    session.value(&format!(
        "{animal} subclass: #{animal}Dog instanceVariableNames: '' classVariableNames: '' package: 'StuiStories'"
    ));
    compile(
        &session,
        &format!("{animal}Dog"),
        "speak ^ super speak , ', woof'",
    );

    assert_eq!(
        session.value(&format!("({animal}Dog new name: 'Rex'; yourself) speak")),
        "'I am Rex, woof'"
    );
    assert_eq!(session.value(&format!("{animal}Dog superclass")), animal);
    assert_eq!(
        session.value(&format!("{animal}Dog new isKindOf: {animal}")),
        "true"
    );
    assert_eq!(
        session.value(&format!("{animal}Dog new respondsTo: #name:")),
        "true"
    );
    assert_eq!(
        session.value(&format!("{animal}Dog selectors asArray")),
        "#(#speak)"
    );
    assert_eq!(
        session.value(&format!("({animal} >> #name) selector")),
        "#name"
    );
    assert_eq!(session.value(&format!("{animal} instVarNames size")), "1");
}

#[test]
fn a_block_returns_from_the_method_that_made_it() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(
        &session,
        "",
        &[
            "find: n in: all all do: [:each | each = n ifTrue: [^ 'found']]. ^ 'none'",
            "block ^ [^ 3]",
        ],
    );

    assert_eq!(
        session.value(&format!("{class} new find: 2 in: #(1 2 3)")),
        "'found'"
    );
    assert_eq!(
        session.value(&format!("{class} new find: 9 in: #(1 2 3)")),
        "'none'"
    );
    let failure = session.failure(&format!("{class} new block value"));
    let details: EvaluationErrorDetails = failure.details_as().expect("details");
    assert_eq!(details.class, "BlockCannotReturn");
}

#[test]
fn an_object_may_understand_what_it_has_no_method_for() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(
        &session,
        "",
        &["doesNotUnderstand: aMessage ^ aMessage selector -> aMessage arguments"],
    );

    assert_eq!(
        session.value(&format!("{class} new frob: 1 nicate: 2")),
        "#frob:nicate:->#(1 2)"
    );
}

#[test]
fn reflection_tells_about_objects_and_classes() {
    all_print(&[
        ("3 class", "SmallInteger"),
        ("3 class class", "SmallInteger class"),
        ("(2 raisedTo: 100) class", "LargePositiveInteger"),
        ("nil class", "UndefinedObject"),
        ("Object new", "an Object"),
        ("OrderedCollection superclass", "SequenceableCollection"),
        ("OrderedCollection inheritsFrom: Collection", "true"),
        ("3 respondsTo: #foo", "false"),
        ("3 isNumber", "true"),
        ("(3 @ 4) instVarNamed: 'x'", "3"),
        ("(OrderedCollection canUnderstand: #add:)", "true"),
        ("OrderedCollection includesSelector: #printString", "false"),
        ("Smalltalk at: #Object", "Object"),
        ("Object name", "#Object"),
    ]);
}
