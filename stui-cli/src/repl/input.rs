//! What is typed: whether it is finished, and its colours.

use nu_ansi_term::Style;
use reedline::{Highlighter, StyledText, ValidationResult, Validator};
use stui_smalltalk::{Completeness, completeness};

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

/// Colours code while it is typed.
pub(super) struct CodeHighlighter;

impl Highlighter for CodeHighlighter {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let mut text = StyledText::new();
        text.push((Style::new(), line.to_owned()));
        text
    }
}
