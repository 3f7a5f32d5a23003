//! Characters: Unicode scalar values.

use super::{Call, table};
use crate::value::Value;
use crate::vm::Vm;

table! {
    "charValue" => value,
    "charIsLetter" => |vm: &mut Vm, call| test(vm, call, char::is_alphabetic),
    "charIsDigit" => |vm: &mut Vm, call| test(vm, call, |c| c.is_ascii_digit()),
    "charIsUppercase" => |vm: &mut Vm, call| test(vm, call, char::is_uppercase),
    "charIsLowercase" => |vm: &mut Vm, call| test(vm, call, char::is_lowercase),
    "charIsSeparator" => |vm: &mut Vm, call| test(vm, call, char::is_whitespace),
    "charAsUppercase" => |vm: &mut Vm, call| change(vm, call, uppercase),
    "charAsLowercase" => |vm: &mut Vm, call| change(vm, call, lowercase),
}

/// The uppercase form when it is one character, else the character itself.
pub(super) fn uppercase(character: char) -> char {
    let mut upper = character.to_uppercase();
    upper
        .next()
        .filter(|_| upper.next().is_none())
        .unwrap_or(character)
}

/// The lowercase form when it is one character, else the character itself.
pub(super) fn lowercase(character: char) -> char {
    let mut lower = character.to_lowercase();
    lower
        .next()
        .filter(|_| lower.next().is_none())
        .unwrap_or(character)
}

fn receiver(vm: &Vm, call: Call) -> Option<char> {
    match vm.recv(call) {
        Value::Char(character) => Some(character),
        _ => None,
    }
}

fn value(vm: &mut Vm, call: Call) -> Option<Value> {
    receiver(vm, call).map(|character| Value::Int(u32::from(character).into()))
}

fn test(vm: &mut Vm, call: Call, operation: impl FnOnce(char) -> bool) -> Option<Value> {
    receiver(vm, call).map(|character| Value::from_bool(operation(character)))
}

fn change(vm: &mut Vm, call: Call, operation: impl FnOnce(char) -> char) -> Option<Value> {
    receiver(vm, call).map(|character| Value::Char(operation(character)))
}
