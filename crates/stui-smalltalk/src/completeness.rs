//! Whether an input is finished: what a multi-line prompt asks after each line.

use crate::lexer::is_blank;
use crate::parser::{SyntaxError, parse_script};

/// What can be said about an input so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// It parses.
    Complete,
    /// More text can make it right: nothing is wrong up to its end.
    Incomplete,
    /// No text that follows can make it right.
    Wrong(SyntaxError),
}

/// Judges a do-it. It is incomplete when its first error stands beyond the text without the
/// blanks at its end.
#[must_use]
pub fn completeness(source: &str) -> Completeness {
    match parse_script(source) {
        Ok(_) => Completeness::Complete,
        Err(error) if error.offset >= source.trim_end_matches(is_blank).len() => {
            Completeness::Incomplete
        }
        Err(error) => Completeness::Wrong(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lexer::Lexer;
    use crate::source_samples;

    fn message(source: &str) -> Option<String> {
        match completeness(source) {
            Completeness::Wrong(error) => Some(error.message),
            _ => None,
        }
    }

    #[test]
    fn what_parses_is_complete() {
        for source in [
            "",
            "  \n",
            "\"only a comment\"",
            "3 + 4",
            "3 + 4.",
            "x foo; bar",
            "[ :a | a ]",
            "| a |",
            "^ x",
            "x",
            "#foo:",
            "'it''s'",
            "$ ",
            "a.\n\nb",
        ] {
            assert_eq!(completeness(source), Completeness::Complete, "{source}");
        }
    }

    #[test]
    fn what_lacks_its_end_is_incomplete() {
        for source in [
            "\"abc",
            "'it''s",
            "#(1 (2",
            "x foo:",
            "[ :a |",
            "| a b",
            "#[1",
            "$",
            "x := ",
            "^",
            "x foo;",
            "16r",
            "#",
            "3 + (4",
            "{ 1.",
            "3 +",
            "[ :a",
            "[ :",
            "x at: 1 put:",
            "#( $",
            "a foo: [ b bar: { ( c",
            "<foo",
            "<foo: 1",
            "#'x",
            "[ | t",
            "2r-",
            "x foo:\n\t\t\n",
        ] {
            assert_eq!(completeness(source), Completeness::Incomplete, "{source}");
        }
    }

    #[test]
    fn what_no_end_can_mend_is_wrong() {
        for source in [
            "a ] b",
            ") x",
            "x := := 3",
            "2r12",
            "3 4",
            "x;",
            "#[256",
            "(1. 2",
            "[ 3 )",
            "x → y",
            "self := 3",
            "1r",
            "| 3",
            "foo: 3",
            "1e99999",
            "[ :a b",
            "x \u{A0}",
        ] {
            assert!(message(source).is_some(), "{source}");
        }
    }

    #[test]
    fn a_lone_minus_is_wrong_because_a_line_end_parts_it_from_its_digits() {
        assert_eq!(
            message("-").as_deref(),
            Some("Variable or expression expected")
        );
        assert_eq!(
            message("-\n3").as_deref(),
            Some("Variable or expression expected")
        );
    }

    #[test]
    fn braces_after_a_hash_are_wrong() {
        assert_eq!(message("#{").as_deref(), Some("Literal expected"));
    }

    #[test]
    fn nesting_too_deep_is_wrong_however_it_goes_on() {
        let depth = crate::MAX_NESTING + 1;

        assert!(message(&"(".repeat(depth)).is_some());
    }

    proptest! {
        #[test]
        fn no_beginning_of_a_valid_source_is_wrong(source in source_samples::script()) {
            for token in Lexer::new(&source) {
                let beginning = &source[..token.span.end];
                prop_assert_eq!(message(beginning), None, "{}", beginning);
            }
            prop_assert_eq!(completeness(&source), Completeness::Complete);
        }

        #[test]
        fn more_text_never_mends_what_is_wrong(
            source in crate::lexer::tests::smalltalk_like(),
            rest in crate::lexer::tests::smalltalk_like(),
        ) {
            // A blank first: without it the last token itself may change. The place stays; the
            // words may not: what stands there is named by the token after it, which in `-: "`
            // is a comment without an end and in `-: "" Bar` a name.
            if let Completeness::Wrong(error) = completeness(&source) {
                match completeness(&format!("{source} {rest}")) {
                    Completeness::Wrong(longer) => prop_assert_eq!(longer.offset, error.offset),
                    other => prop_assert!(false, "mended: {other:?}"),
                }
            }
        }
    }
}
