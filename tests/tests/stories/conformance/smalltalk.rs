//! The Smalltalk itself: what code answers, printed as Pharo prints it.

use stui_protocol::error::EvaluationErrorDetails;
use stui_tests::Image;

use super::{compile, new_class};

/// Evaluates each code in a session of its own image; all wrong ones are told together.
fn all_print(table: &[(&str, &str)]) {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let wrong: Vec<_> = table
        .iter()
        .filter_map(|(code, expected)| match session.evaluate(code) {
            Ok(evaluated) if evaluated.result == *expected => None,
            Ok(evaluated) => Some(format!(
                "{code}\n    printed  {}\n    not      {expected}",
                evaluated.result
            )),
            Err(failure) => Some(format!(
                "{code}\n    failed   {failure}\n    not      {expected}"
            )),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_are_exact_and_of_any_size() {
    all_print(&[
        ("100 factorial / 98 factorial", "9900"),
        ("2 raisedTo: 100", "1267650600228229401496703205376"),
        ("(1/3) + (2/3)", "1"),
        ("1/2", "(1/2)"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("-7 \\\\ 2", "1"),
        ("-7 quo: 2", "-3"),
        ("-7 rem: 2", "-1"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("3.0e10", "3.0e10"),
        ("1.0e100", "1.0e100"),
        ("2 sqrt", "1.4142135623730951"),
        ("16r1F", "31"),
        ("255 printStringBase: 16", "'FF'"),
        ("1073741823 + 1", "1073741824"),
        ("(2 raisedTo: 64) - 1 bitAnd: 255", "255"),
        ("3 max: 7", "7"),
        ("12 gcd: 18", "6"),
        ("3 between: 1 and: 5", "true"),
        ("17 isPrime", "true"),
        ("3.7 rounded", "4"),
        ("3.7 truncated", "3"),
        ("1 = 1.0", "true"),
        ("(1/2) asFloat", "0.5"),
        ("'42' asNumber + 1", "43"),
        ("5 even", "false"),
        ("10 printString size", "2"),
        ("30 factorial printString size", "33"),
        ("1e3", "1000"),
        ("-5 abs", "5"),
        ("Float nan = Float nan", "false"),
    ]);
}

#[test]
fn text_is_characters_strings_and_symbols() {
    all_print(&[
        ("'it''s'", "'it''s'"),
        ("$a", "$a"),
        ("$a asInteger", "97"),
        ("#foo", "#foo"),
        ("#foo:bar:", "#foo:bar:"),
        ("#'with space'", "#'with space'"),
        ("#+", "#+"),
        ("'hello' reversed", "'olleh'"),
        ("'hello' asUppercase", "'HELLO'"),
        ("'hello' , ' ' , 'world'", "'hello world'"),
        ("'hello' size", "5"),
        ("'hello' asSymbol == #hello", "true"),
        ("'hello' first", "$h"),
        ("'a,b,c' substrings: ','", "#('a' 'b' 'c')"),
        ("'hello world' indexOf: $o", "5"),
        ("'hello' includesSubstring: 'ell'", "true"),
        ("'hello' copyReplaceAll: 'l' with: 'L'", "'heLLo'"),
        ("'hello' occurrencesOf: $l", "2"),
        ("'abc' < 'abd'", "true"),
        ("'hello' copyFrom: 2 to: 4", "'ell'"),
        ("'grüße' size", "5"),
        ("'  trim ' trimBoth", "'trim'"),
        ("'one two' asUppercase asSymbol", "#'ONE TWO'"),
        ("String new", "''"),
        ("3 printString , 'x'", "'3x'"),
        ("'hello' beginsWith: 'he'", "true"),
        ("'abc' asArray", "#($a $b $c)"),
    ]);
}

#[test]
fn collections_hold_and_answer() {
    all_print(&[
        ("#(1 $a 'b' #c nil true)", "#(1 $a 'b' #c nil true)"),
        ("#[1 2 3]", "#[1 2 3]"),
        ("{ 1 + 1. 'x' }", "#(2 'x')"),
        ("(1 to: 5)", "(1 to: 5)"),
        ("(1 to: 5) asArray", "#(1 2 3 4 5)"),
        (
            "(1 to: 10 by: 3) asOrderedCollection",
            "an OrderedCollection(1 4 7 10)",
        ),
        ("#(3 1 2) asSortedCollection asArray", "#(1 2 3)"),
        ("#(3 1 2) sorted", "#(1 2 3)"),
        ("#(3 1 2) sorted: [:a :b | a > b]", "#(3 2 1)"),
        ("#(1 2 3) collect: [:n | n * n]", "#(1 4 9)"),
        ("#(1 2 3 4) select: [:n | n even]", "#(2 4)"),
        ("#(1 2 3 4) reject: [:n | n even]", "#(1 3)"),
        ("#(1 2 3) inject: 0 into: [:a :b | a + b]", "6"),
        ("#(1 2 3) detect: [:n | n > 5] ifNone: ['none']", "'none'"),
        ("(1 to: 3) do: [:n | n] separatedBy: []", "(1 to: 3)"),
        ("#(1 2 3) reverse", "#(3 2 1)"),
        ("#(1 2) , #(3)", "#(1 2 3)"),
        (
            "#(1 2 3) with: #(4 5 6) collect: [:a :b | a * b]",
            "#(4 10 18)",
        ),
        (
            "OrderedCollection new add: 1; add: 2; addFirst: 0; yourself",
            "an OrderedCollection(0 1 2)",
        ),
        (
            "(OrderedCollection withAll: #(1 2 3)) removeFirst; yourself",
            "an OrderedCollection(2 3)",
        ),
        ("(Set withAll: #(1 1 2)) size", "2"),
        ("(Bag withAll: #(1 1 2)) occurrencesOf: 1", "2"),
        (
            "(Dictionary new) at: #a put: 1; yourself",
            "a Dictionary(#a->1 )",
        ),
        ("(Dictionary new) at: #a ifAbsent: [3]", "3"),
        (
            "(Dictionary newFromPairs: #(a 1 b 2)) keys sorted",
            "#(#a #b)",
        ),
        ("1 -> 2", "1->2"),
        ("3 @ 4 + 1", "(4@5)"),
        ("(3 @ 4) x", "3"),
        ("#(1 2 3) anySatisfy: [:n | n > 2]", "true"),
        ("#() isEmpty", "true"),
        ("#(1 2 3) second", "2"),
        ("#(5 3 9) max", "9"),
        ("#(1 2 3) includes: 2", "true"),
        ("(Array new: 2)", "#(nil nil)"),
        ("#(1 2 3) allButFirst", "#(2 3)"),
        ("#(#a #b) asBag size", "2"),
    ]);
}

#[test]
fn streams_read_and_write() {
    all_print(&[
        (
            "| s | s := WriteStream on: String new. s nextPutAll: 'ab'; nextPut: $c; print: 3. s contents",
            "'abc3'",
        ),
        (
            "String streamContents: [:s | #(1 2) do: [:n | s print: n] separatedBy: [s nextPut: $,]]",
            "'1,2'",
        ),
        (
            "| s | s := ReadStream on: #(1 2 3). s next. s upToEnd",
            "#(2 3)",
        ),
        ("('a b' readStream) upTo: $ ", "'a'"),
        ("| s | s := 'abc' readStream. s skip: 1. s peek", "$b"),
        ("('abc' readStream) next; next; next; atEnd", "true"),
    ]);
}

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
fn time_passes_and_chance_is_within_its_bounds() {
    all_print(&[
        ("(Duration seconds: 90) printString", "'0:00:01:30'"),
        ("3 seconds + 2 minutes = 123 seconds", "true"),
        (
            "(Date year: 2024 month: 2 day: 29) dayOfWeekName",
            "#Thursday",
        ),
        (
            "((Date year: 2024 month: 3 day: 1) subtractDays: 1) dayOfMonth",
            "29",
        ),
        ("(Time hour: 13 minute: 5 second: 9) hour", "13"),
        ("DateAndTime now <= DateAndTime now", "true"),
        (
            "[(Delay forMilliseconds: 30) wait] timeToRun asMilliSeconds >= 25",
            "true",
        ),
        (
            "| r | r := Random new. (1 to: 100) allSatisfy: [:n | (r nextInteger: 6) between: 1 and: 6]",
            "true",
        ),
        ("#(1 2 3) includes: #(1 2 3) atRandom", "true"),
    ]);
}

#[test]
fn processes_wait_for_each_other() {
    all_print(&[
        (
            "| s n | s := Semaphore new. n := 0. [n := 5. s signal] fork. s wait. n",
            "5",
        ),
        ("| m | m := Mutex new. m critical: [m critical: [3]]", "3"),
        (
            "| s | s := Semaphore new. [(Delay forMilliseconds: 20) wait. s signal] fork. s wait. #done",
            "#done",
        ),
    ]);
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
