//! The daemon goes away and comes back while somebody works: the loop goes on where it was.

use std::io::Write;

use stui_protocol::daemon::Attach;

use super::Next;
use super::live::{Live, Shared};
use crate::commands::Context;
use crate::connection::{Again, Back, Errand, Waited};
use crate::exit::Problem;

impl Live {
    /// Begins to come back when the daemon went away. Answers what to tell, once.
    ///
    /// # Errors
    /// The problem, when it is another one or nobody wants to come back.
    pub(super) fn lost(&mut self, problem: Problem) -> Result<String, Problem> {
        if !problem.is_lost() || self.patience.is_zero() {
            return Err(problem);
        }
        if self.again.is_some() {
            return Ok(String::new());
        }
        let errand = self.errand();
        let note = self.connection.how_lost();
        let lost = Some(&mut self.connection);
        self.again = Some(Again::begin(lost, &self.socket, self.patience, errand)?);
        Ok(self.scribe.note(note))
    }

    /// What the next connection has to do: go on with the log where this one ended.
    fn errand(&self) -> Errand {
        Errand {
            attach: Some(Attach {
                session: self.scribe.session_id.clone(),
                mode: self.scribe.mode,
                since: Some(self.position),
                terminal: crate::terminal::name(),
                ..Attach::default()
            }),
            subscribe: true,
        }
    }

    /// The daemon is there again. Answers what to tell.
    pub(super) fn returned(&mut self, back: Back) -> String {
        self.connection = back.connection;
        self.again = None;
        if let Some(joined) = back.joined {
            // Another log than the one we know is read from its beginning.
            if joined.position < self.position {
                self.position = 0;
            }
            self.scribe.returned(&joined.session, self.position);
            self.replayed_to = joined.position;
        }
        self.scribe.note("reconnected")
    }

    /// Whether everything has been seen that was in the log when the daemon was there again.
    pub(super) fn has_caught_up(&self) -> bool {
        self.position >= self.replayed_to
    }

    /// Looks whether the daemon is there again. Answers what to tell.
    ///
    /// # Errors
    /// Why it cannot be come back to.
    pub(super) fn look_for_daemon(&mut self) -> Result<String, Problem> {
        let Some(again) = &self.again else {
            return Ok(String::new());
        };
        match again.poll() {
            Ok(Waited::Back(back)) => Ok(self.returned(*back)),
            Ok(Waited::Leave) => {
                self.leaving = true;
                Ok(String::new())
            }
            Ok(Waited::Interrupt | Waited::NotYet) => Ok(String::new()),
            Err(problem) => {
                self.again = None;
                Err(problem)
            }
        }
    }
}

/// Waits until the daemon is there again, when it went away. Answers what to do instead when the
/// user does not want to wait.
///
/// # Errors
/// Why it cannot be come back to.
pub(super) fn wait(live: &Shared, context: &mut Context<'_>) -> Result<Option<Next>, Problem> {
    loop {
        let Some(again) = live.lock().again.take() else {
            return Ok(None);
        };
        let text = match again.wait()? {
            Waited::Back(back) => live.lock().returned(*back),
            Waited::Leave => return Ok(Some(Next::Leave)),
            Waited::Interrupt => {
                let mut live = live.lock();
                live.again = Some(again);
                let note = live.scribe.note("still reconnecting; what runs goes on");
                write!(context.terminal.out, "\n{note}")?;
                return Ok(Some(Next::Prompt));
            }
            Waited::NotYet => {
                live.lock().again = Some(again);
                continue;
            }
        };
        context.terminal.out.write_all(text.as_bytes())?;
    }
}

/// The connection is lost: says so, once, and waits as [`wait`] does.
///
/// # Errors
/// As [`Live::lost`] and [`wait`].
pub(super) fn come_back(
    problem: Problem,
    live: &Shared,
    context: &mut Context<'_>,
) -> Result<Option<Next>, Problem> {
    let note = {
        let mut live = live.lock();
        let note = live.lost(problem)?;
        match std::mem::take(&mut live.scribe.line_open) {
            true if !note.is_empty() => format!("\n{note}"),
            _ => note,
        }
    };
    context.terminal.out.write_all(note.as_bytes())?;
    context.terminal.out.flush()?;
    wait(live, context)
}
