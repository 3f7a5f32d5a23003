//! Smalltalk and Tonel as text: lexer, parser, is-it-complete, highlighting, and the readers of
//! Tonel and chunk files.
//!
//! The client uses it for multi-line input and colours, the embedded image compiles from its
//! syntax tree. Nothing here knows classes, scopes or values: whether a name is declared is the
//! business of whoever runs the code.
//!
//! Where Pharo has a rule, a message or a position, it is Pharo's.

pub mod ast;
pub mod chunks;
pub mod completeness;
pub mod highlight;
pub mod lexer;
pub mod parser;
pub mod span;
pub mod tonel;

#[cfg(test)]
mod source_samples;

pub use completeness::{Completeness, completeness};
pub use highlight::{highlight, highlight_method};
pub use parser::{MAX_NESTING, MAX_SOURCE_BYTES, MAX_TREE_HEIGHT, SyntaxError};
pub use parser::{parse_method, parse_pattern, parse_script};
pub use span::{LineIndex, Position, Span};
