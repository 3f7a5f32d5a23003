//! Colours: which piece of a source is what, for a source that is being typed.
//!
//! It goes by the tokens and a little memory of what stood before them, not by the tree, so it
//! works on text that does not parse. What the tree alone would know, it guesses: a name after an
//! operand is a selector.

use crate::ast::VariableKind;
use crate::lexer::{Lexer, LexicalError, Token, TokenKind};
use crate::span::Span;

/// What a piece of source is to the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// `"…"`, also without its end.
    Comment,
    /// `'…'`, also without its end.
    String,
    /// `#foo`, names in literal arrays.
    Symbol,
    /// `$a`
    Character,
    /// Of any kind, with its sign.
    Number,
    /// `at:`
    Keyword,
    /// `size`
    UnarySelector,
    /// `+`, and the angle brackets of pragmas.
    Binary,
    /// A name in lower case.
    Variable,
    /// A capitalised name.
    Global,
    /// `self`, `nil`, `thisContext` and the like.
    PseudoVariable,
    /// `:=`
    Assignment,
    /// `^`
    Return,
    /// Brackets of every form, `#(` and `#[` included.
    Bracket,
    /// The bars round temporaries and behind block arguments.
    Bar,
    /// `.` `;` `:`
    Punctuation,
    /// What is no token, and a closing bracket that nothing opened.
    Error,
}

/// The pieces of a do-it in order, blanks left out. Never fails, whatever the text is.
#[must_use]
pub fn highlight(source: &str) -> Vec<(Span, Class)> {
    Painter::new(source).paint()
}

/// The pieces of a method definition, whose first line is the pattern.
#[must_use]
pub fn highlight_method(source: &str) -> Vec<(Span, Class)> {
    let mut painter = Painter::new(source);
    painter.expected = Expected::Pattern;
    painter.paint()
}

/// What the next token should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The selector of a method, or its next keyword.
    Pattern,
    /// The name of a method's argument.
    PatternArgument,
    /// A receiver or argument; a bar here begins temporaries.
    Operand,
    /// A message, or the end of the statement.
    Message,
    /// The selector after a semicolon or at the beginning of a pragma.
    Selector,
    /// A name after a colon.
    BlockArgument,
    /// Another block argument or the bar behind them.
    BlockBar,
    /// Names up to the second bar.
    Temporaries,
}

struct Painter<'s> {
    source: &'s str,
    lexer: Lexer<'s>,
    expected: Expected,
    /// The closing brackets that are due, innermost last.
    closers: Vec<TokenKind>,
    in_pragma: bool,
    pieces: Vec<(Span, Class)>,
}

impl<'s> Painter<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            source,
            lexer: Lexer::new(source),
            expected: Expected::Operand,
            closers: Vec::new(),
            in_pragma: false,
            pieces: Vec::new(),
        }
    }

    fn paint(mut self) -> Vec<(Span, Class)> {
        while let Some(token) = self.lexer.next() {
            if token.kind != TokenKind::Blank {
                self.token(token);
            }
        }
        self.pieces
    }

    fn token(&mut self, token: Token) {
        let class = match token.kind {
            TokenKind::Blank | TokenKind::End => return,
            TokenKind::Comment => Class::Comment,
            TokenKind::Identifier => self.name(token),
            TokenKind::Keyword => self.keyword(),
            TokenKind::Binary => return self.operator(token),
            TokenKind::Number => return self.number(token),
            TokenKind::Character => self.operand(Class::Character),
            TokenKind::String => self.operand(Class::String),
            TokenKind::Symbol => self.symbol(token),
            TokenKind::Assignment => self.then(Class::Assignment, Expected::Operand),
            TokenKind::Caret => self.then(Class::Return, Expected::Operand),
            TokenKind::Period => self.then(Class::Punctuation, Expected::Operand),
            TokenKind::Semicolon => self.then(Class::Punctuation, Expected::Selector),
            TokenKind::Colon => self.then(Class::Punctuation, Expected::BlockArgument),
            TokenKind::OpenParenthesis | TokenKind::OpenLiteralArray => {
                self.open(TokenKind::CloseParenthesis)
            }
            TokenKind::OpenBracket | TokenKind::OpenByteArray => self.open(TokenKind::CloseBracket),
            TokenKind::OpenBrace => self.open(TokenKind::CloseBrace),
            TokenKind::CloseParenthesis | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                self.close(token.kind)
            }
            TokenKind::Error(error) => self.unfinished(token, error),
        };
        self.pieces.push((token.span, class));
    }

    fn name(&mut self, token: Token) -> Class {
        let (class, next) = match self.expected {
            Expected::Pattern => (Class::UnarySelector, Expected::Operand),
            Expected::PatternArgument => (Class::Variable, Expected::Pattern),
            Expected::Message | Expected::Selector => (Class::UnarySelector, Expected::Message),
            Expected::Temporaries => (Class::Variable, Expected::Temporaries),
            Expected::BlockArgument => (Class::Variable, Expected::BlockBar),
            Expected::Operand | Expected::BlockBar => (self.variable(token), Expected::Message),
        };
        self.then(class, next)
    }

    fn variable(&self, token: Token) -> Class {
        match VariableKind::of(token.span.text(self.source)) {
            VariableKind::Global => Class::Global,
            VariableKind::Named => Class::Variable,
            _ => Class::PseudoVariable,
        }
    }

    fn keyword(&mut self) -> Class {
        let is_pattern = self.expected == Expected::Pattern;
        let next = if is_pattern {
            Expected::PatternArgument
        } else {
            Expected::Operand
        };
        self.then(Class::Keyword, next)
    }

    /// An operator, or a bar, or two, or an angle bracket of a pragma.
    fn operator(&mut self, token: Token) {
        let text = token.span.text(self.source);
        if text.starts_with('|') && self.is_bar_expected() {
            let first = Span::new(token.span.start, token.span.start + 1);
            self.bar(first);
            let rest = Span::new(first.end, token.span.end);
            if !rest.is_empty() {
                self.operator(Token {
                    span: rest,
                    ..token
                });
            }
            return;
        }
        let next = match (text, self.expected) {
            ("<", Expected::Operand | Expected::Pattern) => {
                self.in_pragma = true;
                Expected::Selector
            }
            (">", _) if self.in_pragma => {
                self.in_pragma = false;
                Expected::Operand
            }
            (_, Expected::Pattern) => Expected::PatternArgument,
            _ => Expected::Operand,
        };
        self.expected = next;
        self.pieces.push((token.span, Class::Binary));
    }

    fn is_bar_expected(&self) -> bool {
        matches!(
            self.expected,
            Expected::Operand | Expected::BlockBar | Expected::Temporaries
        )
    }

    fn bar(&mut self, span: Span) {
        let begins_temporaries = self.expected == Expected::Operand;
        self.expected = if begins_temporaries {
            Expected::Temporaries
        } else {
            Expected::Operand
        };
        self.pieces.push((span, Class::Bar));
    }

    /// After an operand the sign is an operator: `3-4`.
    fn number(&mut self, token: Token) {
        let mut span = token.span;
        if self.expected == Expected::Message && span.text(self.source).starts_with('-') {
            self.pieces
                .push((Span::new(span.start, span.start + 1), Class::Binary));
            span.start += 1;
        }
        self.pieces.push((span, Class::Number));
        self.expected = self.after_operand();
    }

    fn symbol(&mut self, token: Token) -> Class {
        let is_pseudo = matches!(token.span.text(self.source), "nil" | "true" | "false");
        self.operand(if is_pseudo {
            Class::PseudoVariable
        } else {
            Class::Symbol
        })
    }

    fn operand(&mut self, class: Class) -> Class {
        let next = self.after_operand();
        self.then(class, next)
    }

    /// The elements of a literal or byte array are operands one after the other.
    fn after_operand(&self) -> Expected {
        if self.lexer.is_in_literal_array() {
            Expected::Operand
        } else {
            Expected::Message
        }
    }

    fn open(&mut self, closer: TokenKind) -> Class {
        self.closers.push(closer);
        self.then(Class::Bracket, Expected::Operand)
    }

    fn close(&mut self, closer: TokenKind) -> Class {
        let is_due = self.closers.last() == Some(&closer);
        if is_due {
            self.closers.pop();
        }
        self.operand(if is_due { Class::Bracket } else { Class::Error })
    }

    fn unfinished(&mut self, token: Token, error: LexicalError) -> Class {
        match error {
            LexicalError::UnmatchedCommentQuote => Class::Comment,
            LexicalError::UnmatchedStringQuote => {
                let is_symbol = token.span.text(self.source).starts_with('#');
                self.operand(if is_symbol {
                    Class::Symbol
                } else {
                    Class::String
                })
            }
            _ => self.operand(Class::Error),
        }
    }

    fn then(&mut self, class: Class, next: Expected) -> Class {
        self.expected = next;
        class
    }
}

#[cfg(test)]
mod tests;
