//! What makes a type a command, and the step from a raw [`Request`](crate::Request) to a typed one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{ErrorType, Failure};
use crate::limits::MAX_COMMAND_CHARS;

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

/// `UnknownCommand` for that name, with the nearest of the known ones in its details.
#[must_use]
pub fn unknown_command<'a>(name: &str, known: impl Iterator<Item = &'a &'static str>) -> Failure {
    let shown: String = name.chars().take(MAX_COMMAND_CHARS).collect();
    match nearest(&shown, known.copied()) {
        Some(nearest) => Failure::new(
            ErrorType::UnknownCommand,
            format!("there is no command {shown:?}; did you mean {nearest}?"),
        )
        .with("nearest", nearest),
        None => Failure::new(
            ErrorType::UnknownCommand,
            format!("there is no command {shown:?}; describe lists those of the image"),
        ),
    }
}

/// The known name that a misspelt one was meant to be, when there is a likely one.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (distance(name, known), known))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min()
        .map(|(_, nearest)| nearest)
}

/// Edit distance (Levenshtein), for short names.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let substituted = corner + usize::from(from != to);
            corner = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
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

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["ping", "evaluate"];

    #[test]
    fn a_misspelt_name_is_told_the_nearest() {
        let failure = unknown_command("evalaute", KNOWN.iter());
        assert_eq!(failure.error_type, ErrorType::UnknownCommand);
        assert_eq!(failure.details["nearest"], "evaluate");
    }

    #[test]
    fn a_long_name_is_near_nothing_and_shown_in_part() {
        let failure = unknown_command(&"x".repeat(100_000), KNOWN.iter());
        assert!(failure.details.is_empty());
        assert!(failure.error.len() < 200);
    }

    #[test]
    fn distance_counts_typing_errors() {
        assert_eq!(distance("", "ping"), 4);
        assert_eq!(distance("ping", "ping"), 0);
        assert_eq!(distance("pign", "ping"), 2);
        assert_eq!(distance("pingg", "ping"), 1);
    }
}
