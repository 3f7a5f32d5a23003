//! The start of a daemon after another: the sessions that the store has, with what was under way
//! in them. Whether the image still has them is seen when it answers.

use super::Sessions;
use crate::session::Session;
use crate::store::{HomeRecord, Recovered};

impl Sessions {
    /// Takes in what an earlier daemon has left.
    pub(crate) fn recover(&self, found: Vec<Recovered>) {
        for each in found {
            // Of one that was ended only the record stays.
            if !matches!(each.record.home, HomeRecord::Closed { .. }) {
                self.recover_one(each);
            }
        }
    }

    fn recover_one(&self, found: Recovered) {
        let limits = self.limits(found.record.timeout);
        let owner = found.record.owner;
        let make = |_: &str| Session::recovered(&found, &limits);
        let Some(session) = self.insert(owner, &found.record.name, make) else {
            tracing::error!(
                name = found.record.name,
                "two sessions of one name were kept"
            );
            return;
        };
        tracing::debug!(
            name = found.record.name,
            owner,
            "a session of an earlier daemon"
        );
        for open in found.open {
            let evaluation =
                self.record(open.id.clone(), open.code.clone(), open.by, Some(&session));
            session.resume(&evaluation, open);
        }
        self.employ(&session);
    }
}
