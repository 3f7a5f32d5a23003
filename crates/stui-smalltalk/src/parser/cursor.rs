//! The parser's place in the tokens: looking, stepping, and making errors. What the tokens mean
//! is in the neighbours, which add the grammar to [`Cursor`].

use super::{MAX_NESTING, MAX_SOURCE_BYTES, MAX_TREE_HEIGHT, SyntaxError};
use crate::lexer::{Lexer, Token, TokenKind};
use crate::span::Span;

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) struct Cursor<'s> {
    source: &'s str,
    /// Without blanks and comments; the last one is [`TokenKind::End`].
    tokens: Vec<Token>,
    comments: Vec<Span>,
    /// Index of the current token.
    at: usize,
    /// The front part of the current token while it is taken apart.
    front: Option<Token>,
    /// Where the last token that was passed ends.
    last_end: usize,
    nesting: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s str) -> Parsed<Self> {
        if source.len() > MAX_SOURCE_BYTES {
            let message = format!("Source is longer than {MAX_SOURCE_BYTES} bytes");
            return Err(SyntaxError { message, offset: 0 });
        }
        let mut tokens = Vec::new();
        let mut comments = Vec::new();
        for token in Lexer::new(source) {
            match token.kind {
                TokenKind::Blank => {}
                TokenKind::Comment => comments.push(token.span),
                _ => tokens.push(token),
            }
        }
        tokens.push(Token {
            kind: TokenKind::End,
            span: Span::at(source.len()),
        });
        Ok(Self {
            source,
            tokens,
            comments,
            at: 0,
            front: None,
            last_end: 0,
            nesting: 0,
        })
    }

    pub(super) fn take_comments(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.comments)
    }

    pub(super) fn current(&self) -> Token {
        // `at` never passes the end token.
        self.front.unwrap_or(self.tokens[self.at])
    }

    pub(super) fn kind(&self) -> TokenKind {
        self.current().kind
    }

    /// The kind of the token after the current one.
    pub(super) fn next_kind(&self) -> TokenKind {
        let next = self.at + usize::from(self.front.is_none());
        self.tokens
            .get(next)
            .map_or(TokenKind::End, |token| token.kind)
    }

    pub(super) fn text(&self) -> &'s str {
        self.current().span.text(self.source)
    }

    /// Passes the current token and answers its span. The end token stays.
    pub(super) fn step(&mut self) -> Span {
        let token = self.current();
        if self.front.take().is_none() && token.kind != TokenKind::End {
            self.at += 1;
        }
        self.last_end = token.span.end;
        token.span
    }

    /// Passes the current token when it is of that kind.
    pub(super) fn step_if(&mut self, kind: TokenKind) -> Option<Span> {
        (self.kind() == kind).then(|| self.step())
    }

    /// The end of the last token that was passed.
    pub(super) fn last_end(&self) -> usize {
        self.last_end
    }

    /// From `start` to the end of what was passed; empty there when nothing was passed since.
    pub(super) fn span_from(&self, start: usize) -> Span {
        Span::new(start.min(self.last_end), self.last_end)
    }

    /// A name that may be declared, or sent: an identifier that is no literal.
    pub(super) fn is_name(&self) -> bool {
        self.kind() == TokenKind::Identifier && !matches!(self.text(), "nil" | "true" | "false")
    }

    pub(super) fn is_binary(&self, operator: &str) -> bool {
        self.kind() == TokenKind::Binary && self.text() == operator
    }

    /// Passes one bar, also one that stands at the front of a longer operator: `||` may be two
    /// bars. Answers false when there is none.
    pub(super) fn step_bar(&mut self) -> bool {
        if self.kind() != TokenKind::Binary || !self.text().starts_with('|') {
            return false;
        }
        if self.text().len() > 1 {
            self.split_current(TokenKind::Binary);
        }
        self.step();
        true
    }

    /// Where an operator is due, the sign of a number is one: `3-4`.
    pub(super) fn split_negative_number(&mut self) {
        if self.kind() == TokenKind::Number && self.text().starts_with('-') {
            self.split_current(TokenKind::Binary);
        }
    }

    /// Makes the current token's first byte a token of its own, which is then the current one.
    fn split_current(&mut self, kind: TokenKind) {
        if self.front.is_none() {
            let rest = &mut self.tokens[self.at];
            let span = Span::new(rest.span.start, rest.span.start + 1);
            rest.span.start += 1;
            self.front = Some(Token { kind, span });
        }
    }

    /// Counts one more level of nesting; every success is undone with [`Self::leave`].
    pub(super) fn enter(&mut self) -> Parsed<()> {
        if self.nesting == MAX_NESTING {
            return Err(self.error_here(&format!("Nested more than {MAX_NESTING} deep")));
        }
        self.nesting += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.nesting -= 1;
    }

    /// The height of a node above children of at most that height; `start` is the node's.
    pub(super) fn height_above(&self, children: usize, start: usize) -> Parsed<usize> {
        if children >= MAX_TREE_HEIGHT {
            let message = format!("Expression with more than {MAX_TREE_HEIGHT} sends in a row");
            return Err(SyntaxError {
                message,
                offset: start,
            });
        }
        Ok(children + 1)
    }

    /// An error at the current token. If that is no token at all, its own error comes first.
    pub(super) fn error(&self, message: &str) -> SyntaxError {
        match self.kind() {
            TokenKind::Error(error) => SyntaxError {
                message: error.message(),
                offset: error.offset(self.current().span),
            },
            _ => self.error_here(message),
        }
    }

    fn error_here(&self, message: &str) -> SyntaxError {
        SyntaxError {
            message: message.to_owned(),
            offset: self.current().span.start,
        }
    }
}
