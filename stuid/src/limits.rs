//! How much may wait, and what is told to the one for whom there is no room.

mod bytes;
mod tally;

use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use stui_protocol::{ErrorType, Failure};

pub use bytes::RequestBytes;
pub(crate) use bytes::Share;
#[cfg(test)]
pub(crate) use bytes::room;
pub(crate) use tally::Tally;

/// The section `limits` of the configuration.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // documented in `config/stuid.toml`
pub struct Limits {
    #[serde(deserialize_with = "crate::config::positive")]
    pub queue_per_session: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub queue_per_owner: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub queue: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub requests_per_owner: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub requests: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub sessions_per_owner: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub clients_per_owner: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub request_bytes_per_owner: usize,
    #[serde(deserialize_with = "crate::config::positive")]
    pub request_bytes: usize,
}

/// The limits that are in force. Cheap to clone; all clones see a reload.
#[derive(Clone, Debug)]
pub struct Current(Arc<RwLock<Limits>>);

impl Current {
    /// Those, until others are set.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(RwLock::new(limits)))
    }

    /// What they are now.
    #[must_use]
    pub fn get(&self) -> Limits {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Others come into force. What is there already stays.
    pub(crate) fn set(&self, limits: Limits) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }
}

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// `session`, `owner` or `daemon`.
    pub scope: &'static str,
    /// How many may wait there, or have how many bytes.
    pub limit: usize,
    /// The key that says so.
    pub key: &'static str,
}

impl Limits {
    /// Room for whatever a test does not care about.
    #[cfg(test)]
    pub(crate) const ROOMY: Self = Self {
        queue_per_session: 9,
        queue_per_owner: 9,
        queue: 9,
        requests_per_owner: 9,
        requests: 9,
        sessions_per_owner: 9,
        clients_per_owner: 9,
        request_bytes_per_owner: usize::MAX,
        request_bytes: usize::MAX,
    };

    /// The limit that `waiting` evaluations of a session leave no room in.
    #[must_use]
    pub fn of_session(&self, waiting: usize) -> Option<Reached> {
        reached(
            "session",
            waiting,
            self.queue_per_session,
            "limits.queue_per_session",
        )
    }

    /// The same for the evaluations of an owner and of the daemon.
    #[must_use]
    pub fn of_queue(&self, of_owner: usize, of_daemon: usize) -> Option<Reached> {
        reached(
            "owner",
            of_owner,
            self.queue_per_owner,
            "limits.queue_per_owner",
        )
        .or_else(|| reached("daemon", of_daemon, self.queue, "limits.queue"))
    }

    /// The same for the requests that wait for the link.
    #[must_use]
    pub fn of_requests(&self, of_owner: usize, of_daemon: usize) -> Option<Reached> {
        let key = "limits.requests_per_owner";
        reached("owner", of_owner, self.requests_per_owner, key)
            .or_else(|| reached("daemon", of_daemon, self.requests, "limits.requests"))
    }

    /// The limit that so many bytes of requests are too many for.
    fn of_bytes(&self, of_owner: usize, of_daemon: usize) -> Option<Reached> {
        let beyond = |scope, bytes, limit, key| {
            let is_beyond = bytes > limit;
            is_beyond.then_some(Reached { scope, limit, key })
        };
        let (own, all) = (self.request_bytes_per_owner, self.request_bytes);
        beyond("owner", of_owner, own, "limits.request_bytes_per_owner")
            .or_else(|| beyond("daemon", of_daemon, all, "limits.request_bytes"))
    }
}

fn reached(
    scope: &'static str,
    waiting: usize,
    limit: usize,
    key: &'static str,
) -> Option<Reached> {
    (waiting >= limit).then_some(Reached { scope, limit, key })
}

impl std::fmt::Display for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = match self.scope {
            "session" => "of this session",
            "owner" => "of this user",
            _ => "of all users",
        };
        let (limit, key) = (self.limit, self.key);
        write!(
            f,
            "the queue is full, {limit} {of} wait already: wait for some of them, or raise {key}"
        )
    }
}

impl From<Reached> for Failure {
    fn from(reached: Reached) -> Self {
        Self::new(ErrorType::QueueFull, reached.to_string())
            .with("scope", reached.scope)
            .with("limit", reached.limit)
            .with("key", reached.key)
            .with("sent", false)
    }
}
