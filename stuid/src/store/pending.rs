//! What the tables do not have yet, besides the lines of logs, and what is looked at too often to
//! be read from there: all sessions, and all evaluations that have not ended.

use std::collections::{HashMap, HashSet};

use super::record::{
    BegunRecord, EndedEvaluation, HomeRecord, LinePlace, Mark, OpenEvaluation, SessionRecord,
};
use super::tables::{Batch, Contents};
use stui_protocol::time::Timestamp;

/// Ended evaluations between two looks for those that can be forgotten.
const MANY: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) sessions: HashMap<u64, SessionRecord>,
    pub(super) open: HashMap<String, OpenEvaluation>,
    /// Not in the tables yet.
    pub(super) ended: HashMap<String, EndedEvaluation>,
    changed_sessions: HashSet<u64>,
    changed_open: HashSet<String>,
    forgotten: HashSet<u64>,
}

impl Pending {
    pub(super) fn of(contents: Contents) -> Self {
        let sessions = contents.sessions.into_iter();
        let open = contents.open.into_iter();
        Self {
            sessions: sessions.map(|each| (each.key, each)).collect(),
            open: open.map(|each| (each.id.clone(), each)).collect(),
            ..Self::default()
        }
    }

    pub(super) fn put(&mut self, session: SessionRecord) {
        self.changed_sessions.insert(session.key);
        self.sessions.insert(session.key, session);
    }

    pub(super) fn forget(&mut self, session: u64) {
        self.sessions.remove(&session);
        self.changed_sessions.remove(&session);
        self.ended.retain(|_, each| each.session != session);
        let open = self.open.values();
        let gone: Vec<_> = open
            .filter(|each| each.session == session)
            .map(|each| each.id.clone())
            .collect();
        for id in gone {
            self.open.remove(&id);
            self.changed_open.insert(id);
        }
        self.forgotten.insert(session);
    }

    pub(super) fn accept(&mut self, evaluation: OpenEvaluation) {
        self.changed_open.insert(evaluation.id.clone());
        self.open.insert(evaluation.id.clone(), evaluation);
    }

    /// A line of a session's log was written there.
    pub(super) fn mark(&mut self, place: LinePlace, mark: &Mark) {
        let LinePlace {
            session,
            first,
            position,
            at_ms,
        } = place;
        match mark {
            Mark::None => {}
            Mark::Begins(id) => {
                if let Some(open) = self.open.get_mut(id) {
                    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
                    open.begun = Some(BegunRecord { position, at });
                    self.changed_open.insert(id.clone());
                }
            }
            Mark::Ends(id) => {
                let open = self.open.remove(id);
                self.changed_open.insert(id.clone());
                let ended = EndedEvaluation {
                    id: id.clone(),
                    session,
                    begun: open.and_then(|open| open.begun).map(|begun| begun.position),
                    ended: position,
                };
                self.ended.insert(id.clone(), ended);
                if self.ended.len().is_multiple_of(MANY) {
                    // Without tables they stay: those whose lines are gone need not.
                    let ended = &mut self.ended;
                    ended.retain(|_, each| each.session != session || each.ended >= first);
                }
            }
        }
    }

    /// What has changed since the last time.
    pub(super) fn take(&mut self) -> Batch {
        let sessions = std::mem::take(&mut self.changed_sessions).into_iter();
        let open = std::mem::take(&mut self.changed_open).into_iter();
        Batch {
            sessions: sessions
                .filter_map(|key| self.sessions.get(&key).cloned())
                .collect(),
            open: open
                .map(|id| {
                    let open = self.open.get(&id).cloned();
                    (id, open)
                })
                .collect(),
            ended: self.ended.values().cloned().collect(),
            forgotten: std::mem::take(&mut self.forgotten).into_iter().collect(),
            ..Batch::default()
        }
    }

    /// The tables have it now.
    pub(super) fn written(&mut self, batch: &Batch) {
        for each in &batch.ended {
            self.ended.remove(&each.id);
        }
    }

    /// The tables could not take it: next time.
    pub(super) fn give_back(&mut self, batch: Batch) {
        let sessions = batch.sessions.iter().map(|each| each.key);
        self.changed_sessions.extend(sessions);
        self.changed_open
            .extend(batch.open.into_iter().map(|(id, _)| id));
        self.forgotten.extend(batch.forgotten);
    }

    /// The tables are new and have nothing.
    pub(super) fn change_all(&mut self) {
        self.changed_sessions = self.sessions.keys().copied().collect();
        self.changed_open = self.open.keys().cloned().collect();
    }

    /// Evaluations of a session that the tables do not have yet, newest first.
    pub(super) fn history(&self, session: u64) -> Vec<EndedEvaluation> {
        let ended = self.ended.values();
        let mut found: Vec<_> = ended
            .filter(|each| each.session == session)
            .cloned()
            .collect();
        found.sort_unstable_by_key(|each| std::cmp::Reverse(each.ended));
        found
    }

    /// What is told of the newest session of that name that was ended.
    pub(super) fn tombstone(&self, owner: u32, name: &str) -> Option<&SessionRecord> {
        let closed = |each: &&SessionRecord| matches!(each.home, HomeRecord::Closed { .. });
        let named = |each: &&SessionRecord| each.owner == owner && each.name == name;
        let sessions = self.sessions.values();
        sessions
            .filter(named)
            .filter(closed)
            .max_by_key(|each| each.key)
    }

    /// The oldest sessions of a user that were ended, but the newest of them.
    pub(super) fn surplus_tombstones(&self, owner: u32, most: usize) -> Vec<u64> {
        let closed = |each: &&SessionRecord| matches!(each.home, HomeRecord::Closed { .. });
        let sessions = self.sessions.values();
        let mut keys: Vec<u64> = sessions
            .filter(|each| each.owner == owner)
            .filter(closed)
            .map(|each| each.key)
            .collect();
        keys.sort_unstable();
        keys.truncate(keys.len().saturating_sub(most));
        keys
    }
}
