//! The object registry: values that clients hold by id.
//!
//! Each session has its own part, and evaluations without a session share one. A part holds
//! [`MAX_OBJECTS`]; the one that was not used for the longest time goes first. Ids are random, so
//! that holding one is the right to look.

use std::collections::HashMap;

use uuid::Uuid;

use crate::vm::Pin;

/// Objects of one session. Each keeps its whole graph alive, so they are few.
pub(super) const MAX_OBJECTS: usize = 256;

/// Whose objects: a session's, or nobody's.
pub(super) type Owner = Option<String>;

#[derive(Debug)]
struct Entry {
    owner: Owner,
    pin: Pin,
}

/// All parts of the registry. It owns pins but cannot release them: methods that drop objects
/// answer the pins to release.
#[derive(Debug, Default)]
pub(super) struct Objects {
    entries: HashMap<String, Entry>,
    /// Ids of each owner, least recently used first.
    order: HashMap<Owner, Vec<String>>,
}

impl Objects {
    /// Registers a pinned value; answers its id and the pins to release.
    pub(super) fn add(&mut self, owner: Owner, pin: Pin) -> (String, Vec<Pin>) {
        let id = Uuid::new_v4().to_string();
        let order = self.order.entry(owner.clone()).or_default();
        order.push(id.clone());
        let mut dropped = Vec::new();
        while order.len() > MAX_OBJECTS {
            let oldest = order.remove(0);
            dropped.extend(self.entries.remove(&oldest).map(|entry| entry.pin));
        }
        self.entries.insert(id.clone(), Entry { owner, pin });
        (id, dropped)
    }

    /// The object of this id, which counts as used now. With a session named, it must be that
    /// session's.
    pub(super) fn find(&mut self, id: &str, session: Option<&str>) -> Option<Pin> {
        let entry = self.entries.get(id)?;
        if session.is_some() && entry.owner.as_deref() != session {
            return None;
        }
        if let Some(order) = self.order.get_mut(&entry.owner) {
            order.retain(|other| other != id);
            order.push(id.to_owned());
        }
        Some(entry.pin)
    }

    /// Drops one object; answers the pin to release.
    pub(super) fn remove(&mut self, id: &str, session: Option<&str>) -> Option<Pin> {
        self.find(id, session)?;
        let entry = self.entries.remove(id)?;
        if let Some(order) = self.order.get_mut(&entry.owner) {
            order.retain(|other| other != id);
        }
        Some(entry.pin)
    }

    /// Drops all objects of an owner; answers the pins to release.
    pub(super) fn clear(&mut self, owner: &Owner) -> Vec<Pin> {
        let ids = self.order.remove(owner).unwrap_or_default();
        ids.iter()
            .filter_map(|id| self.entries.remove(id))
            .map(|entry| entry.pin)
            .collect()
    }

    /// Drops the less recently used half of every owner's objects: for when memory is short.
    pub(super) fn shed(&mut self) -> Vec<Pin> {
        let mut dropped = Vec::new();
        for order in self.order.values_mut() {
            for id in order.drain(..order.len().div_ceil(2)) {
                dropped.extend(self.entries.remove(&id).map(|entry| entry.pin));
            }
        }
        dropped
    }

    /// The objects of an owner, least recently used first.
    pub(super) fn of(&self, owner: &Owner) -> Vec<(String, Pin)> {
        let ids = self.order.get(owner).map(Vec::as_slice).unwrap_or_default();
        ids.iter()
            .filter_map(|id| Some((id.clone(), self.entries.get(id)?.pin)))
            .collect()
    }

    /// How many objects an owner has.
    pub(super) fn count(&self, owner: &Owner) -> usize {
        self.order.get(owner).map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> Owner {
        Some(name.to_owned())
    }

    #[test]
    fn an_object_is_found_by_its_id_alone_or_in_its_session_only() {
        let mut objects = Objects::default();
        let (id, _) = objects.add(session("a"), Pin(1));
        assert_eq!(objects.find(&id, None), Some(Pin(1)));
        assert_eq!(objects.find(&id, Some("a")), Some(Pin(1)));
        assert_eq!(objects.find(&id, Some("b")), None);
        assert_eq!(objects.remove(&id, Some("b")), None);
        assert_eq!(objects.remove(&id, Some("a")), Some(Pin(1)));
        assert_eq!(objects.find(&id, None), None);
        assert_eq!(objects.count(&session("a")), 0);
    }

    #[test]
    fn the_object_that_was_not_used_for_longest_makes_room() {
        let mut objects = Objects::default();
        let (first, _) = objects.add(session("a"), Pin(0));
        let (second, _) = objects.add(session("a"), Pin(1));
        for n in 2..MAX_OBJECTS {
            assert!(objects.add(session("a"), Pin(n as u64)).1.is_empty());
        }
        objects.find(&first, None);
        let (_, dropped) = objects.add(session("a"), Pin(9999));
        assert_eq!(dropped, [Pin(1)]);
        assert_eq!(objects.find(&second, None), None);
        assert!(objects.find(&first, None).is_some());
        assert_eq!(objects.count(&session("a")), MAX_OBJECTS);
    }

    #[test]
    fn clearing_one_owner_leaves_the_others() {
        let mut objects = Objects::default();
        objects.add(session("a"), Pin(1));
        objects.add(None, Pin(2));
        assert_eq!(objects.clear(&session("a")), [Pin(1)]);
        assert_eq!(objects.of(&None).len(), 1);
        assert_eq!(objects.shed(), [Pin(2)]);
        assert_eq!(objects.count(&None), 0);
    }
}
