//! How another thread tells the VM that somebody waits for its thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rung by whoever has something for the VM's thread: what runs is put off at its next safe point,
/// when it has had its least turn.
#[derive(Debug, Clone, Default)]
pub struct Doorbell(Arc<AtomicBool>);

impl Doorbell {
    /// Somebody waits. To be rung after that can be found.
    pub fn ring(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Its owner comes; to be called before it looks who is there.
    pub fn answer(&self) {
        // Exchanged, not stored: whoever rang before this is found by what is looked at after it.
        self.0.swap(false, Ordering::AcqRel);
    }

    pub(crate) fn rings(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
