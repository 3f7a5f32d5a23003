//! The parser and what stands on it: any text is parsed or refused, and what is answered fits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_smalltalk::{Completeness, ast, highlight, lexer::Lexer, span};
use stui_smalltalk::{completeness, parse_method, parse_pattern, parse_script};

#[path = "../../crates/stui-smalltalk/src/parser/tests/checker.rs"]
mod checker;

/// Every beginning is parsed, so longer ones take too long.
const LONGEST_SOURCE_WITH_BEGINNINGS: usize = 600;

fuzz_target!(|source: &str| {
    let joined: usize = Lexer::new(source).map(|token| token.span.len()).sum();
    assert_eq!(joined, source.len());
    script(source);
    method(source);
    colours(source);
});

fn script(source: &str) {
    let judged = completeness(source);
    match parse_script(source) {
        Ok(script) => {
            checker::check_script(source, &script);
            assert_eq!(judged, Completeness::Complete);
            no_beginning_is_wrong(source);
        }
        Err(error) => {
            assert!(source.is_char_boundary(error.offset));
            assert_ne!(judged, Completeness::Complete);
            assert!(error.position(source).character <= source.chars().count() + 1);
        }
    }
    // A blank first: without it the last token itself may change.
    if let Completeness::Wrong(error) = judged {
        assert_eq!(
            completeness(&format!("{source} )")),
            Completeness::Wrong(error)
        );
    }
}

fn no_beginning_is_wrong(source: &str) {
    if source.len() > LONGEST_SOURCE_WITH_BEGINNINGS {
        return;
    }
    for token in Lexer::new(source) {
        let beginning = &source[..token.span.end];
        assert!(
            !matches!(completeness(beginning), Completeness::Wrong(_)),
            "{beginning:?}"
        );
    }
}

fn method(source: &str) {
    if let Ok(method) = parse_method(source) {
        checker::check_method(source, &method);
        assert_eq!(parse_pattern(source).as_ref(), Ok(&method.selector));
    }
}

fn colours(source: &str) {
    let mut at = 0;
    for (span, _) in highlight(source) {
        assert!(at <= span.start && span.start < span.end && span.end <= source.len());
        at = span.end;
    }
}
