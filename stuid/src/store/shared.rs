//! What the handles and the thread share: changes go to the journal and wake the thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, Weak};

use super::checkpoint::Order;
use super::health::Health;
use super::memory::Passed;
use super::pending::Pending;
use super::place::Place;
use super::record::Change;
use super::tables::Trouble;
use super::{LARGE_JOURNAL_BYTES, Ledger, Retention, Shared, journal, lock};
use crate::log::Log;

impl Shared {
    pub(super) fn new(
        place: Option<Place>,
        retention: Retention,
        pending: Pending,
        health: Health,
        orders: SyncSender<Order>,
    ) -> Self {
        Self {
            place,
            retention,
            ledger: Mutex::new(Ledger::Nowhere),
            pending: Mutex::new(pending),
            tables: Mutex::default(),
            logs: Mutex::default(),
            dirty: Mutex::default(),
            scheduled: AtomicBool::new(false),
            hurried: AtomicBool::new(false),
            passed: Passed::default(),
            next_key: AtomicU64::new(1),
            next_order: AtomicU64::new(1),
            health,
            orders,
        }
    }

    /// Appends a change to the journal; on a disk that does not take it, it stays in memory only.
    pub(super) fn journal(&self, change: &Change, line: &[u8]) {
        let mut large = false;
        let mut ledger = lock(&self.ledger);
        if let Ledger::Open(journal) = &mut *ledger {
            match journal.append(change, line) {
                Ok(()) => large = journal.bytes() > LARGE_JOURNAL_BYTES,
                Err(error) => {
                    let next = journal.number() + 1;
                    *ledger = Ledger::Broken { next };
                    self.health.degrade(&error.to_string());
                }
            }
        }
        drop(ledger);
        self.wake(if large { Order::Soon } else { Order::Changed });
    }

    /// Tells the thread, once for each checkpoint.
    pub(super) fn wake(&self, order: Order) {
        let known = match order {
            Order::Soon => &self.hurried,
            _ => &self.scheduled,
        };
        if !known.swap(true, Ordering::AcqRel) {
            // Without a thread nothing is to be written.
            let _ = self.orders.try_send(order);
        }
    }

    /// Lines have passed through memory.
    pub(super) fn has_passed(&self, bytes: usize) {
        if self.passed.add(bytes) {
            // One that does not fit finds the thread at work: it looks for itself then.
            let _ = self.orders.try_send(Order::Settle);
        }
    }

    /// What was read, unless the tables have trouble: then it is told.
    pub(super) fn read<T>(&self, read: Result<T, Trouble>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(trouble) => {
                self.health.degrade(&format!("reading: {trouble}"));
                self.wake(Order::Changed);
                None
            }
        }
    }

    /// All logs.
    fn all_logs(&self) -> Vec<Arc<Log>> {
        let logs = lock(&self.logs);
        logs.values().filter_map(Weak::upgrade).collect()
    }

    /// Has all logs looked through at the next checkpoint.
    pub(super) fn touch_all(&self) {
        for log in self.all_logs() {
            log.touch();
        }
    }

    /// The tables are new: what logs had in them is gone.
    pub(super) fn forget_stored(&self) {
        for log in self.all_logs() {
            log.forget_stored();
        }
    }

    /// After the last checkpoint: the journal has nothing that is needed.
    pub(super) fn end_journal(&self) {
        let ledger = std::mem::replace(&mut *lock(&self.ledger), Ledger::Nowhere);
        if let (Ledger::Open(journal), Some(place)) = (ledger, &self.place)
            && journal.is_empty()
            && let Err(error) = journal::remove_before(&place.dir, journal.number() + 1)
        {
            tracing::warn!(%error, "removing the journal");
        }
    }
}
