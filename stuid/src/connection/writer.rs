//! What a client receives: replies, notes, the log of the session that it is attached to.
//!
//! A client is a cursor in the log. Lines are taken from the log when the socket has room, so a
//! client that does not read holds no memory but that. It lags after a second; when it reads again
//! it is told so, and gets the rest from the log with one `gap` for what was dropped meanwhile. One
//! that reads nothing for too long is disconnected.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use stui_protocol::codec::client::encode_event;
use stui_protocol::daemon::GoodbyeData;
use stui_protocol::{Event, EventName};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

use super::lag::{LAGS_AFTER, Lag};
use super::responder::{Outgoing, Switch};
use crate::announcements::Announcement;
use crate::commands::{Client, Services};
use crate::log::{End, gap_event};
use crate::session::{Access, Session};

/// Bytes of a log that are taken at once.
const PART_BYTES: usize = 32 * 1024;

/// How long a client that does not read may hold up the end of the daemon.
const LAST_CHANCE: Duration = Duration::from_millis(500);

/// A client's place in a session's log.
pub struct Attachment {
    session: Arc<Session>,
    /// Position of the last line written.
    cursor: u64,
    end: watch::Receiver<End>,
}

impl Attachment {
    /// Begins after that position, or at the end when the log does not reach as far.
    #[must_use]
    pub fn new(session: Arc<Session>, after: u64) -> Self {
        let end = session.log.watch();
        let cursor = after.min(end.borrow().position);
        Self {
            session,
            cursor,
            end,
        }
    }

    /// Lines of the log that the client has not got.
    fn behind(&self) -> u64 {
        self.end.borrow().position.saturating_sub(self.cursor)
    }
}

/// The direction from the daemon to the client.
pub(crate) struct Writer {
    stream: OwnedWriteHalf,
    replies: mpsc::Receiver<Outgoing>,
    notes: mpsc::Receiver<Vec<u8>>,
    attachment: Option<Attachment>,
    announced: Option<broadcast::Receiver<Announcement>>,
    client: Arc<Client>,
    lag: Lag,
    /// Why this client is to be disconnected, once it is.
    kicked: watch::Receiver<Option<String>>,
    /// How long this client may take nothing.
    stall_timeout: Duration,
    services: Arc<Services>,
    farewell: bool,
}

impl Writer {
    pub(crate) fn new(
        stream: OwnedWriteHalf,
        replies: mpsc::Receiver<Outgoing>,
        notes: mpsc::Receiver<Vec<u8>>,
        client: &Arc<Client>,
        services: &Arc<Services>,
    ) -> Self {
        Self {
            stream,
            replies,
            notes,
            attachment: None,
            announced: None,
            client: Arc::clone(client),
            lag: Lag::new(client, services),
            kicked: client.kicked(),
            stall_timeout: services.config.now().config.clients.stall_timeout,
            services: Arc::clone(services),
            farewell: false,
        }
    }

    /// The stream, after [`Self::run`] has come to its end.
    pub(crate) fn into_stream(self) -> OwnedWriteHalf {
        self.stream
    }

    /// Writes until there will be no more replies.
    pub(crate) async fn run(&mut self) -> io::Result<()> {
        loop {
            let kicked = self.kicked.borrow().clone();
            if let Some(reason) = kicked {
                let goodbye = Event::new(EventName::Goodbye, &GoodbyeData { reason });
                return self.write(&encode_event(&goodbye)).await;
            }
            // Looked at before the replies: a reply that was given before a line was logged is
            // written before it.
            let end = self.attachment.as_ref().map(|each| *each.end.borrow());
            let mut switched = false;
            while let Ok(outgoing) = self.replies.try_recv() {
                switched |= outgoing.switch.is_some();
                self.write_reply(outgoing).await?;
            }
            if switched {
                continue;
            }
            if let Some(end) = end
                && self.write_log(end.position).await?
            {
                continue;
            }
            if end.is_some_and(|end| end.closed) {
                // The session is gone; all of its log is written.
                self.attachment = None;
            }
            self.lag.end();
            if !self.write_next().await? {
                break;
            }
        }
        if self.services.closing.is_cancelled() {
            self.write_farewell().await?;
        }
        Ok(())
    }

    /// Says that the daemon goes away, once.
    async fn write_farewell(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.farewell, true) {
            return Ok(());
        }
        let farewell = Event::new(EventName::ShuttingDown, &serde_json::json!({}));
        self.write(&encode_event(&farewell)).await
    }

    /// Waits for something to write. False when there will be nothing any more.
    async fn write_next(&mut self) -> io::Result<bool> {
        let closing = self.services.closing.clone();
        tokio::select! {
            biased;
            // The sender lives as long as the client.
            _ = self.kicked.changed() => {}
            reply = self.replies.recv() => match reply {
                Some(outgoing) => self.write_reply(outgoing).await?,
                None => return Ok(false),
            },
            () = closing.cancelled(), if !self.farewell => self.write_farewell().await?,
            Some(note) = self.notes.recv() => self.write(&note).await?,
            line = next_announcement(&mut self.announced) => {
                if line.is_for(self.client.peer) {
                    self.write(&line.line).await?;
                }
            }
            () = more_log(&mut self.attachment) => {}
        }
        Ok(true)
    }

    async fn write_reply(&mut self, outgoing: Outgoing) -> io::Result<()> {
        if let (Some((key, position)), Some(attachment)) = (outgoing.after, &self.attachment)
            && attachment.session.key == key
        {
            while self.write_log(position).await? {}
        }
        self.write(&outgoing.line).await?;
        match outgoing.switch {
            None => {}
            Some(Switch::Attach(attachment)) => self.attachment = Some(attachment),
            Some(Switch::Detach) => self.attachment = None,
            Some(Switch::Subscribe) => {
                self.announced = Some(self.services.announcements.subscribe());
            }
        }
        Ok(())
    }

    /// Writes a part of the log, up to a position at most. False when there was nothing.
    async fn write_log(&mut self, up_to: u64) -> io::Result<bool> {
        let Some(attachment) = &mut self.attachment else {
            return Ok(false);
        };
        if attachment.session.access(self.client.peer) == Access::Nothing {
            self.turn_out().await?;
            return Ok(true);
        }
        let part = attachment
            .session
            .log
            .read(attachment.cursor, up_to, PART_BYTES);
        if part.position == attachment.cursor {
            return Ok(false);
        }
        attachment.cursor = part.position;
        if let Some(gap) = part.gap {
            self.services.metrics.clients.log_gaps.inc();
            self.write(&encode_event(&gap_event(gap))).await?;
        }
        match part.lines.as_slice() {
            // Perhaps a large one, which all who read it share.
            [line] => self.write(line).await?,
            lines => self.write(&lines.concat()).await?,
        }
        Ok(true)
    }

    /// The session is not shared with this client any more: says so and shows nothing more of it.
    async fn turn_out(&mut self) -> io::Result<()> {
        let Some(Attachment { session, .. }) = self.attachment.take() else {
            return Ok(());
        };
        if let Some(mut was) = session.detach(self.client.number) {
            let name = session.name();
            was.reason = Some(format!("session {name} is not shared with you any more"));
            let mut event = Event::new(EventName::Detached, &was);
            event.session_id = session.session_id();
            self.write(&encode_event(&event)).await?;
        }
        self.client.forget(&session);
        Ok(())
    }

    /// Writes all, or fails when the client takes nothing for too long; when the daemon goes away
    /// that is sooner.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes).await?;
        match self.lag.notice(self.behind()) {
            Some(notice) => self.write_all(&notice).await,
            None => Ok(()),
        }
    }

    async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.write_some(bytes).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[count..];
        }
        Ok(())
    }

    async fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One that reads as fast as it is written to does not keep others from running.
        consume_budget().await;
        // Nearly always there is room, and then nothing of what follows is needed.
        match self.stream.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return written,
        }
        let services = &self.services;
        let began = Instant::now();
        let mut kicked = self.kicked.clone();
        let last_chance = async {
            tokio::select! {
                () = services.closing.cancelled() => {}
                _ = kicked.wait_for(Option::is_some) => {}
            }
            sleep_until(Instant::now() + LAST_CHANCE).await;
        };
        let mut last_chance = std::pin::pin!(last_chance);
        loop {
            let lags = began + LAGS_AFTER.min(self.stall_timeout / 2);
            tokio::select! {
                written = self.stream.write(bytes) => return written,
                () = sleep_until(lags), if !self.lag.is_lagging() => {
                    self.lag.begin(self.behind());
                }
                () = sleep_until(began + self.stall_timeout) => return Err(self.stalled()),
                () = &mut last_chance => return Err(self.stalled()),
            }
        }
    }

    fn behind(&self) -> u64 {
        self.attachment.as_ref().map_or(0, Attachment::behind)
    }

    fn stalled(&self) -> io::Error {
        self.services.metrics.clients.stalled.inc();
        io::Error::new(
            io::ErrorKind::TimedOut,
            "it did not read what was there for it",
        )
    }
}

/// Waits until the log has grown or was closed.
async fn more_log(attachment: &mut Option<Attachment>) {
    if let Some(attachment) = attachment {
        let cursor = attachment.cursor;
        let more = |end: &End| end.position > cursor || end.closed;
        if attachment.end.wait_for(more).await.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// The next announcement, or that some were lost.
async fn next_announcement(
    announced: &mut Option<broadcast::Receiver<Announcement>>,
) -> Announcement {
    let Some(receiver) = announced else {
        return std::future::pending().await;
    };
    match receiver.recv().await {
        Ok(line) => line,
        Err(broadcast::error::RecvError::Lagged(missed)) => {
            let data = serde_json::json!({ "missed": missed });
            let lost = EventName::Other("announcements_lost".to_owned());
            Announcement::for_all(&Event::new(lost, &data))
        }
        Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
    }
}
