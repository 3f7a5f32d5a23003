//! Tokens: cuts a source into pieces that together are the whole source, blanks and comments
//! included, so that a highlighter can use it as well as the parser.
//!
//! It never fails: what is no token is an [`TokenKind::Error`] token. It never looks back, but it
//! counts the parentheses of literal arrays, because `foo:bar:` is one symbol inside of them.

use crate::span::Span;

mod character;
pub(crate) mod number;
mod token;

use character::starts_symbol;
pub use character::{is_binary, is_blank, is_letter, is_name_part};
pub use token::{LexicalError, Token, TokenKind, unquoted};

/// Cuts a source into tokens.
#[derive(Debug, Clone)]
pub struct Lexer<'s> {
    source: &'s str,
    at: usize,
    /// How many parentheses of a literal array are open.
    literal_depth: usize,
}

impl<'s> Lexer<'s> {
    /// Starts at the beginning of `source`.
    #[must_use]
    pub fn new(source: &'s str) -> Self {
        Self::starting_at(source, 0)
    }

    /// Starts at byte `at`, which has to be a character boundary; spans count from the source's
    /// beginning. With an offset that is none there are no tokens.
    #[must_use]
    pub fn starting_at(source: &'s str, at: usize) -> Self {
        let at = if source.is_char_boundary(at) {
            at
        } else {
            source.len()
        };
        Self {
            source,
            at,
            literal_depth: 0,
        }
    }

    /// Whether the token answered last lies inside a literal array, its opening parenthesis
    /// included and its closing one not.
    #[must_use]
    pub fn is_in_literal_array(&self) -> bool {
        self.literal_depth > 0
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    /// The next token's kind and length in bytes. `first` is the first character of the rest.
    fn scan(&mut self, first: char) -> (TokenKind, usize) {
        let rest = self.rest();
        match first {
            _ if is_blank(first) => (TokenKind::Blank, length_while(rest, is_blank)),
            '"' => delimited(
                rest,
                '"',
                TokenKind::Comment,
                LexicalError::UnmatchedCommentQuote,
            ),
            '\'' => delimited(
                rest,
                '\'',
                TokenKind::String,
                LexicalError::UnmatchedStringQuote,
            ),
            '$' => scan_character(rest),
            '#' => self.scan_hash(rest),
            _ if is_letter(first) => self.scan_name(rest),
            _ if self.literal_depth > 0 && first.is_alphabetic() => self.scan_name(rest),
            _ if starts_number(rest) => number::scan(rest).map_or_else(
                |(error, length)| (TokenKind::Error(error), length),
                |(_, length)| (TokenKind::Number, length),
            ),
            _ if is_binary(first) => (self.binary_kind(), length_while(rest, is_binary)),
            ':' if rest[1..].starts_with('=') => (TokenKind::Assignment, 2),
            _ => match self.special(first) {
                Some(kind) => (kind, 1),
                None => (
                    TokenKind::Error(LexicalError::UnknownCharacter),
                    first.len_utf8(),
                ),
            },
        }
    }

    fn binary_kind(&self) -> TokenKind {
        if self.literal_depth > 0 {
            TokenKind::Symbol
        } else {
            TokenKind::Binary
        }
    }

    fn scan_name(&self, rest: &str) -> (TokenKind, usize) {
        if self.literal_depth > 0 {
            return (TokenKind::Symbol, symbol_length(rest));
        }
        let length = length_while(rest, is_name_part);
        let after = &rest[length..];
        if after.starts_with(':') && !after.starts_with(":=") {
            (TokenKind::Keyword, length + 1)
        } else {
            (TokenKind::Identifier, length)
        }
    }

    /// What starts with `#`. More than one `#` counts as one.
    fn scan_hash(&mut self, rest: &str) -> (TokenKind, usize) {
        let hashes = length_while(rest, |character| character == '#');
        let after = &rest[hashes..];
        let (kind, length) = match after.chars().next() {
            Some(first) if starts_symbol(first) => (TokenKind::Symbol, symbol_length(after)),
            Some(first) if is_binary(first) => (TokenKind::Symbol, length_while(after, is_binary)),
            Some('\'') => delimited(
                after,
                '\'',
                TokenKind::Symbol,
                LexicalError::UnmatchedStringQuote,
            ),
            Some('(') => {
                self.literal_depth += 1;
                (TokenKind::OpenLiteralArray, 1)
            }
            Some('[') => (TokenKind::OpenByteArray, 1),
            _ => (TokenKind::Error(LexicalError::LiteralExpected), 0),
        };
        (kind, hashes + length)
    }

    fn special(&mut self, character: char) -> Option<TokenKind> {
        let kind = match character {
            '(' => {
                self.literal_depth += usize::from(self.literal_depth > 0);
                TokenKind::OpenParenthesis
            }
            ')' => {
                self.literal_depth = self.literal_depth.saturating_sub(1);
                TokenKind::CloseParenthesis
            }
            '[' => TokenKind::OpenBracket,
            ']' => TokenKind::CloseBracket,
            '{' => TokenKind::OpenBrace,
            '}' => TokenKind::CloseBrace,
            '^' => TokenKind::Caret,
            '.' => TokenKind::Period,
            ';' => TokenKind::Semicolon,
            ':' => TokenKind::Colon,
            _ => return None,
        };
        Some(kind)
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let first = self.rest().chars().next()?;
        let start = self.at;
        let (kind, length) = self.scan(first);
        self.at += length;
        Some(Token {
            kind,
            span: Span::new(start, self.at),
        })
    }
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character))
        .unwrap_or(text.len())
}

fn starts_number(rest: &str) -> bool {
    rest.strip_prefix('-')
        .unwrap_or(rest)
        .starts_with(|first: char| first.is_ascii_digit())
}

/// Names with colons between and behind them, as symbols have.
fn symbol_length(text: &str) -> usize {
    let is_part = |next: char| starts_symbol(next) || next.is_ascii_digit();
    let mut length = 0;
    while text[length..].starts_with(|next: char| starts_symbol(next) || next == ':') {
        length += length_while(&text[length..], is_part);
        length += usize::from(text[length..].starts_with(':'));
    }
    length
}

fn scan_character(rest: &str) -> (TokenKind, usize) {
    match rest.chars().nth(1) {
        Some(character) => (TokenKind::Character, 1 + character.len_utf8()),
        None => (TokenKind::Error(LexicalError::CharacterExpected), 1),
    }
}

/// From a quote to the next single one; two in a row stand for one.
fn delimited(
    text: &str,
    quote: char,
    kind: TokenKind,
    unmatched: LexicalError,
) -> (TokenKind, usize) {
    let mut at = 1;
    while let Some(found) = text[at..].find(quote) {
        at += found + 1;
        if !text[at..].starts_with(quote) {
            return (kind, at);
        }
        at += 1;
    }
    (TokenKind::Error(unmatched), text.len())
}

#[cfg(test)]
pub(crate) mod tests;
