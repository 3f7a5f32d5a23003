//! What the loop, the completer and the line editor's idle callback share: the connection and what
//! is known about the session. All three run in the same thread, one after the other; the lock is
//! there because the line editor wants callbacks that could be sent to another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stui_protocol::daemon::{Attach, AttachMode, AttachResult};
use stui_protocol::{Event, EventName};

use crate::connection::{Connection, Incoming, request};
use crate::exit::Problem;
use crate::render::event::Scribe;

/// Events that are taken at one idle moment; the rest waits for the next.
const EVENTS_AT_ONCE: usize = 1000;

/// The connection and the session.
pub(super) struct Live {
    pub(super) connection: Connection,
    pub(super) scribe: Scribe,
    /// The session's id, which stays when its name changes.
    pub(super) session_id: String,
    /// Why the connection is of no use any more.
    pub(super) broken: Option<Problem>,
    /// Position of the newest line of the log that was seen.
    position: u64,
    /// Output that lacks its line end.
    open_line: String,
}

/// A handle on [`Live`].
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Live>>);

impl Shared {
    /// The state. It is plain data, so a panic elsewhere does not spoil it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    pub(super) fn shared(connection: Connection, joined: &AttachResult, scribe: Scribe) -> Shared {
        Shared(Arc::new(Mutex::new(Self {
            connection,
            scribe,
            session_id: joined.session.session_id.clone(),
            broken: None,
            position: joined.position,
            open_line: String::new(),
        })))
    }

    /// Notes what an event says about our place in the log; asks again for what was missed.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub(super) fn note(&mut self, event: &Event) -> Result<(), Problem> {
        self.position = self.position.max(event.position.unwrap_or(0));
        if event.event == EventName::Lagging {
            let attach = Attach {
                session: self.session_id.clone(),
                mode: AttachMode::Drive,
                since: Some(self.position),
                ..Attach::default()
            };
            // Its reply needs no answer; the missed events follow it.
            self.connection.send(&request(&attach, None))?;
        }
        Ok(())
    }

    /// Takes what has happened since the last idle moment: whole lines for above the prompt. Sets
    /// `gone` when nothing more will come.
    pub(super) fn idle(&mut self, gone: &AtomicBool) -> String {
        let mut text = std::mem::take(&mut self.open_line);
        let held = text.len();
        for _ in 0..EVENTS_AT_ONCE {
            let incoming = self.connection.poll();
            let done = match incoming {
                Ok(Some(Incoming::Event(event))) => self.take(&event, &mut text),
                // Late replies, and signals that somebody sent by hand.
                Ok(Some(_)) => Ok(()),
                Ok(None) => break,
                Err(problem) => Err(problem),
            };
            if let Err(problem) = done {
                self.broken = Some(problem);
                gone.store(true, Ordering::Relaxed);
                break;
            }
        }
        let skipped = self.connection.take_skipped();
        if skipped > 0 {
            let note = format!("{skipped} events were left out; `stui history` has the results");
            text.push_str(&self.scribe.note(&note));
        }
        // A line without its end waits one moment for the rest of it.
        if text.len() > held && !text.ends_with('\n') {
            let end = text.rfind('\n').map_or(0, |at| at + 1);
            self.open_line = text.split_off(end);
        }
        text
    }

    fn take(&mut self, event: &Event, text: &mut String) -> Result<(), Problem> {
        self.note(event)?;
        begin_line(text, event);
        text.push_str(&self.scribe.text(event));
        if event.event == EventName::SessionClosed {
            return Err(Problem::SessionEnded);
        }
        Ok(())
    }
}

/// Ends an open line of output before anything that is no output.
pub(super) fn begin_line(text: &mut String, event: &Event) {
    let continues = matches!(event.event, EventName::Output | EventName::Transcript);
    if !continues && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}
