//! The place in the file, and the order of its parts.

use super::{MAX_FILE_BYTES, TonelFile};
use crate::lexer::{Lexer, TokenKind, is_letter, is_name_part, unquoted};

/// An error on its way out, still without its line.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) offset: usize,
}

pub(super) type Read<T> = Result<T, Fault>;

pub(super) struct Reader<'s> {
    pub(super) source: &'s str,
    pub(super) at: usize,
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        // Some editors put a byte order mark in front.
        let at = if source.starts_with('\u{FEFF}') {
            '\u{FEFF}'.len_utf8()
        } else {
            0
        };
        Self { source, at }
    }

    pub(super) fn file(&mut self) -> Read<TonelFile> {
        if self.source.len() > MAX_FILE_BYTES {
            return Err(self.fault(format!("the file is longer than {MAX_FILE_BYTES} bytes")));
        }
        self.skip_blanks();
        let comment = self.comment()?;
        self.skip_blanks();
        let definition = self.definition()?;
        let mut methods = Vec::new();
        self.skip_blanks();
        while !self.rest().is_empty() {
            methods.push(self.method()?);
            self.skip_blanks();
        }
        Ok(TonelFile {
            comment,
            definition,
            methods,
        })
    }

    fn comment(&mut self) -> Read<Option<String>> {
        if !self.rest().starts_with('"') {
            return Ok(None);
        }
        match Lexer::starting_at(self.source, self.at).next() {
            Some(token) if token.kind == TokenKind::Comment => {
                self.at = token.span.end;
                let text = unquoted(token.span.text(self.source));
                Ok(Some(without_edges(&text).to_owned()))
            }
            _ => Err(self.fault("the comment has no closing quote".to_owned())),
        }
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    pub(super) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    /// Blanks, then `expected`.
    pub(super) fn expect(&mut self, expected: &str) -> Read<()> {
        self.skip_blanks();
        if self.eat(expected) {
            Ok(())
        } else {
            Err(self.missing(&format!("'{expected}'")))
        }
    }

    /// A name of letters, digits and underscores; empty if there is none.
    pub(super) fn word(&mut self) -> &'s str {
        let rest = self.rest();
        if !rest.starts_with(is_letter) {
            return "";
        }
        let length = rest
            .find(|next: char| !is_name_part(next))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn fault(&self, message: String) -> Fault {
        Fault {
            message,
            offset: self.at,
        }
    }

    pub(super) fn missing(&self, expected: &str) -> Fault {
        let found = match self.rest().chars().next() {
            Some(character) => format!("{character:?}"),
            None => "the end of the file".to_owned(),
        };
        self.fault(format!("expected {expected}, found {found}"))
    }
}

/// Without the blanks at both ends up to and including one line end on each, as Tonel's own
/// reader takes them away.
fn without_edges(text: &str) -> &str {
    let start = text.trim_start_matches(is_space);
    let start = start
        .strip_prefix("\r\n")
        .unwrap_or_else(|| start.strip_prefix(['\n', '\r']).unwrap_or(start));
    without_last_line_end(start)
}

/// Without the blanks at the end up to and including one line end.
pub(super) fn without_last_line_end(text: &str) -> &str {
    let end = text.trim_end_matches(is_space);
    end.strip_suffix("\r\n")
        .unwrap_or_else(|| end.strip_suffix(['\n', '\r']).unwrap_or(end))
}

/// A blank that ends no line.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{C}')
}
