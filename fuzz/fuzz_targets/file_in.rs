//! The text of a `file_in`, as the embedded image reads it: all of it is parsed, or what is wrong
//! stands in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_embedded::{FiledIn, file_in};
use stui_smalltalk::{parse_method, parse_script};

fuzz_target!(|text: &str| {
    match file_in(text) {
        Ok(steps) => steps.iter().for_each(parsed),
        Err(failure) => {
            assert!(!failure.error.is_empty());
            if let Some(error) = failure.syntax_error() {
                assert!(error.position >= 1 && error.position <= text.chars().count() + 1);
                // A line of Smalltalk ends with CR, LF or both.
                assert!(error.line >= 1 && error.line <= text.matches(['\r', '\n']).count() + 1);
            }
        }
    }
});

fn parsed(step: &FiledIn) {
    match step {
        FiledIn::Expression(source) => assert!(parse_script(source).is_ok()),
        FiledIn::Method(class, source) => {
            assert!(!class.is_empty() && parse_method(source).is_ok());
        }
        FiledIn::Class(name) | FiledIn::Comment(name) => assert!(!name.is_empty()),
    }
}
