//! Protocol versions: `major.minor`. Same major: talk.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;

use crate::error::{ErrorType, Failure};

/// A protocol version. Absent on the wire means [`Version::V1_0`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Changes when old peers can no longer be served.
    pub major: u32,
    /// Changes when something is added.
    pub minor: u32,
}

impl Version {
    /// The first version: `evaluate` blocks until the evaluation ends.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// Evaluations are jobs: `evaluate` waits only `wait_ms`.
    pub const V1_1: Self = Self { major: 1, minor: 1 };
    /// What this crate speaks.
    pub const CURRENT: Self = Self::V1_1;
    /// All that this crate speaks, oldest first.
    pub const SPOKEN: [Self; 2] = [Self::V1_0, Self::V1_1];

    /// Whether a peer of this version can be served.
    ///
    /// # Errors
    /// `UnsupportedVersion`, naming what is spoken, for another major version.
    pub fn check(self) -> Result<(), Failure> {
        if self.major == Self::CURRENT.major {
            return Ok(());
        }
        // Read at the other end, by whoever asked.
        let advice = if self.major > Self::CURRENT.major {
            "upgrade stuid, or use a client of version 1"
        } else {
            "upgrade the client"
        };
        Err(Failure::new(
            ErrorType::UnsupportedVersion,
            format!("protocol {self} is not spoken here, only 1.0 and 1.1: {advice}"),
        )
        .with("spoken", json!(Self::SPOKEN)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text is not `major.minor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is two numbers with a dot between them, such as \"1.1\"")]
pub struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            if plain {
                digits.parse().map_err(|_| NotAVersion)
            } else {
                Err(NotAVersion)
            }
        };
        let (major, minor) = text.split_once('.').ok_or(NotAVersion)?;
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
        })
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_two_plain_numbers() {
        assert_eq!("1.1".parse(), Ok(Version::V1_1));
        for wrong in [
            "",
            "1",
            "1.",
            ".1",
            "1.1.1",
            "+1.0",
            "1.-1",
            "99999999999.0",
            "1. 1",
        ] {
            assert_eq!(wrong.parse::<Version>(), Err(NotAVersion), "{wrong:?}");
        }
    }

    #[test]
    fn another_major_version_is_told_what_is_spoken() {
        let newer = Version { major: 2, minor: 0 };
        let failure = newer.check().unwrap_err();
        assert_eq!(failure.error_type, ErrorType::UnsupportedVersion);
        assert_eq!(failure.details["spoken"], json!(["1.0", "1.1"]));
        assert!(failure.error.contains("upgrade stuid"), "{}", failure.error);
        assert_eq!(Version { major: 1, minor: 7 }.check(), Ok(()));
    }
}
