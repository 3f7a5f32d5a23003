//! Primitives: what Smalltalk cannot do itself. A method names one with
//! `<primitive: #areaOperation>`; when it fails the body of the method is executed.
//!
//! A primitive never blocks and never takes long: what could be large is bounded and fails. It
//! may hold values as it likes, since nothing is collected while it runs.

mod blocks;
mod characters;
mod classes;
mod exceptions;
mod floats;
mod indexed;
mod integers;
mod methods;
mod objects;
mod processes;
mod strings;
mod system;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use floats::float_text;

use crate::interpreter::Flow;
use crate::value::{Oid, Value};
use crate::vm::Vm;

/// The code of a primitive.
pub(crate) type Primitive = fn(&mut Vm, Call) -> Done;

/// Where receiver and arguments are: on the stack from `base` on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) base: usize,
    pub(crate) args: usize,
}

/// How a primitive ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Done {
    /// With the value of the send.
    Value(Value),
    /// The body of the method is to be executed. Nothing has been changed.
    Fail,
    /// The heap has no room for the result. Nothing has been changed.
    NoMemory,
    /// With the value of the send, and the process gives up its turn.
    Yield(Value),
    /// Receiver and arguments on the stack are replaced by those of another send.
    Send {
        class: Oid,
        selector: Oid,
        args: usize,
    },
    /// Stack and frames are as they should be.
    Flow(Flow),
}

impl From<Option<Value>> for Done {
    fn from(value: Option<Value>) -> Self {
        value.map_or(Self::Fail, Self::Value)
    }
}

impl From<Option<Self>> for Done {
    fn from(done: Option<Self>) -> Self {
        done.unwrap_or(Self::Fail)
    }
}

/// Entries of a table: `"name" => function`; the function answers anything that turns into
/// `Done`.
macro_rules! table {
    ($($name:literal => $function:expr,)*) => {
        pub(super) const TABLE: &[(&str, crate::primitives::Primitive)] =
            &[$(($name, |vm, call| crate::primitives::Done::from($function(vm, call))),)*];
    };
}
use table;

static BY_NAME: LazyLock<HashMap<&'static str, Primitive>> = LazyLock::new(|| {
    [
        blocks::TABLE,
        characters::TABLE,
        classes::TABLE,
        exceptions::TABLE,
        floats::TABLE,
        indexed::TABLE,
        integers::TABLE,
        methods::TABLE,
        objects::TABLE,
        processes::TABLE,
        strings::TABLE,
        system::TABLE,
    ]
    .concat()
    .into_iter()
    .collect()
});

/// The primitive of this name.
pub(crate) fn find(name: &str) -> Option<Primitive> {
    BY_NAME.get(name).copied()
}

impl Vm {
    /// The receiver of a primitive.
    #[inline]
    pub(crate) fn recv(&self, call: Call) -> Value {
        self.proc.stack.get(call.base).copied().unwrap_or_default()
    }

    /// An argument of a primitive, from 0; nil when there are fewer.
    #[inline]
    pub(crate) fn arg(&self, call: Call, index: usize) -> Value {
        if index >= call.args {
            return Value::Nil;
        }
        self.proc
            .stack
            .get(call.base + 1 + index)
            .copied()
            .unwrap_or_default()
    }

    /// The argument as a number that counts or indexes; `None` when it is negative or none.
    pub(crate) fn arg_usize(&self, call: Call, index: usize) -> Option<usize> {
        match self.arg(call, index) {
            Value::Int(integer) => usize::try_from(integer).ok(),
            _ => None,
        }
    }

    /// The argument as the text of a String or Symbol.
    pub(crate) fn arg_string(&self, call: Call, index: usize) -> Option<String> {
        self.string_value(self.arg(call, index))
    }

    /// The receiver as an object in the heap.
    pub(crate) fn recv_oid(&self, call: Call) -> Option<Oid> {
        match self.recv(call) {
            Value::Obj(oid) => Some(oid),
            _ => None,
        }
    }

    /// The texts of an Array of Strings and Symbols.
    pub(crate) fn strings(&self, array: Value) -> Option<Vec<String>> {
        self.array_elements(array)?
            .into_iter()
            .map(|value| self.string_value(value))
            .collect()
    }

    /// An Array of Symbols.
    pub(crate) fn new_symbols<S: AsRef<str>>(&mut self, names: &[S]) -> Value {
        let symbols = names
            .iter()
            .map(|name| Value::Obj(self.symbol(name.as_ref())))
            .collect();
        self.new_array(symbols)
    }
}

/// A number of things as a Smalltalk integer.
pub(crate) fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::BY_NAME;
    use crate::value::Value;
    use crate::vm::{InterruptReason, Limits, SpawnOptions, Vm};

    /// Code can name any primitive in a method of any class. Whatever it is given, it answers,
    /// fails or ends the process, and the image goes on.
    #[test]
    fn no_primitive_breaks_on_receivers_and_arguments_that_it_was_not_made_for() {
        let mut vm = Vm::new(Limits::default()).unwrap();
        let workspace = vm.new_workspace();
        let object = vm.find_class("ProtoObject").unwrap();
        let mut names: Vec<_> = BY_NAME.keys().copied().collect();
        names.sort_unstable();
        for name in names {
            let method = |pattern: &str| format!("{pattern} <primitive: #{name}> ^ #failed");
            for pattern in [
                "odd",
                "odd: a",
                "odd: a odd: b",
                "odd: a odd: b odd: c odd: d",
            ] {
                vm.compile_method(object, false, &method(pattern), "test")
                    .unwrap();
            }
            for receiver in ODD {
                for argument in ODD {
                    let send = format!(
                        "{receiver} odd. {receiver} odd: {argument}.
                        {receiver} odd: {argument} odd: 2.
                        {receiver} odd: 1 odd: {argument} odd: 'x' odd: {argument}"
                    );
                    run(&mut vm, workspace, &send);
                }
            }
            let sum = vm.call(Value::Int(3), "+", &[Value::Int(4)], Duration::from_secs(1));
            assert!(matches!(sum, Ok(Value::Int(7))), "{name}");
        }
    }

    const ODD: &[&str] = &[
        "nil",
        "0",
        "-1",
        "(1 bitShift: 70)",
        "1.5e300",
        "$a",
        "'abc'",
        "#abc:",
        "(Array new: 3)",
        "#[1 2]",
        "[ :x | x ]",
        "Object basicNew",
        "Exception basicNew",
        "Semaphore basicNew",
        "Process basicNew",
        "(Object subclass: #OddOne)",
        "Array class",
        "thisContext",
        "(Object >> #yourself)",
        "thisProcess",
    ];

    fn run(vm: &mut Vm, workspace: crate::vm::WorkspaceId, source: &str) {
        let code = vm.compile_expression(Some(workspace), source).unwrap();
        let process = vm.spawn(&code, SpawnOptions::default());
        vm.run_slice(Duration::from_millis(2));
        vm.abandon(process, InterruptReason::User);
        vm.end_children(crate::vm::EvaluationTag(0));
        vm.take_events();
    }
}
