//! Literals, and arrays of them.

use super::cursor::{Cursor, Parsed};
use crate::ast::{Literal, LiteralValue};
use crate::lexer::{TokenKind, number, unquoted};

impl Cursor<'_> {
    /// The literal at the current token, `nil`, `true` and `false` included; none if there is
    /// something else.
    pub(super) fn literal(&mut self) -> Parsed<Option<Literal>> {
        let value = match self.kind() {
            TokenKind::OpenLiteralArray => return self.literal_array().map(Some),
            TokenKind::OpenByteArray => return self.byte_array().map(Some),
            TokenKind::Number => self.number(),
            TokenKind::Character => self.text().chars().nth(1).map(LiteralValue::Character),
            TokenKind::String => Some(LiteralValue::String(unquoted(self.text()))),
            TokenKind::Symbol => Some(symbol(self.text())),
            TokenKind::Identifier => named_literal(self.text()),
            _ => None,
        };
        Ok(value.map(|value| Literal {
            span: self.step(),
            value,
        }))
    }

    fn number(&self) -> Option<LiteralValue> {
        // The lexer has read it before, so it can be read.
        number::scan(self.text()).ok().map(|(value, _)| value)
    }

    /// From `#(`, or `(` inside another one, to its `)`.
    fn literal_array(&mut self) -> Parsed<Literal> {
        self.enter()?;
        let start = self.step().start;
        let mut elements = Vec::new();
        loop {
            match self.kind() {
                TokenKind::CloseParenthesis => break,
                TokenKind::End => return Err(self.error("')' expected")),
                _ => elements.push(self.array_element()?),
            }
        }
        self.step();
        self.leave();
        Ok(Literal {
            span: self.span_from(start),
            value: LiteralValue::Array(elements),
        })
    }

    fn array_element(&mut self) -> Parsed<Literal> {
        match self.kind() {
            TokenKind::OpenParenthesis => return self.literal_array(),
            TokenKind::Error(_) => return Err(self.error("Literal expected")),
            _ => {}
        }
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        // Brackets, periods and the like count as symbols, as in Pharo.
        let value = LiteralValue::Symbol(self.text().to_owned());
        Ok(Literal {
            span: self.step(),
            value,
        })
    }

    /// From `#[` to `]`.
    fn byte_array(&mut self) -> Parsed<Literal> {
        let start = self.step().start;
        let mut bytes = Vec::new();
        loop {
            match self.kind() {
                TokenKind::CloseBracket => break,
                TokenKind::End => return Err(self.error("']' expected")),
                _ => bytes.push(self.byte()?),
            }
        }
        self.step();
        Ok(Literal {
            span: self.span_from(start),
            value: LiteralValue::ByteArray(bytes),
        })
    }

    fn byte(&mut self) -> Parsed<u8> {
        let number = (self.kind() == TokenKind::Number)
            .then(|| self.number())
            .flatten();
        let byte = match number {
            Some(LiteralValue::Integer(integer)) => {
                integer.to_i64().and_then(|value| u8::try_from(value).ok())
            }
            _ => None,
        };
        let Some(byte) = byte else {
            return Err(self.error("8-bit integer expected"));
        };
        self.step();
        Ok(byte)
    }
}

/// The symbol of a token; the named literals need no `#` in an array.
fn symbol(text: &str) -> LiteralValue {
    named_literal(text).unwrap_or_else(|| LiteralValue::Symbol(unquoted(text)))
}

fn named_literal(name: &str) -> Option<LiteralValue> {
    match name {
        "nil" => Some(LiteralValue::Nil),
        "true" => Some(LiteralValue::True),
        "false" => Some(LiteralValue::False),
        _ => None,
    }
}
