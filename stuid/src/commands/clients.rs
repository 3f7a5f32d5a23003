//! Who is connected, by number.

use std::sync::Arc;

use dashmap::DashMap;

use super::Client;

/// The clients of a daemon.
#[derive(Debug, Default)]
pub struct Clients(DashMap<u64, Arc<Client>>);

impl Clients {
    /// A client has come.
    pub fn add(&self, client: &Arc<Client>) {
        self.0.insert(client.number, Arc::clone(client));
    }

    /// It has left.
    pub fn remove(&self, number: u64) {
        self.0.remove(&number);
    }

    /// The client of that number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<Arc<Client>> {
        self.0.get(&number).map(|each| Arc::clone(&each))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them, in the order in which they came.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all: Vec<_> = self.0.iter().map(|each| Arc::clone(&each)).collect();
        all.sort_by_key(|client| client.number);
        all
    }
}
