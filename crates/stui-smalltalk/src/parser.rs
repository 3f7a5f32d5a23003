//! The parser: recursive descent over the lexer's tokens, with Pharo's grammar, messages and
//! error positions.
//!
//! It stops at the first error. Whether that error only means "not finished yet" is decided in
//! [`mod@crate::completeness`].

use thiserror::Error;

use crate::ast::{Method, Script};
use crate::span::{LineIndex, Position};

mod cursor;
mod definition;
mod expression;
mod literal;
mod sequence;

use cursor::Cursor;

/// Longest source that is parsed. A method of this size is a mistake, and the tree of a source
/// takes some fifty times its bytes.
pub const MAX_SOURCE_BYTES: usize = 1024 * 1024;

/// How deep parentheses, blocks, arrays and assignments may nest.
/// The parser takes some 2 KiB of stack for each level, and threads have 2 MiB.
pub const MAX_NESTING: usize = 400;

/// How many levels a tree may have: `a foo foo foo` is three sends inside each other although
/// nothing nests in the text.
pub const MAX_TREE_HEIGHT: usize = 1000;

/// Largest exponent of a number literal, as in Pharo.
pub const MAX_EXPONENT: u32 = 10_000;

/// Why a source is not Smalltalk.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// In Pharo's words where Pharo has any: `End of statement expected`.
    pub message: String,
    /// The byte where it shows; the source's length when something is missing at the end.
    pub offset: usize,
}

impl SyntaxError {
    /// Where it is as people count; `source` is the text that was parsed.
    #[must_use]
    pub fn position(&self, source: &str) -> Position {
        LineIndex::new(source).position(self.offset)
    }
}

/// Parses a method definition: pattern and body.
///
/// # Errors
/// The first error in the source.
pub fn parse_method(source: &str) -> Result<Method, SyntaxError> {
    Cursor::new(source)?.method()
}

/// Parses a do-it: `| temporaries | statements. ^ result`.
///
/// # Errors
/// The first error in the source.
pub fn parse_script(source: &str) -> Result<Script, SyntaxError> {
    Cursor::new(source)?.script()
}

/// The selector of a method definition, of which only the pattern has to be right.
///
/// # Errors
/// The first error in the pattern.
pub fn parse_pattern(source: &str) -> Result<String, SyntaxError> {
    Ok(Cursor::new(source)?.pattern()?.selector)
}

#[cfg(test)]
mod tests;
