//! `{ #category : 'x' } Foo class >> bar: baz [ … ]`.
//!
//! Where a body ends is found with the lexer, so that brackets in strings, comments, literal
//! arrays and character literals do not count.

use super::TonelMethod;
use super::definition::category;
use super::reader::{Fault, Read, Reader, without_last_line_end};
use crate::lexer::{Lexer, LexicalError, Token, TokenKind};
use crate::parser::parse_method;
use crate::span::Span;

impl<'s> Reader<'s> {
    pub(super) fn method(&mut self) -> Read<TonelMethod> {
        let start = self.at;
        let category = if self.rest().starts_with('{') {
            category(self.map(0)?)
        } else {
            None
        };
        self.skip_blanks();
        let (class_name, is_class_side) = self.method_owner()?;
        self.skip_blanks();
        let pattern = self.pattern()?;
        let selector = self.selector(pattern)?;
        let body = self.body()?;
        self.refuse_more_keywords(&selector, body)?;
        let source = format!("{}{}", pattern.text(self.source), body.text(self.source));
        let span = Span::new(start, self.at);
        let class_name = class_name.to_owned();
        Ok(TonelMethod {
            class_name,
            is_class_side,
            selector,
            category,
            source,
            span,
            pattern,
            body,
        })
    }

    /// `Foo >>`, `Foo class >>`, `TFoo classSide >>`
    fn method_owner(&mut self) -> Read<(&'s str, bool)> {
        let class_name = self.word();
        if class_name.is_empty() {
            return Err(self.missing("a method such as Foo >> bar [ ]"));
        }
        self.skip_blanks();
        let at = self.at;
        let side = self.word();
        if !matches!(side, "" | "class" | "classSide" | "classTrait") {
            self.at = at;
            return Err(self.missing("'class' or '>>'"));
        }
        self.expect(">>")?;
        Ok((class_name, !side.is_empty()))
    }

    /// Up to the opening bracket, which becomes the current place. One blank before it is Tonel's
    /// and not the method's, if the body begins with a blank of its own.
    fn pattern(&mut self) -> Read<Span> {
        let start = self.at;
        let mut lexer = Lexer::starting_at(self.source, start);
        let end = match lexer.find(|token| is_bracket_or_error(token.kind)) {
            Some(Token {
                kind: TokenKind::OpenBracket,
                span,
            }) => span.start,
            Some(token) => return Err(unexpected(token)),
            None => return Err(self.fault("the method has no '['".to_owned())),
        };
        self.at = end;
        let text = &self.source[start..end];
        if self.source[end + 1..]
            .starts_with(|next: char| next.is_ascii_whitespace() || next == ']')
        {
            return Ok(Span::new(
                start,
                start + text.strip_suffix(' ').unwrap_or(text).len(),
            ));
        }
        if text.ends_with(|last: char| last.is_ascii_whitespace()) {
            return Ok(Span::new(start, end));
        }
        Err(self.fault("expected a blank before or after the '['".to_owned()))
    }

    /// The selector of a pattern with nothing behind it.
    fn selector(&self, pattern: Span) -> Read<String> {
        let text = pattern.text(self.source);
        let parsed = parse_method(text).map_err(|error| Fault {
            message: format!("this is no method pattern: {}", error.message),
            offset: pattern.start + error.offset,
        })?;
        if !parsed.body.span.is_empty() || !parsed.pragmas.is_empty() {
            return Err(self.fault("expected the '[' right behind the method pattern".to_owned()));
        }
        Ok(parsed.selector)
    }

    /// Without the bracket between them the keyword would become part of the pattern.
    fn refuse_more_keywords(&self, selector: &str, body: Span) -> Read<()> {
        let mut tokens = Lexer::starting_at(self.source, body.start);
        match tokens.find(|token| !token.kind.is_trivia()) {
            Some(Token {
                kind: TokenKind::Keyword,
                span,
            }) if selector.ends_with(':') => {
                let message = "the body begins with a keyword".to_owned();
                Err(Fault {
                    message,
                    offset: span.start,
                })
            }
            _ => Ok(()),
        }
    }

    /// What stands between the brackets, without the blanks up to the line end in front of the
    /// closing one.
    fn body(&mut self) -> Read<Span> {
        let opening = self.at;
        let mut brackets = 0_usize;
        let mut lexer = Lexer::starting_at(self.source, opening);
        while let Some(token) = lexer.next() {
            match token.kind {
                _ if lexer.is_in_literal_array() => {}
                TokenKind::OpenBracket | TokenKind::OpenByteArray => brackets += 1,
                TokenKind::CloseBracket if brackets > 1 => brackets -= 1,
                TokenKind::CloseBracket => {
                    self.at = token.span.end;
                    let text = &self.source[opening + 1..token.span.start];
                    let length = without_last_line_end(text).len();
                    return Ok(Span::new(opening + 1, opening + 1 + length));
                }
                TokenKind::Error(error) if is_unmatched(error) => return Err(unexpected(token)),
                _ => {}
            }
        }
        Err(Fault {
            message: "the '[' of this method is never closed".to_owned(),
            offset: opening,
        })
    }
}

fn is_bracket_or_error(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::OpenBracket | TokenKind::CloseBracket | TokenKind::Error(_)
    )
}

fn is_unmatched(error: LexicalError) -> bool {
    matches!(
        error,
        LexicalError::UnmatchedStringQuote | LexicalError::UnmatchedCommentQuote
    )
}

/// The place is the token's start: that of a quote that never ends is the end of the file.
fn unexpected(token: Token) -> Fault {
    let message = match token.kind {
        TokenKind::Error(error) => error.message(),
        _ => "expected a method pattern and '['".to_owned(),
    };
    Fault {
        message,
        offset: token.span.start,
    }
}
