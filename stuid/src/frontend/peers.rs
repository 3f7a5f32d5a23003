//! Who talks to the front end: names, owners, and how much each may ask at a time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use stui_keys::PublicKey;
use stui_protocol::{ErrorType, Failure};
use tmq::Multipart;

use super::too_many_requests;
use crate::commands::Client;
use crate::config;
use crate::connection::{self, Place, Places};
use crate::identity::{Peer, own_uid};
use crate::limits::RequestBytes;
use crate::metrics::Frontend as Metrics;
use crate::notes::Notes;

/// Requests of one client that may be under way.
pub(super) const MOST_REQUESTS_OF_A_PEER: usize = 16;

/// Who sent a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// Its routing id: what it calls itself, or what ZeroMQ made up for its connection.
    routing_id: Vec<u8>,
    /// The public key that it has proved to hold, with CURVE.
    key: Option<String>,
}

impl Name {
    /// The name of a message's sender.
    pub(super) fn of(frames: &mut Multipart) -> Option<Self> {
        let routing_id = frames.iter().next()?.to_vec();
        let user = frames.iter_mut().last()?.gets("User-Id");
        let key = user.filter(|key| !key.is_empty()).map(str::to_owned);
        Some(Self { routing_id, key })
    }
}

/// The clients that have asked for something lately.
pub(super) struct Peers {
    known: HashMap<Name, Known>,
    owner: u32,
    owners: HashMap<Vec<u8>, u32>,
    most: usize,
    bytes: RequestBytes,
    /// Counts messages, to tell who was silent longest.
    clock: u64,
}

struct Known {
    client: Arc<Client>,
    places: Places,
    heard: u64,
}

/// A client and the place of one request.
pub(super) struct Seat {
    pub(super) client: Arc<Client>,
    pub(super) place: Place,
}

/// The public keys among the configured owners.
pub(super) fn keys(owners: &BTreeMap<String, u32>) -> HashSet<PublicKey> {
    owners.keys().filter_map(|name| name.parse().ok()).collect()
}

impl Peers {
    pub(super) fn new(config: &config::Frontend, bytes: RequestBytes) -> Self {
        let owners = config.owners.iter();
        let owners = owners.map(|(name, uid)| (name.clone().into_bytes(), *uid));
        Self {
            known: HashMap::new(),
            owner: config.owner.unwrap_or_else(own_uid),
            owners: owners.collect(),
            most: config.max_clients,
            bytes,
            clock: 0,
        }
    }

    /// The client of that name, with a place for one more request.
    ///
    /// # Errors
    /// `Overloaded` when it, or all, have as much under way as they may.
    pub(super) fn seat(&mut self, name: Name) -> Result<Seat, Failure> {
        self.clock += 1;
        if !self.known.contains_key(&name) {
            self.make_room()?;
        }
        let owner = self.owner_of(&name);
        let bytes = &self.bytes;
        let new = || Known::new(owner, bytes);
        let known = self.known.entry(name).or_insert_with(new);
        known.heard = self.clock;
        Ok(Seat {
            client: Arc::clone(&known.client),
            place: known.places.try_take().ok_or_else(too_many_requests)?,
        })
    }

    /// A key is a proof and goes before a name, which is only said.
    fn owner_of(&self, name: &Name) -> u32 {
        let said = name
            .key
            .as_ref()
            .map_or(&name.routing_id[..], |key| key.as_bytes());
        self.owners.get(said).copied().unwrap_or(self.owner)
    }

    /// Forgets who was silent longest and waits for nothing, when there are as many as may be.
    fn make_room(&mut self) -> Result<(), Failure> {
        if self.known.len() < self.most {
            return Ok(());
        }
        let idle = |known: &Known| known.places.free() == MOST_REQUESTS_OF_A_PEER;
        let silent = self.known.iter().filter(|(_, known)| idle(known));
        let silent = silent
            .min_by_key(|(_, known)| known.heard)
            .map(|(name, _)| name.clone());
        match silent {
            Some(name) => {
                self.known.remove(&name);
                Ok(())
            }
            None => Err(Failure::new(
                ErrorType::Overloaded,
                format!(
                    "{} clients wait for something here: try again later",
                    self.most
                ),
            )
            .with("limit", self.most)),
        }
    }

    pub(super) fn count(&self, metrics: &Metrics) {
        metrics
            .peers
            .set(i64::try_from(self.known.len()).unwrap_or(i64::MAX));
    }
}

impl Known {
    fn new(owner: u32, bytes: &RequestBytes) -> Self {
        // ZeroMQ does not tell a group, so it is in none.
        let peer = Peer {
            uid: owner,
            gid: u32::MAX,
            pid: 0,
        };
        // Nobody hears its notes: a REQ gets replies only.
        let (notes, _) = Notes::new();
        Self {
            client: Arc::new(Client::new(connection::next_number(), peer, notes)),
            places: Places::of(MOST_REQUESTS_OF_A_PEER, bytes, owner),
            heard: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::room;

    fn name(routing_id: &str, key: Option<&str>) -> Name {
        Name {
            routing_id: routing_id.as_bytes().to_vec(),
            key: key.map(str::to_owned),
        }
    }

    fn peers(most: usize) -> Peers {
        let config = config::Frontend {
            endpoint: String::new(),
            owner: Some(1),
            owners: BTreeMap::from([("editor".to_owned(), 7), ("key".to_owned(), 8)]),
            max_clients: most,
            curve_key: String::new(),
            allow_insecure: false,
        };
        Peers::new(&config, room(usize::MAX, usize::MAX))
    }

    #[test]
    fn a_key_decides_whose_sessions_a_client_has_and_else_its_name() {
        let mut peers = peers(9);
        let mut owner = |name| peers.seat(name).ok().map(|seat| seat.client.peer.uid);
        assert_eq!(owner(name("editor", None)), Some(7));
        assert_eq!(owner(name("somebody", None)), Some(1));
        assert_eq!(owner(name("editor", Some("key"))), Some(8));
        assert_eq!(owner(name("editor", Some("other"))), Some(1));
    }

    #[test]
    fn a_client_has_so_many_places_and_gets_them_back() {
        let mut peers = peers(9);
        let mut seats: Vec<_> = (0..MOST_REQUESTS_OF_A_PEER)
            .map(|_| peers.seat(name("a", None)).ok().unwrap())
            .collect();
        let refused = peers.seat(name("a", None)).err().unwrap();
        assert_eq!(refused.error_type, ErrorType::Overloaded);
        assert!(peers.seat(name("b", None)).is_ok());
        seats.pop();
        assert!(peers.seat(name("a", None)).is_ok());
    }

    #[test]
    fn who_was_silent_longest_is_forgotten_and_who_waits_is_not() {
        let mut peers = peers(2);
        let waiting = peers.seat(name("waiting", None)).ok().unwrap();
        peers.seat(name("old", None)).ok().unwrap();
        let new = peers.seat(name("new", None)).ok().unwrap();
        assert!(!peers.known.contains_key(&name("old", None)));
        assert!(peers.seat(name("one more", None)).is_err());
        drop((waiting, new));
        assert!(peers.seat(name("one more", None)).is_ok());
    }
}
