//! The classes and selectors that the VM itself speaks of.

use crate::object::Format;
use crate::value::Oid;

/// A class that the VM makes instances of or knows the layout of.
pub(crate) struct Native {
    pub(crate) name: &'static str,
    pub(crate) superclass: &'static str,
    pub(crate) format: Format,
    /// Its own slots, in this order; the class library must give the same.
    pub(crate) slots: &'static [&'static str],
}

macro_rules! known {
    ($($field:ident: $name:literal < $superclass:literal, $format:ident, $slots:expr;)*) => {
        /// Where the VM's own classes and selectors are.
        #[derive(Debug, Clone)]
        pub(crate) struct Known {
            $(pub(crate) $field: Oid,)*
            pub(crate) does_not_understand: Oid,
            pub(crate) must_be_boolean: Oid,
            pub(crate) cannot_return: Oid,
        }

        impl Default for Known {
            fn default() -> Self {
                Self {
                    $($field: Oid(0),)*
                    does_not_understand: Oid(0),
                    must_be_boolean: Oid(0),
                    cannot_return: Oid(0),
                }
            }
        }

        impl Known {
            /// Sets the class of this name, if it is one of the VM's.
            pub(crate) fn set(&mut self, name: &str, class: Oid) {
                match name {
                    $($name => self.$field = class,)*
                    _ => {}
                }
            }

            /// All classes, for the collector.
            pub(crate) fn classes(&self) -> Vec<Oid> {
                vec![$(self.$field,)*]
            }
        }

        /// The VM's own classes, superclasses first.
        pub(crate) const NATIVE: &[Native] = &[
            $(Native {
                name: $name,
                superclass: $superclass,
                format: Format::$format,
                slots: $slots,
            },)*
        ];
    };
}

known! {
    proto_object: "ProtoObject" < "", Slots, &[];
    object: "Object" < "ProtoObject", Slots, &[];
    undefined_object: "UndefinedObject" < "Object", Native, &[];
    boolean: "Boolean" < "Object", Native, &[];
    true_class: "True" < "Boolean", Native, &[];
    false_class: "False" < "Boolean", Native, &[];
    magnitude: "Magnitude" < "Object", Slots, &[];
    number: "Number" < "Magnitude", Slots, &[];
    integer: "Integer" < "Number", Native, &[];
    small_integer: "SmallInteger" < "Integer", Native, &[];
    large_integer: "LargeInteger" < "Integer", Native, &[];
    large_positive: "LargePositiveInteger" < "LargeInteger", Native, &[];
    large_negative: "LargeNegativeInteger" < "LargeInteger", Native, &[];
    float_class: "Float" < "Number", Native, &[];
    float: "SmallFloat64" < "Float", Native, &[];
    character: "Character" < "Magnitude", Native, &[];
    collection: "Collection" < "Object", Slots, &[];
    sequenceable: "SequenceableCollection" < "Collection", Slots, &[];
    arrayed: "ArrayedCollection" < "SequenceableCollection", Slots, &[];
    array: "Array" < "ArrayedCollection", Values, &[];
    byte_array: "ByteArray" < "ArrayedCollection", Bytes, &[];
    string_class: "String" < "ArrayedCollection", Text, &[];
    string: "ByteString" < "String", Text, &[];
    symbol_class: "Symbol" < "String", Native, &[];
    symbol: "ByteSymbol" < "Symbol", Native, &[];
    block: "BlockClosure" < "Object", Native, &[];
    method: "CompiledMethod" < "Object", Native, &[];
    context: "Context" < "Object", Slots,
        &["receiver", "selector", "methodClass", "isBlock", "frame", "text"];
    environment: "Environment" < "Object", Native, &[];
    behavior: "Behavior" < "Object", Native, &[];
    class_description: "ClassDescription" < "Behavior", Native, &[];
    class: "Class" < "ClassDescription", Native, &[];
    metaclass: "Metaclass" < "ClassDescription", Native, &[];
    message: "Message" < "Object", Slots, &["selector", "arguments"];
    semaphore: "Semaphore" < "Object", Semaphore, &[];
    process: "Process" < "Object", Slots, &["id"];
    literal_variable: "LiteralVariable" < "Object", Slots, &["name", "value"];
    undeclared_variable: "UndeclaredVariable" < "LiteralVariable", Slots, &[];
    exception: "Exception" < "Object", Slots,
        &["signalFrame", "handlerFrame", "outerFrame", "messageText", "signaler", "tag"];
}
