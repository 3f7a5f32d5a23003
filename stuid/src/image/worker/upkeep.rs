//! The life of the socket: up, down, worn, given up for one that answers, replaced.

use std::time::Duration;

use stui_protocol::time;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::super::link::{Change, Happening, Link};
use super::super::message::LinkError;
use super::spare::{Spare, Verdict};
use super::{LinkState, OPEN_AGAIN, Waiting, Worker, answer};

/// After the socket was thrown away, requests wait this long for the new one. It connects within
/// milliseconds when the peer is there.
const REPLACEMENT: Duration = Duration::from_millis(500);

impl Worker {
    pub(super) fn on_link(&mut self, happening: Happening) {
        match happening {
            Happening::Received(reply) => self.on_replies(reply),
            Happening::Changed(Change::Up) => self.on_up(),
            // It is known.
            Happening::Changed(Change::Down) if self.is_down() => {}
            Happening::Changed(Change::Down) => self.on_down(),
            Happening::Changed(Change::Refused(why)) => self.on_refused(why),
            Happening::Failed => {
                self.replace("broken");
            }
        }
    }

    pub(super) fn on_spare(&mut self, happening: Happening) {
        let Some(spare) = &mut self.spare else {
            return;
        };
        match spare.hear(happening, &mut self.inflight) {
            Verdict::Wait => {}
            Verdict::Useless => self.spare = None,
            Verdict::Good => {
                if let Some(spare) = self.spare.take() {
                    self.forget_sent("silence");
                    self.link = spare.into_link();
                    self.on_up();
                }
            }
        }
    }

    fn on_up(&mut self) {
        tracing::info!(endpoint = %self.address.endpoint, "the link to the image is up");
        self.metrics.link.connects.inc();
        self.again_at = None;
        self.connection += 1;
        let connection = self.connection;
        self.state.send_replace(LinkState::Up { connection });
    }

    fn on_down(&mut self) {
        tracing::warn!(endpoint = %self.address.endpoint, "the link to the image is down");
        self.metrics.link.disconnects.inc();
        while let Some(reply) = self.link.take_arrived() {
            self.on_reply(reply);
        }
        self.away_since = time::now();
        self.state.send_replace(LinkState::Down);
        self.settle_all(&self.down());
    }

    /// Replaces a worn socket when nobody waits on it, and looks for another way when nothing
    /// comes any more for those who were told a timeout.
    pub(super) fn look_after_socket(&mut self) {
        if self.inflight.has_lost_one() {
            self.worn.get_or_insert("silence");
        }
        if let Some(why) = self.worn
            && !self.inflight.is_awaited()
        {
            self.replace(why);
        }
        if !self.is_up() || !self.inflight.is_stuck() {
            self.spare = None;
            return;
        }
        let now = Instant::now();
        if self
            .spare
            .as_ref()
            .is_some_and(|spare| spare.until() <= now)
        {
            self.spare = None;
        }
        if self.spare.is_none() && self.spare_due <= now {
            self.spare = Spare::open(&self.context, &self.address);
            self.spare_due = now + OPEN_AGAIN;
        }
    }

    /// An operator wants another socket. Replies that have arrived are taken first.
    pub(super) fn reconnect(&mut self, done: oneshot::Sender<usize>) {
        while let Some(reply) = self.link.take_arrived() {
            self.on_reply(reply);
        }
        let unknown = self.inflight.awaited();
        self.replace("asked");
        // Whoever asked may have gone.
        let _ = done.send(unknown);
    }

    /// Throws the socket away and opens a new one. What was sent will not be answered; what waits
    /// has a moment until the new one is connected.
    pub(super) fn replace(&mut self, why: &'static str) {
        self.forget_sent(why);
        self.spare = None;
        match Link::open(&self.context, &self.address) {
            Ok(link) => {
                self.link = link;
                if self.is_up() {
                    self.connecting_until = Instant::now() + REPLACEMENT;
                    self.away_since = time::now();
                    self.state.send_replace(LinkState::Connecting);
                }
            }
            // The same call succeeded at the start, so this is a lack of memory or files.
            Err(error) => {
                tracing::error!(%error, "opening a new socket to the image");
                self.worn = Some(why);
                self.on_down();
            }
        }
    }

    /// What was sent on a socket that goes away becomes *unknown*.
    fn forget_sent(&mut self, why: &'static str) {
        tracing::warn!(endpoint = %self.address.endpoint, why, "throwing away the socket to the image");
        self.metrics
            .link
            .sockets_replaced
            .with_label_values(&[why])
            .inc();
        self.worn = None;
        self.settle_sent();
    }

    /// Nobody will answer what was sent.
    pub(super) fn settle_sent(&mut self) {
        self.pace.forget();
        for Waiting { message, .. } in self.inflight.disconnect() {
            answer(message, Err(LinkError::Unknown));
        }
    }
}
