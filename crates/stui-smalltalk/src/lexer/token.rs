//! What tokens are, and what can be wrong with them.

use crate::parser::MAX_EXPONENT;
use crate::span::Span;

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
                format!("Exponent is larger than {}", MAX_EXPONENT)
            }
            Self::ScaleTooLarge => format!("Scale is larger than {}", MAX_EXPONENT),
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
