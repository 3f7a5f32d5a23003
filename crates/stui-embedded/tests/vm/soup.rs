//! Random token soup: whatever compiles is run for a moment. Nothing may panic, and the image
//! must work afterwards.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use stui_embedded::vm::{InterruptReason, OnError, ProcessState, SpawnOptions, Step};

use crate::cast::{Image, TAG};

const TOKENS: &[&str] = &[
    "x",
    "y",
    "self",
    "super",
    "nil",
    "true",
    "false",
    "thisContext",
    "3",
    "-1",
    "0",
    "2.5",
    "1000000000000000000000",
    "'abc'",
    "#foo",
    "#+",
    "$a",
    "#(1 2)",
    "{",
    "}",
    "[",
    "]",
    "[:a|",
    "[:a :b|",
    "(",
    ")",
    ".",
    ";",
    "^",
    ":=",
    "|t|",
    "+",
    "-",
    "*",
    "/",
    "//",
    "<",
    "=",
    "==",
    ",",
    "->",
    "@",
    "value",
    "value:",
    "printString",
    "size",
    "at:",
    "put:",
    "new",
    "new:",
    "class",
    "ifTrue:",
    "ifFalse:",
    "whileTrue:",
    "timesRepeat:",
    "to:",
    "do:",
    "on:",
    "ensure:",
    "ifCurtailed:",
    "signal",
    "retry",
    "return:",
    "resume:",
    "pass",
    "fork",
    "terminate",
    "suspend",
    "resume",
    "wait",
    "perform:",
    "with:",
    "withArguments:",
    "Object",
    "Array",
    "Error",
    "ZeroDivide",
    "Exception",
    "String",
    "OrderedCollection",
    "Dictionary",
    "Processor",
    "activeProcess",
    "Semaphore",
    "Smalltalk",
    "instVarAt:",
    "basicNew",
    "basicNew:",
    "become:",
    "copy",
    "subclass:",
    "compile:",
    "superclass",
    "selectors",
    "sender",
    "cannotReturn:",
    "numArgs",
    "valueWithArguments:",
    "doesNotUnderstand:",
    "repeat",
    "yourself",
    "name",
    "hash",
];

/// Code that always parses: what it sends to what is left to chance.
fn expression() -> impl Strategy<Value = String> {
    let atoms = prop::sample::select(ATOMS).prop_map(str::to_owned);
    atoms.prop_recursive(5, 40, 3, |inner| {
        let unary = prop::sample::select(UNARY);
        let binary = prop::sample::select(BINARY);
        let keyword = prop::sample::select(KEYWORD);
        prop_oneof![
            (inner.clone(), unary).prop_map(|(a, m)| format!("({a} {m})")),
            (inner.clone(), binary, inner.clone()).prop_map(|(a, m, b)| format!("({a} {m} {b})")),
            (inner.clone(), keyword, inner.clone()).prop_map(|(a, m, b)| format!("({a} {m} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[ {a}. {b} ]")),
            inner
                .clone()
                .prop_map(|a| format!("[ :e | | t | t := {a}. [ t ] value. e ]")),
            inner.clone().prop_map(|a| format!("[ ^ {a} ]")),
            inner.clone().prop_map(|a| format!("(x := {a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ {a}. {b} }}")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} on: {b} do: {c})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("([ {a} ] ensure: [ {b} ])")),
        ]
    })
}

const ATOMS: &[&str] = &[
    "x",
    "self",
    "nil",
    "true",
    "false",
    "thisContext",
    "thisProcess",
    "3",
    "-1",
    "2.5",
    "'abc'",
    "#foo",
    "$a",
    "#(1 2)",
    "(1 bitShift: 80)",
    "Object",
    "Array",
    "Error",
    "ZeroDivide",
    "Halt",
    "Exception",
    "Notification",
    "Processor",
    "Semaphore",
    "Smalltalk",
    "Transcript",
    "Object class",
    "[ :e | e retry ]",
    "[ :e | e return: 1 ]",
    "[ :e | e resume: 1 ]",
    "[ :e | e pass ]",
    "[ :e | e outer ]",
    "[ :e | e signal ]",
    "[ :e | e signalerContext ]",
    "[ :a :b | a ]",
];

const UNARY: &[&str] = &[
    "value",
    "printString",
    "size",
    "new",
    "class",
    "signal",
    "fork",
    "terminate",
    "suspend",
    "resume",
    "wait",
    "copy",
    "superclass",
    "selectors",
    "sender",
    "numArgs",
    "yourself",
    "hash",
    "newProcess",
    "activeProcess",
    "yield",
    "basicNew",
    "retry",
    "pass",
    "return",
    "whileTrue",
    "repeat",
    "name",
    "instVarNames",
    "allInstances",
    "asString",
    "negated",
    "first",
    "reversed",
    "mustBeBoolean",
    "halt",
    "compiler",
    "garbageCollect",
    "stack",
    "method",
];

const BINARY: &[&str] = &[
    "+", "-", "*", "/", "//", "<", "=", "==", ",", "->", "@", "&", "bitAnd:",
];

const KEYWORD: &[&str] = &[
    "ifTrue:",
    "ifFalse:",
    "and:",
    "or:",
    "whileTrue:",
    "timesRepeat:",
    "ensure:",
    "ifCurtailed:",
    "value:",
    "perform:",
    "at:",
    "new:",
    "basicNew:",
    "instVarAt:",
    "signal:",
    "return:",
    "resume:",
    "retryUsing:",
    "cull:",
    "do:",
    "collect:",
    "valueWithArguments:",
    "subclass:",
    "compile:",
    "signalException:",
    "critical:",
    "doesNotUnderstand:",
    "isKindOf:",
    "show:",
    "cannotReturn:",
    "respondsTo:",
    "evaluate:",
    "waitTimeoutMilliseconds:",
    "<<",
    "ifNil:",
    "ifNotNil:",
    "printOn:",
    "handles:",
];

thread_local! {
    /// One image for all cases: what one leaves behind is there for the next.
    static IMAGE: std::cell::RefCell<Option<Image>> = const { std::cell::RefCell::new(None) };
}

fn stir_in_shared_image(source: &str, debug: bool) {
    IMAGE.with_borrow_mut(|slot| {
        let mut image = slot.take().unwrap_or_else(|| {
            let mut image = Image::new();
            image.vm.stress_collector(Some(5000));
            image
        });
        stir(&mut image, source, debug);
        *slot = Some(image);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn token_soup_never_breaks_the_image(
        soup in prop::collection::vec(prop::sample::select(TOKENS), 1..25),
        debug in prop::bool::weighted(0.3),
    ) {
        stir_in_shared_image(&soup.join(" "), debug);
    }

    #[test]
    fn senseless_code_never_breaks_the_image(
        statements in prop::collection::vec(expression(), 1..4),
        debug in prop::bool::weighted(0.3),
    ) {
        stir_in_shared_image(&statements.join(". "), debug);
    }
}

fn stir(image: &mut Image, source: &str, debug: bool) {
    let Ok(code) = image.vm.compile_expression(Some(image.workspace), source) else {
        return;
    };
    let on_error = if debug {
        OnError::Debug
    } else {
        OnError::Return
    };
    let options = SpawnOptions {
        evaluation: TAG,
        name: String::new(),
        print_limit: Some(100),
        on_error,
    };
    let process = image.vm.spawn(&code, options);
    let end = Instant::now() + Duration::from_millis(4);
    while Instant::now() < end && image.vm.state(process) != ProcessState::Ended {
        image.vm.run_slice(Duration::from_millis(1));
        let _ = image.vm.stack(process, 20);
        let _ = image.vm.step(process, Step::Into);
    }
    image.vm.interrupt(process, InterruptReason::User);
    image.vm.run_slice(Duration::from_millis(1));
    image.vm.abandon(process, InterruptReason::User);
    image.vm.end_children(TAG);
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end && image.vm.state(process) != ProcessState::Ended {
        image.vm.run_slice(Duration::from_millis(1));
    }
    image.vm.take_events();
    assert_eq!(image.vm.state(process), ProcessState::Ended);
}
