//! Who is connected, by number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;

use super::Client;

/// The clients of a daemon.
#[derive(Debug, Default)]
pub struct Clients {
    there: DashMap<u64, Arc<Client>>,
    kept: AtomicUsize,
}

impl Clients {
    /// A client has come.
    pub fn add(&self, client: &Arc<Client>) {
        self.there.insert(client.number, Arc::clone(client));
    }

    /// It has left.
    pub fn remove(&self, number: u64) {
        self.there.remove(&number);
    }

    /// The client of that number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<Arc<Client>> {
        self.there.get(&number).map(|each| Arc::clone(&each))
    }

    /// The connection of one that has left is kept for the next daemon.
    pub fn count_kept(&self) {
        self.kept.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections are kept for the next daemon.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.there.len()
    }

    /// All of them, in the order in which they came.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all: Vec<_> = self.there.iter().map(|each| Arc::clone(&each)).collect();
        all.sort_by_key(|client| client.number);
        all
    }
}
