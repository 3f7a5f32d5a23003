//! With whom a session is shared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::AttachMode;
use crate::command::commands;

use super::SessionResult;

/// Users that one session may be shared with by name.
pub const MOST_USERS: usize = 64;

/// Let others use a session, or its owner alone again. Only the owner may.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareSession {
    /// Name or id.
    pub session: String,
    /// `private`, `group` (the owner's, as the kernel says now), `group:N`, `all` or
    /// `uid:N[,N…]`.
    pub with: String,
    /// What they may do.
    #[serde(default)]
    pub mode: AttachMode,
}

/// With whom a session is shared, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// With whom.
    pub with: Audience,
    /// What they may do: `drive` is all but to rename, share and end it.
    pub mode: AttachMode,
}

/// Users other than the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Nobody.
    Private,
    /// Whoever has this group as primary group, as the kernel says.
    Group(u32),
    /// Everybody who reaches the daemon.
    All,
    /// These users.
    Users(Vec<u32>),
}

impl Audience {
    /// Whether a user with that primary group is meant.
    #[must_use]
    pub fn has(&self, uid: u32, gid: u32) -> bool {
        match self {
            Self::Private => false,
            Self::Group(group) => *group == gid,
            Self::All => true,
            Self::Users(users) => users.contains(&uid),
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private => f.write_str("private"),
            Self::Group(gid) => write!(f, "group:{gid}"),
            Self::All => f.write_str("all"),
            Self::Users(users) => {
                let users: Vec<_> = users.iter().map(u32::to_string).collect();
                write!(f, "uid:{}", users.join(","))
            }
        }
    }
}

/// The text names no audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session is shared with private, group, group:N, all or uid:N, such as uid:1000,1001")]
pub struct NotAnAudience;

impl FromStr for Audience {
    type Err = NotAnAudience;

    fn from_str(text: &str) -> Result<Self, NotAnAudience> {
        let number = |digits: &str| digits.parse().map_err(|_| NotAnAudience);
        match text.split_once(':') {
            None if text == "private" => Ok(Self::Private),
            None if text == "all" => Ok(Self::All),
            Some(("group", gid)) => number(gid).map(Self::Group),
            Some(("uid", users)) => {
                let users: Vec<u32> = users.split(',').map(number).collect::<Result<_, _>>()?;
                let few = users.len() <= MOST_USERS;
                few.then_some(Self::Users(users)).ok_or(NotAnAudience)
            }
            _ => Err(NotAnAudience),
        }
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

commands! {
    ShareSession => SessionResult, "share_session", ["session", "with"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_read_as_it_is_written() {
        for text in ["private", "all", "group:100", "uid:1000", "uid:1000,1001"] {
            let audience: Audience = text.parse().unwrap();
            assert_eq!(audience.to_string(), text);
        }
        for wrong in [
            "",
            "group:",
            "uid:",
            "uid:1,",
            "uid:-1",
            "everybody",
            "uid:4294967296",
        ] {
            assert_eq!(wrong.parse::<Audience>(), Err(NotAnAudience), "{wrong:?}");
        }
        let many = format!("uid:{}", vec!["1"; MOST_USERS + 1].join(","));
        assert_eq!(many.parse::<Audience>(), Err(NotAnAudience));
    }

    #[test]
    fn an_audience_has_only_those_it_names() {
        assert!(!Audience::Private.has(1000, 100));
        assert!(Audience::All.has(1000, 100));
        assert!(Audience::Group(100).has(1000, 100) && !Audience::Group(100).has(1000, 101));
        assert!(Audience::Users(vec![1000]).has(1000, 0));
        assert!(!Audience::Users(vec![1000]).has(1001, 1000));
    }
}
