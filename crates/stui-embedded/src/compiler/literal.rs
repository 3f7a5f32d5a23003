//! The objects that literals stand for. Each evaluation of a literal gives the same object.

use num_bigint::{BigInt, Sign};
use num_traits::Pow;
use stui_smalltalk::Span;
use stui_smalltalk::ast::{Integer, Literal, LiteralValue, ScaledDecimal};

use super::{CompileError, Compiled, Compiler};
use crate::object::{Body, Object};
use crate::value::Value;
use crate::vm::Vm;

impl Compiler<'_> {
    pub(super) fn literal(&mut self, literal: &Literal) -> Compiled {
        let value = literal_value(self.vm, literal)?;
        self.emit_constant(value, literal.span);
        Ok(())
    }
}

/// Makes the object. The parser bounds the nesting of literal arrays.
fn literal_value(vm: &mut Vm, literal: &Literal) -> Compiled<Value> {
    Ok(match &literal.value {
        LiteralValue::Integer(integer) => {
            let value = big_integer(
                integer.negative,
                integer.radix,
                &integer.digits,
                literal.span,
            )?;
            vm.new_integer(value * exponent(integer))
        }
        LiteralValue::Float(float) => Value::Float(*float),
        LiteralValue::ScaledDecimal(decimal) => scaled_decimal(vm, decimal, literal.span)?,
        LiteralValue::Character(character) => Value::Char(*character),
        LiteralValue::String(text) => vm.new_string(text),
        LiteralValue::Symbol(text) => vm.new_symbol(text),
        LiteralValue::Array(elements) => {
            let elements: Vec<_> = elements
                .iter()
                .map(|element| literal_value(vm, element))
                .collect::<Result<_, _>>()?;
            vm.new_array(elements)
        }
        LiteralValue::ByteArray(bytes) => vm.new_byte_array(bytes.clone()),
        LiteralValue::True => Value::True,
        LiteralValue::False => Value::False,
        LiteralValue::Nil => Value::Nil,
    })
}

fn exponent(integer: &Integer) -> BigInt {
    BigInt::from(integer.radix).pow(integer.exponent)
}

fn big_integer(negative: bool, radix: u32, digits: &str, span: Span) -> Compiled<BigInt> {
    let magnitude = BigInt::parse_bytes(digits.as_bytes(), radix).ok_or_else(|| CompileError {
        message: "Invalid number".to_owned(),
        span,
    })?;
    Ok(if negative && magnitude.sign() != Sign::NoSign {
        -magnitude
    } else {
        magnitude
    })
}

/// A ScaledDecimal: a reduced fraction and a scale, in the slots that the class library gives it.
fn scaled_decimal(vm: &mut Vm, decimal: &ScaledDecimal, span: Span) -> Compiled<Value> {
    use num_integer::Integer as _;
    let digits = big_integer(decimal.negative, decimal.radix, &decimal.digits, span)?;
    let denominator = BigInt::from(decimal.radix).pow(decimal.fraction_digits);
    let common = digits.gcd(&denominator);
    let values = [
        ("numerator", vm.new_integer(&digits / &common)),
        ("denominator", vm.new_integer(&denominator / &common)),
        ("scale", Value::Int(decimal.scale.into())),
    ];
    let Some(class) = vm.class_named("ScaledDecimal") else {
        return Err(CompileError {
            message: "There are no scaled decimals".to_owned(),
            span,
        });
    };
    let slots = vm
        .heap
        .class(class)
        .map_or(0, |class| class.all_slots.len());
    let mut object = Object::with_body(class, slots, Body::None);
    for (name, value) in values {
        if let Some(index) = vm.slot_index(class, name) {
            object.slots[usize::from(index)] = value;
        }
    }
    Ok(Value::Obj(vm.heap.add(object)))
}
