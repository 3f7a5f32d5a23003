//! Tokens: cuts a source into pieces that together are the whole source, blanks and comments
//! included, so that a highlighter can use it as well as the parser.
//!
//! It never fails: what is no token is an [`TokenKind::Error`] token. It never looks back, but it
//! counts the parentheses of literal arrays, because `foo:bar:` is one symbol inside of them.

use crate::span::Span;

pub(crate) mod number;

/// A piece of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its text, never empty but for [`TokenKind::End`].
    pub span: Span,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Space, tab, line end, form feed, NUL.
    Blank,
    /// `"…"`
    Comment,
    /// A name, the names of pseudo variables included. Not inside a literal array.
    Identifier,
    /// One keyword, `at:`. Not inside a literal array.
    Keyword,
    /// As many operator characters as follow each other.
    Binary,
    /// A number of any kind, with a minus sign right before it: in `3-4` the second token is
    /// `-4`, and the parser, which knows that an operator is due, takes it apart.
    Number,
    /// `$a`
    Character,
    /// `'…'`
    String,
    /// `#foo:bar:`, `#+`, `#'…'`; inside a literal array also bare names and operators.
    Symbol,
    /// `:=`
    Assignment,
    /// `^`
    Caret,
    /// `.`
    Period,
    /// `;`
    Semicolon,
    /// `:`
    Colon,
    /// `(`
    OpenParenthesis,
    /// `)`
    CloseParenthesis,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `#(`
    OpenLiteralArray,
    /// `#[`
    OpenByteArray,
    /// No token of Smalltalk.
    Error(LexicalError),
    /// The end; only the parser's own list has one.
    End,
}

/// Why something is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexicalError {
    /// A string without its closing quote.
    UnmatchedStringQuote,
    /// A comment without its closing quote.
    UnmatchedCommentQuote,
    /// `$` at the very end.
    CharacterExpected,
    /// `#` before something that is no literal.
    LiteralExpected,
    /// A character that Smalltalk does not use.
    UnknownCharacter,
    /// A radix that is not between 2 and 36.
    RadixExpected,
    /// No digit after the `r` of this radix.
    DigitExpected(u32),
    /// An exponent beyond [`crate::parser::MAX_EXPONENT`].
    ExponentTooLarge,
    /// A scale beyond [`crate::parser::MAX_EXPONENT`].
    ScaleTooLarge,
}

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

impl TokenKind {
    /// Whether the parser passes over it.
    #[must_use]
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Blank | Self::Comment)
    }
}

impl LexicalError {
    /// What to tell, in Pharo's words where it has any.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::UnmatchedStringQuote => "Unmatched ' in string literal.".to_owned(),
            Self::UnmatchedCommentQuote => "Unmatched \" in comment.".to_owned(),
            Self::CharacterExpected => "Character expected".to_owned(),
            Self::LiteralExpected => "Literal expected".to_owned(),
            Self::UnknownCharacter => "Unknown character".to_owned(),
            Self::RadixExpected => "an integer from 2 to 36 as valid radix expected".to_owned(),
            Self::DigitExpected(radix) => {
                let last = char::from_digit(radix.saturating_sub(1), 36).unwrap_or('Z');
                format!(
                    "a digit between 0 and {} expected",
                    last.to_ascii_uppercase()
                )
            }
            Self::ExponentTooLarge => {
                format!("Exponent is larger than {}", crate::parser::MAX_EXPONENT)
            }
            Self::ScaleTooLarge => format!("Scale is larger than {}", crate::parser::MAX_EXPONENT),
        }
    }

    /// Where it shows in the token at `span`: after it where something is missing.
    #[must_use]
    pub fn offset(self, span: Span) -> usize {
        match self {
            Self::UnknownCharacter
            | Self::RadixExpected
            | Self::ExponentTooLarge
            | Self::ScaleTooLarge => span.start,
            _ => span.end,
        }
    }
}

/// The text of a comment, string or quoted symbol without its quotes, inner quotes undoubled.
/// `text` is the whole token; a leading `#` is passed over.
#[must_use]
pub fn unquoted(text: &str) -> String {
    let text = text.trim_start_matches('#');
    let Some(quote) = text
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'))
    else {
        return text.to_owned();
    };
    let inner = text.get(1..text.len().max(2) - 1).unwrap_or("");
    let doubled = [quote, quote].iter().collect::<String>();
    inner.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
}

/// Whether a name may start with it.
#[must_use]
pub fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

/// Whether a name may go on with it.
#[must_use]
pub fn is_name_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Whether operators may be made of it.
#[must_use]
pub fn is_binary(character: char) -> bool {
    matches!(
        character,
        '+' | '-'
            | '/'
            | '\\'
            | '*'
            | '~'
            | '<'
            | '>'
            | '='
            | '@'
            | ','
            | '%'
            | '|'
            | '&'
            | '?'
            | '!'
            | '\u{B7}'
            | '\u{F7}'
            | '\u{B1}'
            | '\u{D7}'
    )
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{C}' | '\0')
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

/// Symbols may have letters of every script, names have not.
fn starts_symbol(character: char) -> bool {
    character.is_alphabetic() || character == '_'
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
