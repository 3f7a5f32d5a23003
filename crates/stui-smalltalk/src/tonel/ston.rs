//! The values of definitions: the part of STON, Pharo's object notation, that Tonel uses.

use super::MAX_VALUE_NESTING;
use super::reader::{Read, Reader};

/// A value in a definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nil,
    /// `true`, `false` or a number, as spelled: no key of Tonel has such a value.
    Plain,
    /// A string or symbol; the versions of Tonel differ in nothing else.
    Text(String),
    List(Vec<Value>),
    Map,
}

/// The pairs of a map in their order.
pub(super) type Pairs = Vec<(String, Value)>;

impl Reader<'_> {
    /// `{ #key : value, … }`
    pub(super) fn map(&mut self, depth: usize) -> Read<Pairs> {
        self.expect("{")?;
        let mut pairs = Vec::new();
        self.skip_blanks();
        if self.eat("}") {
            return Ok(pairs);
        }
        loop {
            self.skip_blanks();
            let Value::Text(key) = self.value(depth + 1)? else {
                return Err(self.missing("a key such as #name"));
            };
            self.expect(":")?;
            self.skip_blanks();
            pairs.push((key, self.value(depth + 1)?));
            self.skip_blanks();
            if self.eat("}") {
                return Ok(pairs);
            }
            if !self.eat(",") {
                return Err(self.missing("',' or '}'"));
            }
        }
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        if depth > MAX_VALUE_NESTING {
            return Err(self.fault(format!("nested more than {MAX_VALUE_NESTING} deep")));
        }
        match self.rest().chars().next() {
            Some('\'' | '"') => self.quoted().map(Value::Text),
            Some('#') => self.symbol().map(Value::Text),
            Some('[') => self.list(depth).map(Value::List),
            Some('{') => self.map(depth).map(|_| Value::Map),
            Some('-' | '0'..='9') => {
                self.skip_number();
                Ok(Value::Plain)
            }
            _ => self.constant(),
        }
    }

    fn constant(&mut self) -> Read<Value> {
        let start = self.at;
        match self.word() {
            "nil" | "null" => Ok(Value::Nil),
            "true" | "false" => Ok(Value::Plain),
            _ => {
                self.at = start;
                Err(self.missing("a string, symbol, list or map"))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Read<Vec<Value>> {
        self.expect("[")?;
        let mut values = Vec::new();
        self.skip_blanks();
        if self.eat("]") {
            return Ok(values);
        }
        loop {
            self.skip_blanks();
            values.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.eat("]") {
                return Ok(values);
            }
            if !self.eat(",") {
                return Err(self.missing("',' or ']'"));
            }
        }
    }

    fn skip_number(&mut self) {
        let rest = self.rest();
        let is_part = |next: char| next.is_ascii_alphanumeric() || matches!(next, '-' | '.' | '/');
        self.at += rest.find(|next| !is_part(next)).unwrap_or(rest.len());
    }

    fn symbol(&mut self) -> Read<String> {
        self.at += 1;
        let rest = self.rest();
        if rest.starts_with('\'') {
            return self.quoted();
        }
        let is_part = |next: char| {
            next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '.' | '/' | ':')
        };
        let length = rest.find(|next| !is_part(next)).unwrap_or(rest.len());
        // `#name:` is the key `name` written without a blank.
        let length = rest[..length].trim_end_matches(':').len();
        if length == 0 {
            return Err(self.missing("a symbol"));
        }
        self.at += length;
        Ok(rest[..length].to_owned())
    }

    /// A string in quotes of either kind, with backslash escapes; a doubled quote is a quote.
    fn quoted(&mut self) -> Read<String> {
        let start = self.at;
        let Some(quote) = self.next_character() else {
            return Err(self.missing("a string"));
        };
        let mut text = String::new();
        while let Some(character) = self.next_character() {
            if character == '\\' {
                text.push(self.escaped()?);
            } else if character != quote {
                text.push(character);
            } else if self.rest().starts_with(quote) {
                self.at += 1;
                text.push(quote);
            } else {
                return Ok(text);
            }
        }
        self.at = start;
        Err(self.fault("the string has no closing quote".to_owned()))
    }

    fn next_character(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn escaped(&mut self) -> Read<char> {
        let at = self.at;
        match self.next_character() {
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{C}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('v') => Ok('\u{B}'),
            Some('u') => self.code_point(),
            Some(character @ ('\'' | '"' | '\\' | '/')) => Ok(character),
            _ => {
                self.at = at;
                Err(self.missing("an escape such as \\n"))
            }
        }
    }

    /// Four hexadecimal digits, or twice as many for a surrogate pair.
    fn code_point(&mut self) -> Read<char> {
        let first = self.four_digits()?;
        let code = if (0xD800..0xDC00).contains(&first) && self.eat("\\u") {
            let second = self.four_digits()?;
            0x1_0000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.fault("this code is no character".to_owned()))
    }

    fn four_digits(&mut self) -> Read<u32> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|text| u32::from_str_radix(text, 16).ok());
        let Some(code) = code else {
            return Err(self.missing("four hexadecimal digits"));
        };
        self.at += 4;
        Ok(code)
    }
}
