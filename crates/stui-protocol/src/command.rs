//! What makes a type a command, and the step from a raw [`Request`](crate::Request) to a typed one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Failure;

/// Parameters of a command, tied to its name and to the type of its result.
pub trait Command: Serialize + DeserializeOwned {
    /// The name on the wire.
    const NAME: &'static str;
    /// Parameters without which nothing can be done.
    const REQUIRED: &'static [&'static str];
    /// What a success answers.
    type Result: Serialize + DeserializeOwned;
}

/// Reads the parameters of one command.
///
/// # Errors
/// `MissingParameter` names the first required one that is absent or null, `InvalidParameter` the
/// one that has the wrong kind.
pub fn parameters<C: Command>(parameters: Map<String, Value>) -> Result<C, Failure> {
    let absent = |name: &&&str| parameters.get(**name).is_none_or(Value::is_null);
    if let Some(name) = C::REQUIRED.iter().find(absent) {
        return Err(Failure::missing(C::NAME, name));
    }
    serde_path_to_error::deserialize(Value::Object(parameters)).map_err(|wrong| {
        let path = wrong.path().to_string();
        Failure::invalid(&path, wrong.inner())
    })
}

/// Declares parameter types as commands.
macro_rules! commands {
    ($($type:ident => $result:ty, $name:literal, [$($required:literal),*];)*) => {
        $(impl $crate::command::Command for $type {
            const NAME: &'static str = $name;
            const REQUIRED: &'static [&'static str] = &[$($required),*];
            type Result = $result;
        })*
    };
}

/// Declares an enum of commands with its reader.
macro_rules! command_enum {
    ($(#[$doc:meta])* $enum:ident { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)] // each variant is documented at its type
        pub enum $enum { $($variant($variant)),* }

        impl $enum {
            /// The names of all commands, in the order of the protocol page.
            pub const NAMES: &'static [&'static str] =
                &[$(<$variant as $crate::command::Command>::NAME),*];

            /// The name on the wire.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => <$variant as $crate::command::Command>::NAME),* }
            }

            /// Reads a command of the table; none when it has no command of that name.
            ///
            /// # Errors
            /// As [`crate::command::parameters`].
            pub fn parse(
                name: &str,
                parameters: serde_json::Map<String, serde_json::Value>,
            ) -> Option<Result<Self, $crate::error::Failure>> {
                match name {
                    $(<$variant as $crate::command::Command>::NAME =>
                        Some($crate::command::parameters(parameters).map(Self::$variant)),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {command_enum, commands};
