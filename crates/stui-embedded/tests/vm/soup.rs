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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn token_soup_never_breaks_the_image(
        soup in prop::collection::vec(prop::sample::select(TOKENS), 1..25),
        debug in prop::bool::weighted(0.3),
    ) {
        thread_local! {
            static IMAGE: std::cell::RefCell<Option<Image>> = const { std::cell::RefCell::new(None) };
        }
        IMAGE.with_borrow_mut(|slot| {
            let mut image = slot.take().unwrap_or_else(|| {
                let mut image = Image::new();
                image.vm.stress_collector(Some(5000));
                image
            });
            stir(&mut image, &soup.join(" "), debug);
            *slot = Some(image);
        });
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
    image.vm.run_slice(Duration::from_millis(1));
    image.vm.take_events();
    assert_eq!(image.vm.state(process), ProcessState::Ended);
}
