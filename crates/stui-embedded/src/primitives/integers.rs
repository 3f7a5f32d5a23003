//! Integers of any size. Small ones have a short cut in the interpreter for what is most common;
//! here is the rest, and everything on large ones.

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::{Call, Done, table};
use crate::object::Body;
use crate::value::Value;
use crate::vm::Vm;

/// Bits of the largest integer, some 300 000 decimal digits: what can still be printed in a
/// moment, since a primitive is not interrupted.
const MAX_BITS: u64 = 1 << 20;

table! {
    "intAdd" => |vm: &mut Vm, call| binary(vm, call, |a, b| Some(a + b)),
    "intSub" => |vm: &mut Vm, call| binary(vm, call, |a, b| Some(a - b)),
    "intMul" => |vm: &mut Vm, call| binary(vm, call, |a, b| Some(a * b)),
    "intDiv" => |vm: &mut Vm, call| binary(vm, call, |a, b| (!b.is_zero()).then(|| a.div_floor(b))),
    "intMod" => |vm: &mut Vm, call| binary(vm, call, |a, b| (!b.is_zero()).then(|| a.mod_floor(b))),
    "intQuo" => |vm: &mut Vm, call| binary(vm, call, |a, b| (!b.is_zero()).then(|| a / b)),
    "intRem" => |vm: &mut Vm, call| binary(vm, call, |a, b| (!b.is_zero()).then(|| a % b)),
    "intDivide" => |vm: &mut Vm, call| binary(vm, call, exact_quotient),
    "intGcd" => |vm: &mut Vm, call| binary(vm, call, |a, b| Some(a.gcd(b))),
    "intBitAnd" => |vm: &mut Vm, call| binary(vm, call, |a, b| Some(a & b)),
    "intBitOr" => |vm: &mut Vm, call| binary(vm, call, |a, b| Some(a | b)),
    "intBitXor" => |vm: &mut Vm, call| binary(vm, call, |a, b| Some(a ^ b)),
    "intBitShift" => bit_shift,
    "intPow" => power,
    "intLt" => |vm: &mut Vm, call| compare(vm, call, |a, b| a < b),
    "intGt" => |vm: &mut Vm, call| compare(vm, call, |a, b| a > b),
    "intLe" => |vm: &mut Vm, call| compare(vm, call, |a, b| a <= b),
    "intGe" => |vm: &mut Vm, call| compare(vm, call, |a, b| a >= b),
    "intEq" => |vm: &mut Vm, call| compare(vm, call, |a, b| a == b),
    "intNe" => |vm: &mut Vm, call| compare(vm, call, |a, b| a != b),
    "intPrintRadix" => print_radix,
    "intAsFloat" => as_float,
    "intAsCharacter" => as_character,
    "intSqrtFloor" => sqrt_floor,
    "intHighBit" => high_bit,
    "intMaxVal" => |_: &mut Vm, _| Some(Value::Int(i64::MAX)),
    "intMinVal" => |_: &mut Vm, _| Some(Value::Int(i64::MIN)),
}

impl Vm {
    /// The value as an integer of any size; `None` when it is no integer.
    pub(crate) fn integer(&self, value: Value) -> Option<BigInt> {
        match value {
            Value::Int(integer) => Some(BigInt::from(integer)),
            Value::Obj(oid) => match &self.heap.get(oid).body {
                Body::Integer(integer) => Some(integer.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    fn integers(&self, call: Call) -> Option<(BigInt, BigInt)> {
        Some((
            self.integer(self.recv(call))?,
            self.integer(self.arg(call, 0))?,
        ))
    }

    fn bounded(&mut self, integer: BigInt) -> Done {
        if integer.bits() > MAX_BITS {
            return Done::NoMemory;
        }
        Done::Value(self.new_integer(integer))
    }
}

fn binary(
    vm: &mut Vm,
    call: Call,
    operation: impl FnOnce(&BigInt, &BigInt) -> Option<BigInt>,
) -> Option<Done> {
    let (a, b) = vm.integers(call)?;
    let result = operation(&a, &b)?;
    Some(vm.bounded(result))
}

fn compare(
    vm: &mut Vm,
    call: Call,
    operation: impl FnOnce(&BigInt, &BigInt) -> bool,
) -> Option<Value> {
    let (a, b) = vm.integers(call)?;
    Some(Value::from_bool(operation(&a, &b)))
}

/// `a / b` when it is an integer.
fn exact_quotient(a: &BigInt, b: &BigInt) -> Option<BigInt> {
    if b.is_zero() {
        return None;
    }
    let (quotient, rest) = a.div_rem(b);
    rest.is_zero().then_some(quotient)
}

fn bit_shift(vm: &mut Vm, call: Call) -> Option<Done> {
    let integer = vm.integer(vm.recv(call))?;
    let Value::Int(by) = vm.arg(call, 0) else {
        return None;
    };
    if by < 0 {
        // Shifting further than there are bits leaves the sign.
        let by = by.unsigned_abs().min(integer.bits() + 1);
        return Some(vm.bounded(integer >> by));
    }
    let by = by.unsigned_abs();
    if integer.is_zero() {
        return Some(Done::Value(Value::Int(0)));
    }
    if by.saturating_add(integer.bits()) > MAX_BITS {
        return Some(Done::NoMemory);
    }
    Some(vm.bounded(integer << by))
}

fn power(vm: &mut Vm, call: Call) -> Option<Done> {
    let (base, exponent) = vm.integers(call)?;
    if exponent.sign() == Sign::Minus {
        return None;
    }
    if base.abs() <= BigInt::from(1) {
        let result = match (base.sign(), exponent.is_zero(), exponent.is_even()) {
            (_, true, _) | (Sign::Plus, ..) | (Sign::Minus, _, true) => 1,
            (Sign::NoSign, ..) => 0,
            (Sign::Minus, ..) => -1,
        };
        return Some(Done::Value(Value::Int(result)));
    }
    let Some(exponent) = exponent.to_u32() else {
        return Some(Done::NoMemory);
    };
    if u64::from(exponent).saturating_mul(base.bits() - 1) > MAX_BITS {
        return Some(Done::NoMemory);
    }
    Some(vm.bounded(base.pow(exponent)))
}

fn print_radix(vm: &mut Vm, call: Call) -> Option<Value> {
    let radix = u32::try_from(vm.arg_usize(call, 0)?).ok()?;
    if !(2..=36).contains(&radix) {
        return None;
    }
    let text = match vm.recv(call) {
        Value::Int(integer) if radix == 10 => integer.to_string(),
        value => vm.integer(value)?.to_str_radix(radix).to_uppercase(),
    };
    Some(vm.new_string(&text))
}

fn as_float(vm: &mut Vm, call: Call) -> Option<Value> {
    vm.number_as_float(vm.recv(call)).map(Value::Float)
}

fn as_character(vm: &mut Vm, call: Call) -> Option<Value> {
    // Smalltalk's characters include the surrogates; ours do not.
    let receiver = vm.integer(vm.recv(call));
    // Sent to an integer, or to a class with the integer as argument.
    let code = receiver.or_else(|| vm.integer(vm.arg(call, 0)))?.to_u32()?;
    char::from_u32(code).map(Value::Char)
}

fn sqrt_floor(vm: &mut Vm, call: Call) -> Option<Value> {
    let integer = vm.integer(vm.recv(call))?;
    if integer.sign() == Sign::Minus {
        return None;
    }
    Some(vm.new_integer(integer.sqrt()))
}

fn high_bit(vm: &mut Vm, call: Call) -> Option<Value> {
    let bits = vm.integer(vm.recv(call))?.abs().bits();
    Some(Value::Int(i64::try_from(bits).unwrap_or(i64::MAX)))
}
