//! Which session has which name, when that changes: one change at a time, so that a session is never
//! there twice, and ends once.

use std::sync::{Arc, MutexGuard, PoisonError};

use dashmap::mapref::entry::Entry;
use stui_protocol::Failure;

use super::finding::no_session;
use super::making::taken;
use super::{Sessions, check_name};
use crate::session::Session;

impl Sessions {
    /// Gives a session another name.
    ///
    /// # Errors
    /// `InvalidParameter` for a name that is none, or taken; `SessionNotFound` when it has ended.
    pub fn rename(&self, session: &Arc<Session>, name: &str) -> Result<(), Failure> {
        check_name(name)?;
        let _turn = self.renaming();
        let old = session.name();
        if session.closed.is_cancelled() {
            return Err(no_session(&old));
        }
        if old == name {
            return Ok(());
        }
        match self.table.by_name.entry((session.owner, name.to_owned())) {
            Entry::Occupied(_) => return Err(taken(name)),
            Entry::Vacant(vacant) => vacant.insert(Arc::clone(session)),
        };
        self.table.by_name.remove(&(session.owner, old));
        session.rename(name);
        Ok(())
    }

    /// Takes a session out and ends it. False when somebody else has done that.
    pub(super) fn remove(&self, session: &Arc<Session>) -> bool {
        let _turn = self.renaming();
        let key = (session.owner, session.name());
        let is_same = |_: &_, there: &Arc<Session>| there.key == session.key;
        let removed = self.table.by_name.remove_if(&key, is_same).is_some();
        if removed {
            session.close();
            self.table.store.forget(session.key);
        }
        removed
    }

    fn renaming(&self) -> MutexGuard<'_, ()> {
        let renaming = self.table.renaming.lock();
        renaming.unwrap_or_else(PoisonError::into_inner)
    }
}
