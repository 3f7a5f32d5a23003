//! Temporaries, statements, and the blocks and brace arrays that hold them.

use super::cursor::{Cursor, Parsed};
use super::expression::Built;
use crate::ast::{Array, Block, Expression, Return, Sequence, Statement, Variable};
use crate::lexer::TokenKind;
use crate::span::Span;

impl Cursor<'_> {
    /// `| a b |`, or nothing.
    pub(super) fn temporaries(&mut self) -> Parsed<Vec<Variable>> {
        let mut temporaries = Vec::new();
        if !self.step_bar() {
            return Ok(temporaries);
        }
        while self.is_name() {
            temporaries.push(self.declared_variable()?);
        }
        if !self.step_bar() {
            return Err(self.error("'|' or variable expected"));
        }
        Ok(temporaries)
    }

    /// Statements up to `closer` (or the end of the source when there is none), which is not
    /// passed. Answers the height of the tallest, too.
    pub(super) fn statements(
        &mut self,
        closer: Option<TokenKind>,
    ) -> Parsed<(Vec<Statement>, usize)> {
        let mut statements = Vec::new();
        let mut height = 0;
        self.periods();
        while self.kind() != TokenKind::End && Some(self.kind()) != closer {
            let (statement, tall) = self.statement(closer)?;
            statements.push(statement);
            height = height.max(tall);
            self.periods();
        }
        Ok((statements, height))
    }

    pub(super) fn block(&mut self) -> Parsed<Built> {
        self.enter()?;
        let start = self.step().start;
        let arguments = self.block_arguments()?;
        let (body, children) = self.block_body()?;
        if self.step_if(TokenKind::CloseBracket).is_none() {
            return Err(self.error("']' expected"));
        }
        self.leave();
        let span = self.span_from(start);
        let height = self.height_above(children, start)?;
        Ok(Built::new(
            Expression::Block(Box::new(Block {
                span,
                arguments,
                body,
            })),
            height,
        ))
    }

    /// `{ a. b }`. Pharo also takes `{ a. ^ b }`, which nobody writes; here it is an error.
    pub(super) fn brace_array(&mut self) -> Parsed<Built> {
        self.enter()?;
        let start = self.step().start;
        let mut elements = Vec::new();
        let mut children = 0;
        self.periods();
        while !matches!(self.kind(), TokenKind::CloseBrace | TokenKind::End) {
            self.refuse_foreign_closer(Some(TokenKind::CloseBrace))?;
            let element = self.expression()?;
            self.expect_end_of_statement(Some(TokenKind::CloseBrace))?;
            children = children.max(element.height);
            elements.push(element.expression);
            self.periods();
        }
        if self.step_if(TokenKind::CloseBrace).is_none() {
            return Err(self.error("'}' expected"));
        }
        self.leave();
        let span = self.span_from(start);
        let height = self.height_above(children, start)?;
        Ok(Built::new(
            Expression::Array(Box::new(Array { span, elements })),
            height,
        ))
    }

    fn block_arguments(&mut self) -> Parsed<Vec<Variable>> {
        let mut arguments = Vec::new();
        while self.step_if(TokenKind::Colon).is_some() {
            arguments.push(self.declared_variable()?);
        }
        let has_bar = arguments.is_empty() || self.step_bar();
        if !has_bar && self.kind() != TokenKind::CloseBracket {
            return Err(self.error("'|' or parameter expected"));
        }
        Ok(arguments)
    }

    fn block_body(&mut self) -> Parsed<(Sequence, usize)> {
        let start = self.current().span.start;
        let before = self.last_end();
        let temporaries = self.temporaries()?;
        let (statements, height) = self.statements(Some(TokenKind::CloseBracket))?;
        let is_empty = self.last_end() == before;
        let span = if is_empty {
            Span::at(before)
        } else {
            self.span_from(start)
        };
        Ok((
            Sequence {
                span,
                temporaries,
                statements,
            },
            height,
        ))
    }

    fn statement(&mut self, closer: Option<TokenKind>) -> Parsed<(Statement, usize)> {
        self.refuse_foreign_closer(closer)?;
        let caret = self.step_if(TokenKind::Caret);
        let built = self.expression()?;
        self.expect_end_of_statement(closer)?;
        let statement = match caret {
            Some(caret) => {
                let span = Span::new(caret.start, built.outer.end);
                Statement::Return(Return {
                    span,
                    value: built.expression,
                })
            }
            None => Statement::Expression(built.expression),
        };
        Ok((statement, built.height))
    }

    fn periods(&mut self) {
        while self.step_if(TokenKind::Period).is_some() {}
    }

    fn expect_end_of_statement(&self, closer: Option<TokenKind>) -> Parsed<()> {
        self.refuse_foreign_closer(closer)?;
        let kind = self.kind();
        if matches!(kind, TokenKind::Period | TokenKind::End) || Some(kind) == closer {
            return Ok(());
        }
        Err(self.error("End of statement expected"))
    }

    /// A closing bracket of any form that nothing here has opened.
    fn refuse_foreign_closer(&self, closer: Option<TokenKind>) -> Parsed<()> {
        let kind = self.kind();
        let closes = matches!(
            kind,
            TokenKind::CloseParenthesis | TokenKind::CloseBracket | TokenKind::CloseBrace
        );
        if closes && Some(kind) != closer {
            return Err(self.error(&format!("Missing opener for closer: {}", self.text())));
        }
        Ok(())
    }
}
