//! Number literals: integers with radix and exponent, floats, scaled decimals.
//!
//! The rules are those of Pharo's number reader: a letter or point after the digits that does not
//! go on as a number is no error, it belongs to the next token (`1 e`, `3.`, `2 squared`).

use super::LexicalError;
use crate::ast::{Integer, LiteralValue, ScaledDecimal};
use crate::parser::MAX_EXPONENT;

/// Reads the number that `text` starts with: a digit, or a minus sign and a digit. Answers its
/// value and its length in bytes, or the error and the length of what was read.
pub(crate) fn scan(text: &str) -> Result<(LiteralValue, usize), (LexicalError, usize)> {
    let mut reader = Reader { text, at: 0 };
    let negative = reader.eat('-');
    let mut number = Number {
        negative,
        radix: 10,
        whole: reader.digits(10),
        fraction: "",
    };
    reader
        .read_radix(&mut number)
        .map_err(|error| (error, reader.at))?;
    let value = reader
        .read_tail(&mut number)
        .map_err(|error| (error, reader.at))?;
    Ok((value, reader.at))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

struct Number<'t> {
    negative: bool,
    radix: u32,
    whole: &'t str,
    fraction: &'t str,
}

impl<'t> Reader<'t> {
    fn eat(&mut self, expected: char) -> bool {
        let found = self.text[self.at..].starts_with(expected);
        self.at += usize::from(found) * expected.len_utf8();
        found
    }

    fn digits(&mut self, radix: u32) -> &'t str {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|next: char| !next.is_digit(radix))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn read_radix(&mut self, number: &mut Number<'t>) -> Result<(), LexicalError> {
        if !self.eat('r') {
            return Ok(());
        }
        let Some(radix) = number
            .whole
            .parse()
            .ok()
            .filter(|radix| (2..=36).contains(radix))
        else {
            return Err(LexicalError::RadixExpected);
        };
        number.radix = radix;
        number.negative ^= self.eat('-');
        number.whole = self.digits(radix);
        if number.whole.is_empty() {
            Err(LexicalError::DigitExpected(radix))
        } else {
            Ok(())
        }
    }

    fn read_tail(&mut self, number: &mut Number<'t>) -> Result<LiteralValue, LexicalError> {
        let point = self.at;
        if self.eat('.') {
            number.fraction = self.digits(number.radix);
            if number.fraction.is_empty() {
                self.at = point;
                return Ok(number.integer(0));
            }
        }
        if let Some(exponent) = self.exponent()? {
            return Ok(if number.fraction.is_empty() {
                number.integer(exponent)
            } else {
                LiteralValue::Float(number.float(exponent))
            });
        }
        if let Some(scale) = self.scale(number.fraction.len())? {
            return Ok(number.scaled(scale));
        }
        Ok(if number.fraction.is_empty() {
            number.integer(0)
        } else {
            LiteralValue::Float(number.float(0))
        })
    }

    fn exponent(&mut self) -> Result<Option<i32>, LexicalError> {
        let letter = self.at;
        if !(self.eat('e') || self.eat('d') || self.eat('q')) {
            return Ok(None);
        }
        let negative = self.eat('-');
        let digits = self.digits(10);
        if digits.is_empty() {
            self.at = letter;
            return Ok(None);
        }
        let size = bounded(digits).ok_or(LexicalError::ExponentTooLarge)?;
        // At most 10 000, so it fits.
        let size = size as i32;
        Ok(Some(if negative { -size } else { size }))
    }

    fn scale(&mut self, fraction_digits: usize) -> Result<Option<u32>, LexicalError> {
        let letter = self.at;
        if !self.eat('s') {
            return Ok(None);
        }
        let digits = self.digits(10);
        if !digits.is_empty() {
            return bounded(digits).map(Some).ok_or(LexicalError::ScaleTooLarge);
        }
        // `3 sqrt` without the blank is a message.
        if self.text[self.at..].starts_with(|next: char| next.is_ascii_alphabetic()) {
            self.at = letter;
            return Ok(None);
        }
        u32::try_from(fraction_digits)
            .ok()
            .filter(|scale| *scale <= MAX_EXPONENT)
            .map(Some)
            .ok_or(LexicalError::ScaleTooLarge)
    }
}

impl Number<'_> {
    /// With a negative exponent it is an integer only when it divides: `100e-2` is 1.
    fn integer(&self, exponent: i32) -> LiteralValue {
        let mut digits = self.whole;
        let mut missing = exponent.min(0).unsigned_abs() as usize;
        let is_zero = digits.bytes().all(|digit| digit == b'0');
        if missing > 0 && !is_zero {
            let zeros = digits.len() - digits.trim_end_matches('0').len();
            let dropped = zeros.min(missing);
            digits = &digits[..digits.len() - dropped];
            missing -= dropped;
            if missing > 0 {
                return LiteralValue::Float(self.float(exponent));
            }
        }
        LiteralValue::Integer(Integer {
            negative: self.negative,
            radix: self.radix,
            digits: digits.to_owned(),
            exponent: if is_zero {
                0
            } else {
                exponent.max(0).unsigned_abs()
            },
        })
    }

    fn scaled(&self, scale: u32) -> LiteralValue {
        LiteralValue::ScaledDecimal(ScaledDecimal {
            negative: self.negative,
            radix: self.radix,
            digits: format!("{}{}", self.whole, self.fraction),
            // A source is far shorter than four gigabytes.
            fraction_digits: u32::try_from(self.fraction.len()).unwrap_or(u32::MAX),
            scale,
        })
    }

    /// Correctly rounded in radix 10; in others as exact as 64 bits of mantissa allow.
    fn float(&self, exponent: i32) -> f64 {
        let magnitude = if self.radix == 10 {
            let text = format!("{}.{}e{exponent}", self.whole, self.fraction);
            // Digits, point, digits, exponent: Rust reads every number of that form.
            text.parse().unwrap_or(f64::NAN)
        } else {
            self.float_in_other_radix(exponent)
        };
        if self.negative { -magnitude } else { magnitude }
    }

    fn float_in_other_radix(&self, exponent: i32) -> f64 {
        let radix = u64::from(self.radix);
        let mut mantissa: u64 = 0;
        let mut dropped: i32 = 0;
        for digit in self.whole.chars().chain(self.fraction.chars()) {
            let digit = u64::from(digit.to_digit(self.radix).unwrap_or(0));
            if dropped == 0 && mantissa < u64::MAX / radix - radix {
                mantissa = mantissa * radix + digit;
            } else {
                dropped = dropped.saturating_add(1);
            }
        }
        if mantissa == 0 {
            return 0.0;
        }
        let fraction = i32::try_from(self.fraction.len()).unwrap_or(i32::MAX);
        let power = exponent.saturating_add(dropped).saturating_sub(fraction);
        scaled_by_power(mantissa as f64, f64::from(self.radix), power)
    }
}

/// Divides for negative powers: radix ^ n is exact where radix ^ -n is not.
fn scaled_by_power(mantissa: f64, radix: f64, power: i32) -> f64 {
    let factor = radix.powi(power.saturating_abs());
    if power < 0 {
        mantissa / factor
    } else {
        mantissa * factor
    }
}

fn bounded(digits: &str) -> Option<u32> {
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    significant
        .parse()
        .ok()
        .filter(|value| *value <= MAX_EXPONENT)
}

#[cfg(test)]
mod tests;
