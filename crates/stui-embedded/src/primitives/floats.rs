//! Floats. An argument may be an integer of any size: it is converted.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use super::{Call, table};
use crate::value::Value;
use crate::vm::Vm;

table! {
    "floatAdd" => |vm: &mut Vm, call| binary(vm, call, |a, b| a + b),
    "floatSub" => |vm: &mut Vm, call| binary(vm, call, |a, b| a - b),
    "floatMul" => |vm: &mut Vm, call| binary(vm, call, |a, b| a * b),
    "floatDiv" => divide,
    "floatRaisedTo" => |vm: &mut Vm, call| binary(vm, call, f64::powf),
    "floatArcTan2" => |vm: &mut Vm, call| binary(vm, call, f64::atan2),
    "floatLt" => |vm: &mut Vm, call| compare(vm, call, |a, b| a < b),
    "floatGt" => |vm: &mut Vm, call| compare(vm, call, |a, b| a > b),
    "floatLe" => |vm: &mut Vm, call| compare(vm, call, |a, b| a <= b),
    "floatGe" => |vm: &mut Vm, call| compare(vm, call, |a, b| a >= b),
    "floatEq" => |vm: &mut Vm, call| compare(vm, call, |a, b| a == b),
    "floatSqrt" => |vm: &mut Vm, call| unary(vm, call, f64::sqrt),
    "floatSin" => |vm: &mut Vm, call| unary(vm, call, f64::sin),
    "floatCos" => |vm: &mut Vm, call| unary(vm, call, f64::cos),
    "floatTan" => |vm: &mut Vm, call| unary(vm, call, f64::tan),
    "floatArcSin" => |vm: &mut Vm, call| unary(vm, call, f64::asin),
    "floatArcCos" => |vm: &mut Vm, call| unary(vm, call, f64::acos),
    "floatArcTan" => |vm: &mut Vm, call| unary(vm, call, f64::atan),
    "floatLn" => |vm: &mut Vm, call| unary(vm, call, f64::ln),
    "floatLog10" => |vm: &mut Vm, call| unary(vm, call, f64::log10),
    "floatExp" => |vm: &mut Vm, call| unary(vm, call, f64::exp),
    "floatFractionPart" => |vm: &mut Vm, call| unary(vm, call, f64::fract),
    "floatTruncated" => truncated,
    "floatIsNaN" => |vm: &mut Vm, call| test(vm, call, f64::is_nan),
    "floatIsInfinite" => |vm: &mut Vm, call| test(vm, call, f64::is_infinite),
    "floatExponent" => exponent,
    "floatTimesTwoPower" => times_two_power,
    "floatBits" => bits,
    "floatPrint" => print,
    "stringAsFloat" => from_string,
    "floatFromString" => from_string,
}

impl Vm {
    /// The value as a float, when it is a float or an integer.
    pub(crate) fn number_as_float(&self, value: Value) -> Option<f64> {
        match value {
            Value::Float(float) => Some(float),
            // Rounds to the nearest, as does `to_f64` below; too large gives infinity.
            #[allow(clippy::cast_precision_loss)]
            Value::Int(integer) => Some(integer as f64),
            other => self.integer(other)?.to_f64(),
        }
    }
}

fn receiver(vm: &Vm, call: Call) -> Option<f64> {
    match vm.recv(call) {
        Value::Float(float) => Some(float),
        _ => None,
    }
}

fn unary(vm: &mut Vm, call: Call, operation: impl FnOnce(f64) -> f64) -> Option<Value> {
    receiver(vm, call).map(|float| Value::Float(operation(float)))
}

fn test(vm: &mut Vm, call: Call, operation: impl FnOnce(f64) -> bool) -> Option<Value> {
    receiver(vm, call).map(|float| Value::from_bool(operation(float)))
}

fn binary(vm: &mut Vm, call: Call, operation: impl FnOnce(f64, f64) -> f64) -> Option<Value> {
    let b = vm.number_as_float(vm.arg(call, 0))?;
    receiver(vm, call).map(|a| Value::Float(operation(a, b)))
}

fn divide(vm: &mut Vm, call: Call) -> Option<Value> {
    let by = vm.number_as_float(vm.arg(call, 0))?;
    if by == 0.0 {
        return None;
    }
    receiver(vm, call).map(|a| Value::Float(a / by))
}

/// Comparisons are exact: those with an integer that may not be a float are left to the method,
/// which compares fractions.
fn compare(vm: &mut Vm, call: Call, operation: impl FnOnce(f64, f64) -> bool) -> Option<Value> {
    /// Up to here every integer is a float.
    const EXACT: i64 = 1 << 53;
    let b = match vm.arg(call, 0) {
        Value::Int(integer) if !(-EXACT..=EXACT).contains(&integer) => return None,
        small @ (Value::Int(_) | Value::Float(_)) => vm.number_as_float(small)?,
        _ => return None,
    };
    receiver(vm, call).map(|a| Value::from_bool(operation(a, b)))
}

fn truncated(vm: &mut Vm, call: Call) -> Option<Value> {
    let integer = BigInt::from_f64(receiver(vm, call)?.trunc())?;
    Some(vm.new_integer(integer))
}

/// The exponent of two of the highest bit; 0 for zero and what is not finite.
fn exponent(vm: &mut Vm, call: Call) -> Option<Value> {
    const EXPONENT_BITS: u64 = 0x7FF;
    const BIAS: i64 = 1023;
    const SUBNORMAL_SCALE: i64 = 54;
    let float = receiver(vm, call)?;
    if float == 0.0 || !float.is_finite() {
        return Some(Value::Int(0));
    }
    let raw = |float: f64| i64::try_from(float.to_bits() >> 52 & EXPONENT_BITS).unwrap_or(0);
    let exponent = match raw(float) {
        0 => raw(float * 2f64.powi(54)) - SUBNORMAL_SCALE - BIAS,
        normal => normal - BIAS,
    };
    Some(Value::Int(exponent))
}

fn times_two_power(vm: &mut Vm, call: Call) -> Option<Value> {
    /// Beyond this every float is zero or infinite.
    const FAR: i64 = 2200;
    /// Powers of two up to here are normal floats.
    const STEP: i64 = 1000;
    let mut float = receiver(vm, call)?;
    let Value::Int(by) = vm.arg(call, 0) else {
        return None;
    };
    let mut by = by.clamp(-FAR, FAR);
    while by != 0 {
        let step = by.clamp(-STEP, STEP);
        float *= 2f64.powi(i32::try_from(step).unwrap_or_default());
        by -= step;
    }
    Some(Value::Float(float))
}

fn bits(vm: &mut Vm, call: Call) -> Option<Value> {
    let bits = receiver(vm, call)?.to_bits();
    Some(vm.new_integer(BigInt::from(bits)))
}

fn print(vm: &mut Vm, call: Call) -> Option<Value> {
    let text = float_text(receiver(vm, call)?);
    Some(vm.new_string(&text))
}

/// The shortest text that reads as the same float, in Pharo's form.
pub(crate) fn float_text(float: f64) -> String {
    const FIXED_FROM: f64 = 1e-4;
    const FIXED_BELOW: f64 = 1e6;
    if float.is_nan() {
        return "Float nan".to_owned();
    }
    if float.is_infinite() {
        let sign = if float < 0.0 { " negated" } else { "" };
        return format!("Float infinity{sign}");
    }
    let size = float.abs();
    let is_fixed = size == 0.0 || (FIXED_FROM..FIXED_BELOW).contains(&size);
    let text = if is_fixed {
        format!("{float}")
    } else {
        format!("{float:e}")
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, ""));
    let point = if digits.contains('.') { "" } else { ".0" };
    let mark = if exponent.is_empty() { "" } else { "e" };
    format!("{digits}{point}{mark}{exponent}")
}

fn from_string(vm: &mut Vm, call: Call) -> Option<Value> {
    let text = vm
        .string_value(vm.recv(call))
        .or_else(|| vm.arg_string(call, 0))?;
    // Rust also reads `inf`, `nan` and `1.`; Smalltalk does not.
    let is_number = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
        && text.ends_with(|last: char| last.is_ascii_digit());
    is_number.then(|| text.parse().ok().map(Value::Float))?
}
