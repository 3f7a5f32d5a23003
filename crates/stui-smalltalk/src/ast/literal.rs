//! Literals as the source spells them. Integers stay digits: they may be of any size, and this
//! crate does no arithmetic.

use crate::span::Span;

/// A literal with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// Its text, sign and `#` included.
    pub span: Span,
    /// What it denotes.
    pub value: LiteralValue,
}

/// What a literal denotes.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralValue {
    /// `42`, `-16r1F`, `1e100`.
    Integer(Integer),
    /// `1.5e-3`, `2r1.1`; may be negative zero.
    Float(f64),
    /// `1.50s2`.
    ScaledDecimal(ScaledDecimal),
    /// `$a`
    Character(char),
    /// `'it''s'`, the quotes undone.
    String(String),
    /// `#foo`, `#at:put:`, `#'foo bar'`, `#+`; in a literal array also without `#`.
    Symbol(String),
    /// `#( … )`
    Array(Vec<Literal>),
    /// `#[ … ]`
    ByteArray(Vec<u8>),
    /// `true` in a literal array or pragma.
    True,
    /// `false` in a literal array or pragma.
    False,
    /// `nil` in a literal array or pragma.
    Nil,
}

/// An integer of any size: (-1 if negative) × digits in `radix` × radix ^ `exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integer {
    /// Whether a minus sign stands before it, or after the radix (`16r-1F`).
    pub negative: bool,
    /// 2 to 36.
    pub radix: u32,
    /// At least one digit of that radix, `0`-`9` and `A`-`Z` or `a`-`z`; maybe leading zeros.
    pub digits: String,
    /// At most [`crate::parser::MAX_EXPONENT`].
    pub exponent: u32,
}

/// An exact decimal: (-1 if negative) × digits in `radix` / radix ^ `fraction_digits`, printed
/// with `scale` decimals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaledDecimal {
    /// Whether a minus sign stands before it.
    pub negative: bool,
    /// 2 to 36.
    pub radix: u32,
    /// The digits before and after the point, without the point.
    pub digits: String,
    /// How many of them stand after the point.
    pub fraction_digits: u32,
    /// The number after the `s`; without one, `fraction_digits`.
    pub scale: u32,
}

impl Integer {
    /// Its value when that fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        let magnitude = i128::from_str_radix(&self.digits, self.radix).ok()?;
        let factor = i128::from(self.radix).checked_pow(self.exponent)?;
        let value = magnitude.checked_mul(factor)?;
        i64::try_from(if self.negative { -value } else { value }).ok()
    }
}
