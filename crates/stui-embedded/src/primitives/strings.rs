//! Strings and Symbols: sequences of characters. A Symbol is read only and the only one of its
//! text.

use std::cmp::Ordering;

use super::characters::{lowercase, uppercase};
use super::{Call, Done, count, table};
use crate::object::Body;
use crate::value::Value;
use crate::vm::Vm;

/// Pharo's, so that Sets print in Pharo's order.
const HASH_FACTOR: u64 = 1_664_525;
const HASH_MASK: u64 = (1 << 28) - 1;

table! {
    "stringCompare" => compare,
    "stringEqual" => equal,
    "stringHash" => hash,
    "stringAsSymbol" => as_symbol,
    "symbolAsString" => as_string,
    "stringIndexOf" => index_of,
    "stringFindString" => find_string,
    "stringConcat" => concat,
    "stringAsUppercase" => |vm: &mut Vm, call| map(vm, call, uppercase),
    "stringAsLowercase" => |vm: &mut Vm, call| map(vm, call, lowercase),
    "stringUtf8Encode" => utf8_encode,
    "byteArrayUtf8Decode" => utf8_decode,
}

fn compare(vm: &mut Vm, call: Call) -> Option<Value> {
    let (a, b) = (vm.text(vm.recv(call))?, vm.text(vm.arg(call, 0))?);
    Some(Value::Int(match a.cmp(b) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

/// Whether the texts are the same; no difference between String and Symbol.
fn equal(vm: &mut Vm, call: Call) -> Option<Value> {
    let (a, b) = (vm.text(vm.recv(call))?, vm.text(vm.arg(call, 0))?);
    Some(Value::from_bool(a == b))
}

fn hash(vm: &mut Vm, call: Call) -> Option<Value> {
    let step = |hash: u64, character: &char| {
        (hash + u64::from(u32::from(*character))).wrapping_mul(HASH_FACTOR) & HASH_MASK
    };
    let hash = vm.text(vm.recv(call))?.iter().fold(0, step);
    i64::try_from(hash).ok().map(Value::Int)
}

fn as_symbol(vm: &mut Vm, call: Call) -> Option<Value> {
    let text = vm.string_value(vm.recv(call))?;
    Some(vm.new_symbol(&text))
}

fn as_string(vm: &mut Vm, call: Call) -> Option<Value> {
    let text = vm.text(vm.recv(call))?.to_vec();
    Some(vm.new_text(text))
}

/// Index of a character from a start on; 0 when there is none.
fn index_of(vm: &mut Vm, call: Call) -> Option<Value> {
    let Value::Char(wanted) = vm.arg(call, 0) else {
        return None;
    };
    let start = vm.arg_usize(call, 1)?.max(1) - 1;
    let text = vm.text(vm.recv(call))?;
    let found = text
        .iter()
        .skip(start)
        .position(|character| *character == wanted);
    Some(count(found.map_or(0, |index| start + index + 1)))
}

/// Index of a part from a start on; 0 when there is none.
fn find_string(vm: &mut Vm, call: Call) -> Option<Value> {
    let start = vm.arg_usize(call, 1)?.max(1) - 1;
    let (text, part) = (vm.text(vm.recv(call))?, vm.text(vm.arg(call, 0))?);
    if part.is_empty() {
        return Some(Value::Int(0));
    }
    let rest = text.get(start..).unwrap_or_default();
    Some(count(find(rest, part).map_or(0, |index| start + index + 1)))
}

/// Where `part`, which is not empty, begins in `text`: after Knuth, Morris and Pratt, in linear
/// time, for a primitive is not interrupted.
fn find(text: &[char], part: &[char]) -> Option<usize> {
    // For each length of a matched beginning, the longest shorter one that it ends with.
    let mut shorter = vec![0; part.len()];
    let mut matched = 0;
    for index in 1..part.len() {
        while matched > 0 && part[index] != part[matched] {
            matched = shorter[matched - 1];
        }
        matched += usize::from(part[index] == part[matched]);
        shorter[index] = matched;
    }
    matched = 0;
    for (index, character) in text.iter().enumerate() {
        while matched > 0 && *character != part[matched] {
            matched = shorter[matched - 1];
        }
        matched += usize::from(*character == part[matched]);
        if matched == part.len() {
            return Some(index + 1 - matched);
        }
    }
    None
}

fn concat(vm: &mut Vm, call: Call) -> Option<Done> {
    let (a, b) = (vm.text(vm.recv(call))?, vm.text(vm.arg(call, 0))?);
    if !vm.has_room((a.len() + b.len()) * size_of::<char>()) {
        return Some(Done::NoMemory);
    }
    let joined = [a, b].concat();
    Some(Done::Value(vm.new_text(joined)))
}

fn map(vm: &mut Vm, call: Call, operation: impl Fn(char) -> char) -> Option<Value> {
    let receiver = vm.recv(call);
    let changed: Vec<char> = vm.text(receiver)?.iter().map(|c| operation(*c)).collect();
    let class = vm.class_oid(receiver);
    if class == vm.known.symbol {
        let text: String = changed.into_iter().collect();
        return Some(vm.new_symbol(&text));
    }
    Some(vm.new_text(changed))
}

fn utf8_encode(vm: &mut Vm, call: Call) -> Option<Value> {
    let bytes = vm.string_value(vm.recv(call))?.into_bytes();
    Some(vm.new_byte_array(bytes))
}

fn utf8_decode(vm: &mut Vm, call: Call) -> Option<Value> {
    let Body::Bytes(bytes) = &vm.heap.get(vm.recv_oid(call)?).body else {
        return None;
    };
    let text = std::str::from_utf8(bytes).ok()?.chars().collect();
    Some(vm.new_text(text))
}
