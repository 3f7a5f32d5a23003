//! Methods, do-its and pragmas.

use super::cursor::{Cursor, Parsed};
use crate::ast::{Literal, LiteralValue, Method, Pragma, Script, Sequence, Variable};
use crate::lexer::TokenKind;
use crate::span::Span;

/// What stands before a method's body.
pub(super) struct Pattern {
    pub(super) selector: String,
    selector_parts: Vec<Span>,
    arguments: Vec<Variable>,
}

impl Cursor<'_> {
    pub(super) fn method(&mut self) -> Parsed<Method> {
        let start = self.current().span.start;
        let pattern = self.pattern()?;
        let mut pragmas = Vec::new();
        self.pragmas_into(&mut pragmas)?;
        let body = self.body_into(&mut pragmas)?;
        Ok(Method {
            span: self.span_from(start),
            selector: pattern.selector,
            selector_parts: pattern.selector_parts,
            arguments: pattern.arguments,
            pragmas,
            body,
            comments: self.take_comments(),
        })
    }

    pub(super) fn script(&mut self) -> Parsed<Script> {
        let start = self.current().span.start;
        let mut pragmas = Vec::new();
        let body = self.body_into(&mut pragmas)?;
        let span = self.span_from(start);
        Ok(Script {
            span,
            pragmas,
            body,
            comments: self.take_comments(),
        })
    }

    pub(super) fn pattern(&mut self) -> Parsed<Pattern> {
        let mut pattern = Pattern {
            selector: self.text().to_owned(),
            selector_parts: vec![self.current().span],
            arguments: Vec::new(),
        };
        match self.kind() {
            TokenKind::Identifier => {
                self.step();
            }
            TokenKind::Binary => {
                self.step();
                pattern.arguments.push(self.declared_variable()?);
            }
            TokenKind::Keyword => {
                self.step();
                pattern.arguments.push(self.declared_variable()?);
                while self.kind() == TokenKind::Keyword {
                    pattern.selector.push_str(self.text());
                    pattern.selector_parts.push(self.step());
                    pattern.arguments.push(self.declared_variable()?);
                }
            }
            _ => return Err(self.error("Message pattern expected")),
        }
        Ok(pattern)
    }

    /// A name where one is declared.
    pub(super) fn declared_variable(&mut self) -> Parsed<Variable> {
        if !self.is_name() {
            return Err(self.error("Variable name expected"));
        }
        let name = self.text().to_owned();
        let variable = Variable {
            span: self.current().span,
            name,
        };
        if variable.kind().is_pseudo() {
            return Err(self.error("Variable name expected, this one is reserved"));
        }
        self.step();
        Ok(variable)
    }

    /// Temporaries, pragmas, statements, and then the end.
    fn body_into(&mut self, pragmas: &mut Vec<Pragma>) -> Parsed<Sequence> {
        let start = self.current().span.start;
        let before = self.last_end();
        let temporaries = self.temporaries()?;
        self.pragmas_into(pragmas)?;
        let statements = self.statements(None)?.0;
        let is_empty = self.last_end() == before;
        let span = if is_empty {
            Span::at(before)
        } else {
            self.span_from(start)
        };
        Ok(Sequence {
            span,
            temporaries,
            statements,
        })
    }

    fn pragmas_into(&mut self, pragmas: &mut Vec<Pragma>) -> Parsed<()> {
        while self.is_binary("<") {
            pragmas.push(self.pragma()?);
        }
        Ok(())
    }

    fn pragma(&mut self) -> Parsed<Pragma> {
        let start = self.step().start;
        let mut selector = self.text().to_owned();
        let mut selector_parts = vec![self.current().span];
        let mut arguments = Vec::new();
        let is_primitive = selector == "primitive:";
        match self.kind() {
            TokenKind::Identifier => {
                self.step();
            }
            TokenKind::Binary => {
                self.step();
                arguments.push(self.pragma_argument(false)?);
            }
            TokenKind::Keyword => {
                self.step();
                arguments.push(self.pragma_argument(is_primitive)?);
                while self.kind() == TokenKind::Keyword {
                    selector.push_str(self.text());
                    selector_parts.push(self.step());
                    arguments.push(self.pragma_argument(is_primitive)?);
                }
            }
            _ => return Err(self.error("Message pattern expected")),
        }
        if !self.is_binary(">") {
            return Err(self.error("'>' expected"));
        }
        self.step();
        Ok(Pragma {
            span: self.span_from(start),
            selector,
            selector_parts,
            arguments,
        })
    }

    /// Only a primitive's pragma may have a name for an argument: that of its error code.
    fn pragma_argument(&mut self, names_allowed: bool) -> Parsed<Literal> {
        if names_allowed && self.is_name() {
            let value = LiteralValue::Symbol(self.text().to_owned());
            return Ok(Literal {
                span: self.step(),
                value,
            });
        }
        match self.literal()? {
            Some(literal) => Ok(literal),
            None => Err(self.error("Literal constant expected")),
        }
    }
}
