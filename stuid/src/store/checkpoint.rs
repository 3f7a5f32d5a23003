//! The thread that brings what the journal has into the tables, about once a second while anything
//! changes, and tries again and again when the disk does not take it.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use stui_protocol::time;

use super::journal::{self, Journal};
use super::memory::Settling;
use super::tables::{Tables, Trouble};
use super::{Ledger, Shared, lock};
use crate::log::Log;

/// From the first change to its commit: so much may be lost when the power fails.
const DELAY: Duration = Duration::from_secs(1);

/// Logs are looked through for lines that are too old.
const SWEEP: Duration = Duration::from_secs(3600);

const MS_PER_DAY: i64 = 86_400_000;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Something changed.
    Changed,
    /// Much has changed: now.
    Soon,
    /// Much has passed through memory.
    Settle,
    /// Write all and end, then say so.
    Stop(SyncSender<()>),
}

/// Works until it is told to stop, or the store is gone.
pub(super) fn run(store: &Weak<Shared>, orders: &Receiver<Order>) {
    let mut due: Option<Instant> = None;
    let mut sweep = Instant::now() + SWEEP;
    let mut settling = Settling::default();
    let mut settles = None;
    loop {
        let next = due.unwrap_or(sweep);
        let next = settles.map_or(next, |settles| next.min(settles));
        let told = orders.recv_timeout(next.saturating_duration_since(Instant::now()));
        let Some(shared) = store.upgrade() else {
            return;
        };
        settling.settle(&shared.passed, Instant::now());
        settles = settling.due(&shared.passed, Instant::now());
        match told {
            Ok(Order::Changed) => {
                due.get_or_insert_with(|| Instant::now() + DELAY);
                continue;
            }
            Ok(Order::Settle) => continue,
            Ok(Order::Soon) => {}
            Err(RecvTimeoutError::Timeout) if due.unwrap_or(sweep) > Instant::now() => continue,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Order::Stop(done)) => {
                checkpoint(&shared);
                shared.end_journal();
                let _ = done.send(());
                return;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= sweep {
            sweep = Instant::now() + SWEEP;
            shared.touch_all();
        }
        due = (!checkpoint(&shared)).then(|| Instant::now() + DELAY);
    }
}

/// Brings everything into the tables. False when that failed; nothing is forgotten then.
pub(super) fn checkpoint(shared: &Shared) -> bool {
    shared.scheduled.store(false, Ordering::Release);
    shared.hurried.store(false, Ordering::Release);
    let Some(place) = &shared.place else {
        return true;
    };
    // Before anything is collected: what is appended from here on stands in the new file.
    let journal = turn_over(shared, &place.dir);
    let written = tables(shared).and_then(|tables| write(shared, &tables));
    match (written, journal) {
        (Ok(()), Ok(number)) => {
            if let Err(error) = journal::remove_before(&place.dir, number) {
                tracing::warn!(%error, "removing what the journal does not need any more");
            }
            shared.health.recover();
            true
        }
        (Ok(()), Err(error)) => {
            shared.health.degrade(&error.to_string());
            false
        }
        (Err(trouble), _) => {
            give_up(shared, &trouble);
            false
        }
    }
}

/// Begins a new file of the journal, also when the last one could not be written; answers its
/// number.
fn turn_over(shared: &Shared, dir: &Path) -> std::io::Result<u64> {
    let mut ledger = lock(&shared.ledger);
    match &mut *ledger {
        Ledger::Nowhere => Ok(0),
        Ledger::Open(journal) => {
            let turned = match journal.is_empty() {
                true => Ok(()),
                false => journal.rotate(),
            };
            let number = journal.number();
            if turned.is_err() {
                *ledger = Ledger::Broken { next: number + 1 };
            }
            turned.map(|()| number)
        }
        Ledger::Broken { next } => {
            let number = *next;
            *ledger = Ledger::Open(Journal::begin(dir, number)?);
            Ok(number)
        }
    }
}

/// The tables, opened again when they had to be given up.
fn tables(shared: &Shared) -> Result<Arc<Tables>, Trouble> {
    if let Some(tables) = &*lock(&shared.tables) {
        return Ok(Arc::clone(tables));
    }
    let Some(place) = &shared.place else {
        return Err(Trouble::Failed("there is no directory".to_owned()));
    };
    let tables = Arc::new(Tables::open(&place.tables())?);
    *lock(&shared.tables) = Some(Arc::clone(&tables));
    Ok(tables)
}

fn write(shared: &Shared, tables: &Tables) -> Result<(), Trouble> {
    let logs: Vec<Arc<Log>> = std::mem::take(&mut *lock(&shared.dirty));
    let collected = logs.iter().map(|log| log.collect()).collect();
    // After the logs: what a line of theirs means is in it.
    let mut batch = lock(&shared.pending).take();
    batch.logs = collected;
    batch.cutoff_ms = match shared.retention.log_days {
        0 => i64::MIN,
        days => time::now().as_millisecond() - i64::from(days) * MS_PER_DAY,
    };
    match tables.write(&batch) {
        Ok(extents) => {
            for (log, extent) in logs.iter().zip(&extents) {
                log.stored(*extent);
            }
            lock(&shared.pending).written(&batch);
            Ok(())
        }
        Err(trouble) => {
            lock(&shared.pending).give_back(batch);
            for log in logs {
                log.touch();
            }
            Err(trouble)
        }
    }
}

/// The tables are of no use: they are opened again next time, or new ones are made.
fn give_up(shared: &Shared, trouble: &Trouble) {
    *lock(&shared.tables) = None;
    if let (Trouble::Damaged(why), Some(place)) = (trouble, &shared.place)
        && let Ok(aside) = place.set_aside()
    {
        shared.health.set_aside(&aside, why);
        lock(&shared.pending).change_all();
        shared.forget_stored();
    }
    shared.health.degrade(&trouble.to_string());
}
