//! What the loop, the completer and the line editor's idle callback share: the connection and what
//! is known about the session. All three run in the same thread, one after the other; the lock is
//! there because the line editor wants callbacks that could be sent to another.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stui_protocol::daemon::{Attach, AttachMode, AttachResult, Await, Submit, SubmitResult};
use stui_protocol::image::Interrupt;
use stui_protocol::{Event, EventName, Outcome, Request};

use crate::commands::{Context, goes_on};
use crate::connection::{Again, Connection, Incoming, REPLY_PATIENCE, request, result};
use crate::exit::Problem;
use crate::render::event::Scribe;

/// Events that are taken at one idle moment; the rest waits for the next.
const EVENTS_AT_ONCE: usize = 1000;

/// The connection and the session.
pub(super) struct Live {
    pub(super) connection: Connection,
    pub(super) scribe: Scribe,
    /// Why the connection is of no use any more.
    pub(super) broken: Option<Problem>,
    /// Somebody wants this process to end.
    pub(super) leaving: bool,
    /// The way back to a daemon that went away.
    pub(super) again: Option<Again>,
    /// Where the daemon listens, and how long it is waited for.
    pub(super) socket: PathBuf,
    pub(super) patience: Duration,
    /// Position of the newest line of the log that was seen.
    pub(super) position: u64,
    /// Position up to which the log was when the daemon was there again.
    pub(super) replayed_to: u64,
    /// An evaluation whose end was shown before it was told.
    settled: Option<String>,
    /// What was told when the line was broken off.
    pub(super) last_words: String,
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
    pub(super) fn shared(
        connection: Connection,
        joined: &AttachResult,
        scribe: Scribe,
        context: &Context<'_>,
    ) -> Shared {
        Shared(Arc::new(Mutex::new(Self {
            connection,
            scribe,
            broken: None,
            leaving: false,
            again: None,
            socket: context.socket.clone(),
            patience: context.reconnect,
            position: joined.position,
            replayed_to: joined.position,
            settled: None,
            last_words: String::new(),
            open_line: String::new(),
        })))
    }

    /// The text for an event.
    pub(super) fn read(&mut self, event: &Event) -> String {
        self.position = self.position.max(event.position.unwrap_or(0));
        let told = self.settled.is_some() && event.evaluation_id == self.settled;
        if told && event.event == EventName::EvaluationFinished {
            self.settled = None;
            return String::new();
        }
        self.scribe.text(event)
    }

    /// The answer to a request that submitted code. When Ctrl-C comes before it, whatever was
    /// submitted is interrupted.
    ///
    /// # Errors
    /// What the daemon answers.
    pub(super) fn submitted(&mut self, submit: &Request) -> Result<SubmitResult, Problem> {
        let reply = self.connection.reply_to(submit, REPLY_PATIENCE);
        let submitted = reply.and_then(result::<Submit>);
        if matches!(submitted, Err(Problem::Interrupted)) {
            let interrupt = request(&Interrupt::default(), Some(&self.scribe.session_id));
            self.connection.send(&interrupt)?;
        }
        submitted
    }

    /// Takes the session over from whoever took it from us.
    ///
    /// # Errors
    /// What the daemon answers.
    pub(super) fn steal(&mut self) -> Result<(), Problem> {
        let attach = Attach {
            session: self.scribe.session_id.clone(),
            create: false,
            recreate: false,
            mode: AttachMode::Drive,
            steal: true,
            since: Some(self.position),
            terminal: crate::terminal::name(),
        };
        self.connection.call(&attach, None).map(drop)
    }

    /// The end of an evaluation, if it has come: it may have been among lines that are gone from
    /// the log. Should it be told later, too, it is not shown again.
    ///
    /// # Errors
    /// What can go wrong with a connection.
    pub(super) fn end_of(&mut self, evaluation_id: &str) -> Result<Option<Outcome>, Problem> {
        let ask = Await {
            evaluation_id: evaluation_id.to_owned(),
            wait_ms: Some(0),
        };
        let outcome = self.connection.ask(&request(&ask, None))?.outcome;
        if goes_on(&outcome) {
            return Ok(None);
        }
        self.settle(evaluation_id);
        Ok(Some(outcome))
    }

    /// The end of that evaluation is shown: should it be told later, it is not shown again.
    pub(super) fn settle(&mut self, evaluation_id: &str) {
        self.settled = Some(evaluation_id.to_owned());
    }

    /// Takes what has happened since the last idle moment: whole lines for above the prompt. Sets
    /// `gone` when nothing more will come.
    pub(super) fn idle(&mut self, gone: &AtomicBool) -> String {
        let mut text = std::mem::take(&mut self.open_line);
        let held = text.len();
        let mut left = EVENTS_AT_ONCE;
        match self.look_for_daemon() {
            Ok(told) => begin_line(&mut text, &told),
            Err(problem) => {
                self.broken = Some(problem);
                gone.store(true, Ordering::Relaxed);
            }
        }
        if self.leaving {
            gone.store(true, Ordering::Relaxed);
        }
        while left > 0 && self.again.is_none() && !gone.load(Ordering::Relaxed) {
            left -= 1;
            let incoming = self.connection.poll();
            let done = match incoming {
                Ok(Some(Incoming::Event(event))) => self.take(&event, &mut text),
                Ok(Some(Incoming::Leave)) => {
                    self.leaving = true;
                    gone.store(true, Ordering::Relaxed);
                    break;
                }
                // Late replies, and an interrupt that came after the end.
                Ok(Some(Incoming::Reply(_) | Incoming::Interrupt)) => Ok(()),
                Ok(None) => break,
                Err(problem) => self.lost(problem).map(|told| begin_line(&mut text, &told)),
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
        if gone.load(Ordering::Relaxed) {
            self.last_words = text;
            return String::new();
        }
        // A line without its end waits one moment for the rest of it.
        if text.len() > held && !text.ends_with('\n') {
            let end = text.rfind('\n').map_or(0, |at| at + 1);
            self.open_line = text.split_off(end);
        } else {
            // What is printed above the prompt ends there.
            self.scribe.line_open = false;
        }
        text
    }

    fn take(&mut self, event: &Event, text: &mut String) -> Result<(), Problem> {
        let told = self.read(event);
        if let Some(problem) = self.scribe.end(event) {
            // It says so itself.
            return Err(problem);
        }
        text.push_str(&told);
        Ok(())
    }
}

/// Adds text that begins a line.
fn begin_line(text: &mut String, told: &str) {
    if !told.is_empty() && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(told);
}
