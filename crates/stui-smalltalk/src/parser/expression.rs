//! Expressions: assignments, cascades, sends, and what they are made of.

use super::cursor::{Cursor, Parsed};
use crate::ast::{Assignment, Cascade, Expression, Message, MessageSend, Variable};
use crate::lexer::TokenKind;
use crate::span::Span;

/// An expression on its way into the tree.
pub(super) struct Built {
    pub(super) expression: Expression,
    /// With the parentheses round it.
    pub(super) outer: Span,
    /// How many levels it has.
    pub(super) height: usize,
}

/// A message with the height of its tallest argument.
type BuiltMessage = (Message, usize);

impl Built {
    pub(super) fn new(expression: Expression, height: usize) -> Self {
        let outer = expression.span();
        Self {
            expression,
            outer,
            height,
        }
    }

    fn is_parenthesized(&self) -> bool {
        self.outer != self.expression.span()
    }
}

impl Cursor<'_> {
    pub(super) fn expression(&mut self) -> Parsed<Built> {
        if self.kind() == TokenKind::Assignment {
            return Err(self.error("variable expected in assignment"));
        }
        if self.kind() == TokenKind::Identifier && self.next_kind() == TokenKind::Assignment {
            return self.assignment();
        }
        self.cascade()
    }

    fn assignment(&mut self) -> Parsed<Built> {
        let variable = self.variable_here();
        if variable.kind().is_pseudo() {
            return Err(self.error("Assignment to read-only variable"));
        }
        self.enter()?;
        self.step();
        let operator = self.step();
        let value = self.expression()?;
        self.leave();
        let span = variable.span.to(value.outer);
        let height = self.height_above(value.height, span.start)?;
        let value = value.expression;
        let assignment = Assignment {
            span,
            variable,
            operator,
            value,
        };
        Ok(Built::new(
            Expression::Assignment(Box::new(assignment)),
            height,
        ))
    }

    fn cascade(&mut self) -> Parsed<Built> {
        let first = self.keyword_send()?;
        if self.kind() != TokenKind::Semicolon {
            return Ok(first);
        }
        let is_parenthesized = first.is_parenthesized();
        let Expression::Send(send) = first.expression else {
            return Err(self.error("Message expected"));
        };
        if is_parenthesized {
            return Err(self.error("Message expected"));
        }
        let mut children = first.height;
        let MessageSend {
            span,
            receiver,
            message,
        } = *send;
        let mut messages = vec![message];
        while self.step_if(TokenKind::Semicolon).is_some() {
            let (message, tall) = self.cascaded_message()?;
            messages.push(message);
            children = children.max(tall);
        }
        let span = self.span_from(span.start);
        let height = self.height_above(children, span.start)?;
        Ok(Built::new(
            Expression::Cascade(Box::new(Cascade {
                span,
                receiver,
                messages,
            })),
            height,
        ))
    }

    fn cascaded_message(&mut self) -> Parsed<BuiltMessage> {
        self.split_negative_number();
        match self.kind() {
            TokenKind::Identifier if self.is_name() => Ok((self.unary_message(), 0)),
            TokenKind::Keyword => self.keyword_message(),
            TokenKind::Binary => self.binary_message(),
            _ => Err(self.error("Cascade message expected")),
        }
    }

    fn keyword_send(&mut self) -> Parsed<Built> {
        let receiver = self.binary_send()?;
        if self.kind() != TokenKind::Keyword {
            return Ok(receiver);
        }
        let message = self.keyword_message()?;
        self.send(receiver, message)
    }

    fn binary_send(&mut self) -> Parsed<Built> {
        let mut receiver = self.unary_send()?;
        loop {
            self.split_negative_number();
            if self.kind() != TokenKind::Binary {
                return Ok(receiver);
            }
            let message = self.binary_message()?;
            receiver = self.send(receiver, message)?;
        }
    }

    fn unary_send(&mut self) -> Parsed<Built> {
        let mut receiver = self.primary()?;
        while self.kind() == TokenKind::Identifier {
            let message = (self.unary_message(), 0);
            receiver = self.send(receiver, message)?;
        }
        Ok(receiver)
    }

    fn send(&self, receiver: Built, (message, tall): BuiltMessage) -> Parsed<Built> {
        let span = self.span_from(receiver.outer.start);
        let height = self.height_above(receiver.height.max(tall), span.start)?;
        let send = MessageSend {
            span,
            receiver: receiver.expression,
            message,
        };
        Ok(Built::new(Expression::Send(Box::new(send)), height))
    }

    fn unary_message(&mut self) -> Message {
        let selector = self.text().to_owned();
        let span = self.step();
        Message {
            span,
            selector,
            selector_parts: vec![span],
            arguments: Vec::new(),
        }
    }

    fn binary_message(&mut self) -> Parsed<BuiltMessage> {
        let selector = self.text().to_owned();
        let part = self.step();
        let argument = self.unary_send()?;
        let span = self.span_from(part.start);
        let arguments = vec![argument.expression];
        Ok((
            Message {
                span,
                selector,
                selector_parts: vec![part],
                arguments,
            },
            argument.height,
        ))
    }

    fn keyword_message(&mut self) -> Parsed<BuiltMessage> {
        let start = self.current().span.start;
        let (mut selector, mut selector_parts) = (String::new(), Vec::new());
        let (mut arguments, mut height) = (Vec::new(), 0);
        while self.kind() == TokenKind::Keyword {
            selector.push_str(self.text());
            selector_parts.push(self.step());
            let argument = self.binary_send()?;
            height = height.max(argument.height);
            arguments.push(argument.expression);
        }
        let span = self.span_from(start);
        Ok((
            Message {
                span,
                selector,
                selector_parts,
                arguments,
            },
            height,
        ))
    }

    fn primary(&mut self) -> Parsed<Built> {
        match self.kind() {
            TokenKind::Identifier => {
                let variable = self.variable_here();
                self.step();
                Ok(Built::new(Expression::Variable(variable), 1))
            }
            TokenKind::OpenBracket => self.block(),
            TokenKind::OpenParenthesis => self.parenthesized(),
            TokenKind::OpenBrace => self.brace_array(),
            TokenKind::Colon if self.next_kind() == TokenKind::Identifier => {
                Err(self.error("Unexpected block parameter"))
            }
            _ => match self.literal()? {
                Some(literal) => Ok(Built::new(Expression::Literal(Box::new(literal)), 1)),
                None => Err(self.error("Variable or expression expected")),
            },
        }
    }

    fn parenthesized(&mut self) -> Parsed<Built> {
        self.enter()?;
        let start = self.step().start;
        let inner = self.expression()?;
        if self.step_if(TokenKind::CloseParenthesis).is_none() {
            return Err(self.error("')' expected"));
        }
        self.leave();
        Ok(Built {
            outer: self.span_from(start),
            ..inner
        })
    }

    /// The current token as a variable, not passed.
    fn variable_here(&self) -> Variable {
        Variable {
            span: self.current().span,
            name: self.text().to_owned(),
        }
    }
}
