//! Whether a session is used, and since when it is not.

use std::time::Duration;

use stui_protocol::time::Timestamp;
use tokio::time::Instant;

use super::{Facts, Home, Session};
use crate::store::{HomeRecord, SavedRecord, SessionRecord};

/// When a session was used and saved.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) last: Instant,
    /// When it was last saved, or that was tried; else when it was taken in.
    pub(super) saved: Instant,
    /// Something was evaluated that is in no saved context.
    pub(super) has_news: bool,
    /// It was told that it will be closed.
    pub(super) warned: bool,
}

impl Default for Use {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            last: now,
            saved: now,
            has_news: false,
            warned: false,
        }
    }
}

/// A session in which nothing runs or waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    /// For how long nobody has evaluated, attached or left.
    pub(crate) idle: Duration,
    /// For how long it was not saved.
    pub(crate) since_save: Duration,
    /// Something was evaluated that is in no saved context.
    pub(crate) has_news: bool,
    /// Somebody is attached.
    pub(crate) is_attached: bool,
    /// It was told that it will be closed.
    pub(crate) warned: bool,
}

impl Facts {
    /// Somebody uses it.
    pub(super) fn used(&mut self) {
        self.used.last = Instant::now();
        self.used.warned = false;
    }

    fn rests(&self) -> bool {
        let there = matches!(self.home, Home::There(_));
        there && self.queue.running.is_none() && self.queue.waiting.is_empty()
    }
}

impl Session {
    /// How long it rests; none for one that works, or that the image does not have.
    pub(crate) fn rest(&self) -> Option<Rest> {
        let facts = self.facts();
        facts.rests().then(|| Rest {
            idle: facts.used.last.elapsed(),
            since_save: facts.used.saved.elapsed(),
            has_news: facts.used.has_news,
            is_attached: !facts.attached.is_empty(),
            warned: facts.used.warned,
        })
    }

    /// It was told that it will be closed.
    pub(crate) fn warned(&self) {
        self.facts().used.warned = true;
    }

    /// Its context is about to be saved: what is evaluated from now on is news.
    pub(crate) fn save_begins(&self) {
        let mut facts = self.facts();
        facts.used.has_news = false;
        facts.used.saved = Instant::now();
    }

    /// It was not saved after all.
    pub(crate) fn save_failed(&self) {
        self.facts().used.has_news = true;
    }

    /// The newest context that is known.
    pub(crate) fn saved_context(&self) -> Option<SavedRecord> {
        self.facts().saved.clone()
    }

    /// Accepts nothing any more, unless it is used. False when it is.
    pub(crate) fn begin_closing(&self) -> bool {
        let mut facts = self.facts();
        let may_close = facts.rests() && facts.attached.is_empty() && !facts.closing;
        facts.closing |= may_close;
        may_close
    }

    /// It is not closed after all.
    pub(crate) fn go_on(&self) {
        let mut facts = self.facts();
        facts.closing = false;
        facts.used();
    }

    /// What is kept of it after its end.
    pub(crate) fn epitaph(&self, reason: &str, since: Timestamp) -> SessionRecord {
        let facts = self.facts();
        SessionRecord {
            key: self.key,
            name: facts.name.clone(),
            owner: self.owner,
            created_at: self.created_at,
            timeout: None,
            home: HomeRecord::Closed {
                reason: reason.to_owned(),
                since,
            },
            saved: facts.saved.clone(),
            share: None,
        }
    }
}
