//! What is typed: whether it is finished, and its colours.

use std::sync::{Arc, Mutex, PoisonError};

use nu_ansi_term::Style;
use reedline::{Highlighter, StyledText, ValidationResult, Validator};
use stui_smalltalk::{Completeness, completeness};

use super::above::Painted;
use crate::render::source::pieces;

/// Enter ends the input when it is complete, or wrong in a way that more text cannot mend; else it
/// begins a new line.
pub(super) struct CodeValidator;

impl Validator for CodeValidator {
    fn validate(&self, line: &str) -> ValidationResult {
        if line.trim().is_empty() || line.trim_start().starts_with(':') {
            return ValidationResult::Complete;
        }
        match completeness(line) {
            Completeness::Incomplete => ValidationResult::Incomplete,
            Completeness::Complete | Completeness::Wrong(_) => ValidationResult::Complete,
        }
    }
}

/// Colours code while it is typed; of a command to `stui` only what follows its name.
pub(super) struct CodeHighlighter {
    /// Where it leaves what is painted.
    pub(super) painted: Arc<Mutex<Painted>>,
}

impl Highlighter for CodeHighlighter {
    fn highlight(&self, line: &str, cursor: usize) -> StyledText {
        *self.painted.lock().unwrap_or_else(PoisonError::into_inner) = Painted {
            text: line.to_owned(),
            cursor,
        };
        let code = if line.starts_with(':') {
            line.find(' ').unwrap_or(line.len())
        } else {
            0
        };
        let (command, code) = line.split_at(code);
        let mut text = StyledText::new();
        if !command.is_empty() {
            text.push((Style::new().bold(), command.to_owned()));
        }
        for (style, piece) in pieces(code) {
            text.push((style, piece.to_owned()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_ends_what_is_complete_or_cannot_be_mended() {
        let ends = |line: &str| matches!(CodeValidator.validate(line), ValidationResult::Complete);
        for line in [
            "3 + 4",
            "",
            "  ",
            "x := 3.",
            ":inspect (3",
            "3 + ]",
            "a b: 1; c",
        ] {
            assert!(ends(line), "{line}");
        }
        for line in [
            "3 +",
            "#(1 2",
            "[ :x | x",
            "'a",
            "x := ",
            "\"comment",
            "{ 1. 2",
        ] {
            assert!(!ends(line), "{line}");
        }
    }
}
