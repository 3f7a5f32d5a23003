//! Arithmetic on small integers and floats without a send. Whatever is not plain and exact here
//! (overflow, division by zero, mixed kinds) is left to the methods.

use crate::bytecode::Arith;
use crate::value::Value;

/// The result, when it needs no send.
#[inline]
pub(super) fn fast(kind: Arith, a: Value, b: Value) -> Option<Value> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => integers(kind, a, b),
        (Value::Float(a), Value::Float(b)) => floats(kind, a, b),
        _ => None,
    }
}

#[inline]
fn integers(kind: Arith, a: i64, b: i64) -> Option<Value> {
    Some(match kind {
        Arith::Add => Value::Int(a.checked_add(b)?),
        Arith::Sub => Value::Int(a.checked_sub(b)?),
        Arith::Mul => Value::Int(a.checked_mul(b)?),
        Arith::Less => Value::from_bool(a < b),
        Arith::Greater => Value::from_bool(a > b),
        Arith::LessEq => Value::from_bool(a <= b),
        Arith::GreaterEq => Value::from_bool(a >= b),
        Arith::Equal => Value::from_bool(a == b),
        Arith::NotEqual => Value::from_bool(a != b),
        Arith::Div => Value::Int(floor_div(a, b)?),
        Arith::Mod => Value::Int(a.checked_sub(floor_div(a, b)?.checked_mul(b)?)?),
        Arith::BitAnd => Value::Int(a & b),
    })
}

/// Division that rounds down; `None` by zero and at overflow.
fn floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    let exact = a.checked_rem(b)? == 0;
    Some(if !exact && (a < 0) != (b < 0) {
        quotient - 1
    } else {
        quotient
    })
}

#[inline]
fn floats(kind: Arith, a: f64, b: f64) -> Option<Value> {
    Some(match kind {
        Arith::Add => Value::Float(a + b),
        Arith::Sub => Value::Float(a - b),
        Arith::Mul => Value::Float(a * b),
        Arith::Less => Value::from_bool(a < b),
        Arith::Greater => Value::from_bool(a > b),
        Arith::LessEq => Value::from_bool(a <= b),
        Arith::GreaterEq => Value::from_bool(a >= b),
        #[allow(clippy::float_cmp)] // Smalltalk's `=` is exact
        Arith::Equal => Value::from_bool(a == b),
        #[allow(clippy::float_cmp)] // as above
        Arith::NotEqual => Value::from_bool(a != b),
        Arith::Div | Arith::Mod | Arith::BitAnd => return None,
    })
}
