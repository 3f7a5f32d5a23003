//! Whose the ids are that the image hands out: kept objects and debug sessions.
//!
//! The image gives them to whoever asks and takes them from whoever knows them. The daemon has
//! users, so it remembers with whom each was seen. Of the latest ids only: an older one can still
//! be used by naming its session, which the image then looks into.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use stui_protocol::ErrorType;
use stui_protocol::message::Outcome;

/// Ids that are remembered; each costs about 60 bytes.
const MOST_IDS: usize = 32_768;

/// The keys that ids stand under, and what is said of an id that is nobody's.
pub(crate) const IDS: [(&str, ErrorType); 2] = [
    ("object_id", ErrorType::ObjectNotFound),
    ("debug_session_id", ErrorType::DebugSessionNotFound),
];

/// Whose an id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A session's, by its key.
    Session(u64),
    /// A user's, who works without a session.
    User(u32),
}

/// The ids that were seen.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// Ids are counted by a hash that nobody outside can aim at.
    hash: RandomState,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    holders: HashMap<u64, Holder>,
    /// Oldest first.
    order: VecDeque<u64>,
}

impl Holdings {
    /// Remembers the ids in an outcome.
    pub(crate) fn note(&self, outcome: &Outcome, holder: Holder) {
        let fields = match outcome {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return,
            Err(failure) => &failure.details,
        };
        for (_, id) in ids(fields) {
            self.remember(id, holder);
        }
    }

    /// Whose an id is, when it is remembered.
    pub(crate) fn holder(&self, id: &str) -> Option<Holder> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.holders.get(&self.hash.hash_one(id)).copied()
    }

    fn remember(&self, id: &str, holder: Holder) {
        let id = self.hash.hash_one(id);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever had it first has it: an id that comes in an answer to somebody else is none.
        if known.holders.contains_key(&id) {
            return;
        }
        known.holders.insert(id, holder);
        known.order.push_back(id);
        if known.order.len() > MOST_IDS
            && let Some(oldest) = known.order.pop_front()
        {
            known.holders.remove(&oldest);
        }
    }
}

/// The ids among parameters or in an answer, with what is said of one that is nobody's.
pub(crate) fn ids(fields: &Map<String, Value>) -> impl Iterator<Item = (ErrorType, &str)> {
    IDS.iter()
        .filter_map(|(key, unknown)| Some((*unknown, fields.get(*key)?.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stui_protocol::Failure;

    #[test]
    fn an_id_is_whose_it_was_first() {
        let holdings = Holdings::default();
        let (one, other) = (Holder::Session(1), Holder::User(1000));
        holdings.note(&Ok(json!({"object_id": "o-1", "result": "3"})), one);
        let failed = Failure::new(ErrorType::EvaluationError, "no").with("debug_session_id", "d-1");
        holdings.note(&Err(failed), other);
        holdings.note(&Ok(json!({"object_id": "o-1"})), other);
        holdings.note(&Ok(json!(["o-2"])), other);
        assert_eq!(holdings.holder("o-1"), Some(one));
        assert_eq!(holdings.holder("d-1"), Some(other));
        assert_eq!(holdings.holder("o-2"), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let holdings = Holdings::default();
        for number in 0..=MOST_IDS {
            let seen = Ok(json!({"object_id": number.to_string()}));
            holdings.note(&seen, Holder::User(1));
        }
        assert_eq!(holdings.holder("0"), None);
        assert_eq!(holdings.holder("1"), Some(Holder::User(1)));
    }
}
