//! Reads Tonel files: one class, trait, extension or package each, as Pharo keeps code in
//! version control.
//!
//! ```text
//! "comment"
//! Class { #name : 'Foo', #superclass : 'Object', #instVars : [ 'a' ], #package : 'Bar' }
//!
//! { #category : 'accessing' }
//! Foo >> a [
//!     ^ a
//! ]
//! ```
//!
//! Version 3 (values are strings) and the older ones (values are symbols) are read alike. The
//! methods' bodies are only cut out here, not parsed. Writing Tonel is not here.

use std::fmt;

use crate::span::{LineIndex, Span};

mod definition;
mod method;
mod reader;
mod ston;

/// Longest file that is read. The largest class of a Pharo image has some 300 kB.
pub const MAX_FILE_BYTES: usize = 8 * 1024 * 1024;

/// How deep lists and maps in a definition may nest. Tonel's own nest two deep.
pub const MAX_VALUE_NESTING: usize = 16;

/// What one file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TonelFile {
    /// The comment on top, its quotes undone, without the line ends next to the quotes.
    pub comment: Option<String>,
    /// What the file is about.
    pub definition: Definition,
    /// In the order of the file; an extension has nothing else, a package has none.
    pub methods: Vec<TonelMethod>,
}

/// What a file is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// `package.st`
    Package {
        /// The package.
        name: String,
    },
    /// `Foo.class.st`
    Class(ClassDefinition),
    /// `TFoo.trait.st`; it has no superclass.
    Trait(ClassDefinition),
    /// `Foo.extension.st`: methods for a class that is defined elsewhere.
    Extension {
        /// The class.
        name: String,
    },
}

/// A class or trait as its file defines it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassDefinition {
    /// The class.
    pub name: String,
    /// None at the root of all classes, and for a trait.
    pub superclass: Option<String>,
    /// The layout: `normal`, `variable`, `bytes`, `words`, `weak`, `immediate`, …
    pub layout: String,
    /// As spelled: a name, or a slot definition such as `#a => WeakSlot`.
    pub instance_variables: Vec<String>,
    /// As spelled.
    pub class_variables: Vec<String>,
    /// The instance variables of the class itself, as spelled.
    pub class_instance_variables: Vec<String>,
    /// Shared pools.
    pub pools: Vec<String>,
    /// A trait composition such as `TA + TB`.
    pub traits: Option<String>,
    /// The composition for the class side.
    pub class_traits: Option<String>,
    /// Package, or package and tag joined by a hyphen.
    pub category: Option<String>,
    /// Only written since version 3.
    pub package: Option<String>,
    /// Where in the package, if anywhere particular.
    pub tag: Option<String>,
}

/// A method as its file spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TonelMethod {
    /// Whose method it is.
    pub class_name: String,
    /// Whether it is a method of the class itself.
    pub is_class_side: bool,
    /// Taken from the pattern.
    pub selector: String,
    /// The protocol; none when the file does not say.
    pub category: Option<String>,
    /// Pattern and body as the compiler wants it, without the brackets.
    pub source: String,
    /// Where all of it stands in the file, from the category to the closing bracket.
    pub span: Span,
    /// Where the pattern stands in the file; `source` starts with it.
    pub pattern: Span,
    /// Where the rest of `source` stands in the file.
    pub body: Span,
}

/// Why a text is not Tonel, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TonelError {
    /// What was expected or is wrong, in lower case.
    pub message: String,
    /// The byte in the file.
    pub offset: usize,
    /// The line in the file, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// Reads the text of one file.
///
/// # Errors
/// The first thing that is not Tonel, with its line. Nothing of the file is answered then.
pub fn read(source: &str) -> Result<TonelFile, TonelError> {
    reader::Reader::new(source).file().map_err(|fault| {
        let position = LineIndex::new(source).position(fault.offset);
        let (line, column) = (position.line, position.column);
        TonelError {
            message: fault.message,
            offset: fault.offset,
            line,
            column,
        }
    })
}

impl Definition {
    /// The name of the package, class or trait.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Package { name } | Self::Extension { name } => name,
            Self::Class(definition) | Self::Trait(definition) => &definition.name,
        }
    }
}

impl TonelMethod {
    /// Where the byte at `offset` of `source` stands in the file, so that an error in the method
    /// can be shown there.
    #[must_use]
    pub fn file_offset(&self, offset: usize) -> usize {
        match offset.checked_sub(self.pattern.len()) {
            Some(into_body) => (self.body.start + into_body).min(self.body.end),
            None => self.pattern.start + offset,
        }
    }
}

impl fmt::Display for TonelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.message
        )
    }
}

#[cfg(test)]
mod tests;
