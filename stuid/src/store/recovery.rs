//! The start: what the tables and the journal of an earlier daemon tell.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::journal::{self, Journal};
use super::record::{Change, Mark};
use super::{Extent, Ledger, OpenEvaluation, Recovered, Store, lock};
use crate::log::Log;

type Logs = HashMap<u64, Arc<Log>>;

impl Store {
    /// The logs of all sessions, with the lines that only the journal has.
    pub(super) fn recover_logs(&self, extents: &HashMap<u64, Extent>) -> Logs {
        let mut logs = Logs::new();
        let known: Vec<u64> = lock(&self.0.pending).sessions.keys().copied().collect();
        for key in known {
            let log = self.new_log(key);
            if let Some(extent) = extents.get(&key) {
                log.stored(*extent);
            }
            logs.insert(key, log);
        }
        let Some(place) = &self.0.place else {
            return logs;
        };
        let numbers = journal::numbers(&place.dir).unwrap_or_default();
        for number in numbers {
            let mut forged = 0_u64;
            let read = journal::replay(&place.dir, number, |change, line| {
                match change.is_believable() {
                    true => self.replay(&mut logs, change, line),
                    // The rest is as true as it was.
                    false => forged += 1,
                }
            });
            if forged > 0 {
                tracing::error!(
                    number,
                    forged,
                    "the journal has changes that no daemon wrote, leaving them out"
                );
            }
            if let Err(error) = read {
                self.0
                    .health
                    .degrade(&format!("reading the journal: {error}"));
            }
        }
        logs
    }

    /// What the frames of a journal tell a store that knows nothing yet.
    #[cfg(feature = "fuzzing")]
    pub(super) fn recovered_from(&self, frames: &[u8]) -> Vec<Recovered> {
        let mut logs = Logs::new();
        journal::read_frames(frames, |change, line| {
            if change.is_believable() {
                self.replay(&mut logs, change, line);
            }
        });
        self.recovered(logs)
    }

    /// Does again what was journaled. The tables may have it already.
    fn replay(&self, logs: &mut Logs, change: Change, line: &[u8]) {
        match change {
            Change::Session(record) => {
                let key = record.key;
                lock(&self.0.pending).put(record);
                logs.entry(key).or_insert_with(|| self.new_log(key));
            }
            Change::Forgotten(key) => {
                logs.remove(&key);
                lock(&self.0.pending).forget(key);
            }
            Change::Accepted(evaluation) => lock(&self.0.pending).accept(evaluation),
            Change::Line { place, mark } => {
                let Some(log) = logs.get(&place.session) else {
                    return;
                };
                log.restore(place.position, place.at_ms, line);
                if mark != Mark::None {
                    lock(&self.0.pending).mark(place, &mark);
                }
            }
        }
    }

    /// Begins a journal behind those that are there.
    pub(super) fn begin_journal(&self) {
        let Some(place) = &self.0.place else {
            return;
        };
        let numbers = journal::numbers(&place.dir).unwrap_or_default();
        let next = numbers.last().map_or(1, |last| last + 1);
        *lock(&self.0.ledger) = match Journal::begin(&place.dir, next) {
            Ok(journal) => Ledger::Open(journal),
            Err(error) => {
                self.0.health.degrade(&error.to_string());
                Ledger::Broken { next }
            }
        };
    }

    /// What the daemon goes on with.
    pub(super) fn recovered(&self, mut logs: Logs) -> Vec<Recovered> {
        let pending = lock(&self.0.pending);
        let mut open: HashMap<u64, Vec<OpenEvaluation>> = HashMap::new();
        // Neither number is near the end: tables and journal were asked whether they can be true.
        let mut order = 0;
        for evaluation in pending.open.values() {
            order = order.max(evaluation.order);
            let of_session = open.entry(evaluation.session).or_default();
            of_session.push(evaluation.clone());
        }
        self.0.next_order.store(order + 1, Ordering::Relaxed);
        let last = pending.sessions.keys().max().copied().unwrap_or(0);
        self.0.next_key.store(last + 1, Ordering::Relaxed);
        let mut recovered = Vec::new();
        for record in pending.sessions.values() {
            let Some(log) = logs.remove(&record.key) else {
                continue;
            };
            let mut open = open.remove(&record.key).unwrap_or_default();
            open.sort_unstable_by_key(|each| each.order);
            recovered.push(Recovered {
                record: record.clone(),
                log,
                open,
            });
        }
        recovered.sort_unstable_by_key(|each| each.record.key);
        recovered
    }
}

#[cfg(test)]
mod tests;
