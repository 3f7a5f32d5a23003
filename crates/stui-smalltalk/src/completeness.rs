//! Whether an input is finished: what a multi-line prompt asks after each line.

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
        Err(error) if error.offset >= source.trim_end().len() => Completeness::Incomplete,
        Err(error) => Completeness::Wrong(error),
    }
}
