//! `check_syntax`. Nothing is compiled: names are not looked up.

use stui_protocol::image::{CheckSyntax, CheckSyntaxResult, Syntax, SyntaxErrorDetails};
use stui_smalltalk::{Completeness, SyntaxError, completeness};

use super::{Done, answer};

/// `check_syntax`.
pub(super) fn run(command: CheckSyntax) -> Done {
    let (syntax, error) = match completeness(&command.source) {
        Completeness::Complete => (Syntax::Complete, None),
        Completeness::Incomplete => (Syntax::Incomplete, None),
        Completeness::Wrong(error) => (Syntax::Error, Some(details(&error, command.source))),
    };
    answer::<CheckSyntax>(&CheckSyntaxResult { syntax, error })
}

/// A parser's error on the wire.
pub(super) fn details(error: &SyntaxError, source: String) -> SyntaxErrorDetails {
    let position = error.position(&source);
    SyntaxErrorDetails {
        message: error.message.clone(),
        position: position.character,
        line: position.line,
        column: position.column,
        source,
    }
}
