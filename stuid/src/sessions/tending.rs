//! Looking after sessions that nobody uses: their contexts are saved now and then, and those that
//! were idle for long enough are closed, when the configuration wants that.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stui_protocol::image::{CloseSession, SaveContext};
use stui_protocol::time;
use stui_protocol::{ErrorType, Event, EventName, Failure};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Sessions;
use crate::config::{Autosave, Sessions as Policy};
use crate::identity::Peer;
use crate::session::Session;
use crate::store::{HomeRecord, SavedRecord};

/// Between two looks.
const TICK: Duration = Duration::from_secs(1);

/// Closed sessions of one user that are remembered.
const MOST_TOMBSTONES: usize = 64;

/// The name of contexts that are saved here.
const CONTEXT_NAME: &str = "autosave";

impl Sessions {
    /// Looks after all sessions until told to stop.
    pub async fn tend(self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if self.table.image.instance().is_empty() {
                continue;
            }
            let policy = self.table.config.now().config.sessions.clone();
            for session in self.all() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.tend_one(&session, &policy) => {}
                }
            }
        }
    }

    async fn tend_one(&self, session: &Arc<Session>, policy: &Policy) {
        let Some(rest) = session.rest() else {
            return;
        };
        let is_due = match policy.autosave {
            Autosave::OnIdle => rest.idle >= policy.autosave_period,
            Autosave::Interval => rest.since_save >= policy.autosave_period,
            Autosave::Off => false,
        };
        if rest.has_news && is_due {
            // Told when it fails; tried again after as long.
            let _ = self.save(session).await;
        }
        let Some(limit) = policy.expire_after.filter(|_| !rest.is_attached) else {
            return;
        };
        if rest.idle >= limit && rest.warned {
            self.expire(session, limit).await;
        } else if rest.idle + policy.expire_warning >= limit && !rest.warned {
            let left = limit.saturating_sub(rest.idle).as_secs();
            let event = EventName::Other("session_expiring".to_owned());
            session.tell(Event::new(event, &json!({ "in_s": left })));
            session.warned();
        }
    }

    async fn save(&self, session: &Arc<Session>) -> Result<(), Failure> {
        session.save_begins();
        let command = SaveContext {
            session_id: session.usable_id()?,
            name: Some(CONTEXT_NAME.to_owned()),
        };
        let deadline = Instant::now() + self.table.config.request_timeout();
        match self.table.image.ask(&command, deadline).await {
            Ok(saved) => {
                session.saved(SavedRecord {
                    context_id: saved.context_id,
                    saved_at: saved.saved_at,
                });
                tracing::debug!(
                    session = session.name(),
                    "the context of a session is saved"
                );
                Ok(())
            }
            Err(failure) => {
                session.save_failed();
                tracing::warn!(session = session.name(), %failure, "saving the context of a session");
                Err(failure)
            }
        }
    }

    /// Closes a session that nobody uses, after saving its context. One that is used meanwhile, or
    /// cannot be saved, stays.
    async fn expire(&self, session: &Arc<Session>, limit: Duration) {
        if !session.begin_closing() {
            return;
        }
        if let Err(failure) = self.save_and_close(session).await {
            session.go_on();
            return tracing::warn!(session = session.name(), %failure, "closing an idle session");
        }
        let saved = session.saved_context();
        let reason = format!(
            "nobody used it for {} s (sessions.expire_idle_s){}",
            limit.as_secs(),
            saved.map_or_else(String::new, |saved| format!(
                "; its context was saved as {}",
                saved.context_id
            ))
        );
        tracing::info!(
            session = session.name(),
            owner = session.owner,
            reason,
            "an idle session is closed"
        );
        session.tell(Event::new(
            EventName::Other("session_expired".to_owned()),
            &json!({ "reason": reason }),
        ));
        if self.bury(session, &reason) {
            self.announce(EventName::SessionClosed, session);
        }
    }

    async fn save_and_close(&self, session: &Arc<Session>) -> Result<(), Failure> {
        if session.rest().is_none_or(|rest| rest.has_news) {
            self.save(session).await?;
        }
        let session_id = session.usable_id()?;
        let deadline = Instant::now() + self.table.config.request_timeout();
        let close = CloseSession { session_id };
        match self.table.image.ask(&close, deadline).await {
            Err(failure) if failure.error_type != ErrorType::SessionNotFound => Err(failure),
            _ => Ok(()),
        }
    }

    /// Takes a session out and keeps why. False when somebody else has ended it.
    fn bury(&self, session: &Arc<Session>, reason: &str) -> bool {
        let record = session.epitaph(reason, time::now());
        let removed = self.remove(session);
        if removed {
            let store = &self.table.store;
            store.put_session(record);
            store.trim_tombstones(session.owner, MOST_TOMBSTONES);
        }
        removed
    }

    /// What is told to a peer of a session that was closed, if that is known.
    pub(crate) fn tombstone(&self, peer: Peer, name: &str) -> Option<Failure> {
        let record = self.table.store.tombstone(peer.uid, name)?;
        let HomeRecord::Closed { reason, since } = record.home else {
            return None;
        };
        let failure = Failure::new(
            ErrorType::SessionExpired,
            format!(
                "session {name} was closed ({since}): {reason}; `attach` with `create` begins a new one"
            ),
        );
        let failure = failure
            .with("session", name)
            .with("reason", reason)
            .with("since", since.to_string());
        Some(match record.saved {
            Some(saved) => failure.with("context_id", saved.context_id),
            None => failure,
        })
    }
}
