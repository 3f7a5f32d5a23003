//! The interactive loop: read code, submit it, show what happens.
//!
//! While a line is edited the terminal is in raw mode and belongs to the line editor; what happens
//! in the session meanwhile is handed to it and printed above the prompt. While an evaluation runs
//! the terminal is in its usual mode, Ctrl-C is a signal and what is typed waits in the terminal
//! for the next prompt.

mod above;
mod completion;
mod editor;
mod fate;
mod input;
mod live;
mod meta;
mod past;
mod prompt;
mod returning;
mod running;

use std::io::{self, Write};
use std::time::Duration;

use reedline::{HistoryItem, Reedline, Signal};
use stui_protocol::ErrorType;
use stui_protocol::daemon::{AttachResult, Detach, ImageState, RunningEvaluation, Status, Submit};
use stui_protocol::image::OnError;

use crate::commands::Context;
use crate::connection::{Connection, request};
use crate::exit::{Exit, Problem};
use crate::render::event::Scribe;
use crate::render::image;
use crate::render::loss::{self, Loss};
use crate::terminal;
use live::{Live, Shared};
pub(crate) use past::Past;
use prompt::SessionPrompt;

/// How long the daemon may take to let us go.
const FAREWELL_PATIENCE: Duration = Duration::from_secs(2);

/// What to do after a line.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Prompt,
    Leave,
}

/// Runs the loop until the user leaves.
///
/// # Errors
/// Why the daemon cannot be come back to when it went away, and what keeps the terminal from being
/// used.
pub(crate) fn run(
    mut connection: Connection,
    joined: &AttachResult,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    let out = &mut context.terminal.out;
    let mut scribe = Scribe::new(&joined.session, true, out.columns(), out.palette);
    let mut text = banner(&mut connection, joined, &scribe)?;
    let past = Past::read(&mut connection, joined, &mut scribe)?;
    text.push_str(&past.text());
    if joined.session.running.is_none() {
        text.push_str(&scribe.note("Ctrl-D detaches, :help helps"));
    }
    out.write_all(text.as_bytes())?;
    let palette = out.palette;
    let live = Live::shared(connection, joined, scribe, context);
    let mut repl = Repl {
        editor: editor::new(&live, palette),
        live,
        context,
    };
    let next = match &joined.session.running {
        Some(running) => repl.join_running(running, past.ends_with(&running.evaluation_id))?,
        None => Next::Prompt,
    };
    repl.talk(next)
}

/// Who is there, in one line.
///
/// # Errors
/// What can go wrong with a connection.
pub(crate) fn banner(
    connection: &mut Connection,
    joined: &AttachResult,
    scribe: &Scribe,
) -> Result<String, Problem> {
    // When the daemon said hello it may not have known its image yet.
    let image = match connection.call(&Status {}, None) {
        Ok(status) => status.image,
        Err(Problem::Failed(_)) => connection.hello().image.clone(),
        Err(problem) => return Err(problem),
    };
    let mut which = image::summary(&image);
    if !matches!(image.state, ImageState::Ready | ImageState::Busy) {
        which = scribe.palette.warning(&which);
    }
    let session = format!("session {}{}", scribe.session, loss::came(joined));
    let mut text = format!(
        "{} {} {which}\n",
        scribe.palette.strong(&session),
        scribe.palette.dim("in"),
    );
    // Only who looks on gets here.
    if let Some(loss) = Loss::of_session(&joined.session) {
        text.push_str(&scribe.note(&format!("{}; {}", loss.sentence(), loss.advice())));
    }
    Ok(text)
}

/// Stops this process and whatever the shell has started with it, until it is told to go on.
///
/// # Errors
/// When the system does not let us.
fn suspend() -> Result<Next, Problem> {
    rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)
        .map_err(|error| Problem::io("stopping")(error.into()))?;
    Ok(Next::Prompt)
}

/// The loop and what it works with.
struct Repl<'c, 't> {
    live: Shared,
    editor: Reedline,
    context: &'c mut Context<'t>,
}

impl Repl<'_, '_> {
    fn talk(&mut self, mut next: Next) -> Result<Exit, Problem> {
        while next == Next::Prompt {
            let prompt = {
                let scribe = &mut self.live.lock().scribe;
                scribe.columns = terminal::width(&io::stdout());
                SessionPrompt::new(scribe)
            };
            next = match self.editor.read_line(&prompt) {
                Ok(Signal::Success(line)) => self.entered(&line)?,
                Ok(Signal::CtrlD) => Next::Leave,
                Ok(Signal::HostCommand(command)) if command == editor::SUSPEND => suspend()?,
                // The idle callback breaks the line when the connection is gone.
                Ok(Signal::ExternalBreak(typed)) => self.broken_off(&typed)?,
                Ok(_) => Next::Prompt,
                Err(error) => return Err(Problem::io("reading the terminal")(error)),
            };
        }
        self.leave()
    }

    fn entered(&mut self, line: &str) -> Result<Next, Problem> {
        // Past lines are kept even if this process is killed. A history that cannot be written is
        // no reason to stop.
        let _ = self.editor.sync_history();
        let line = line.trim();
        if line.is_empty() {
            Ok(Next::Prompt)
        } else if let Some(command) = line.strip_prefix(':') {
            self.keep_going(|repl| meta::run(command, &repl.live, repl.context))
        } else {
            self.keep_going(|repl| repl.evaluate(line))
        }
    }

    /// Does something whose failure is shown and does not end the loop.
    fn keep_going(
        &mut self,
        what: impl FnOnce(&mut Self) -> Result<Next, Problem>,
    ) -> Result<Next, Problem> {
        if let Some(next) = returning::wait(&self.live, self.context)? {
            return Ok(next);
        }
        let text = match what(self) {
            Err(Problem::Failed(failure)) => self.live.lock().scribe.failure(&failure),
            Err(Problem::Interrupted) => self.live.lock().scribe.note("interrupted"),
            Err(problem @ Problem::NoAnswer(_)) => {
                self.live.lock().scribe.note(&problem.to_string())
            }
            Err(problem) if problem.is_lost() => {
                let mut live = self.live.lock();
                let lost = live.lost(problem)?;
                lost + &live.scribe.note("that was not answered; ask again")
            }
            other => return other,
        };
        self.context.terminal.out.write_all(text.as_bytes())?;
        Ok(Next::Prompt)
    }

    fn evaluate(&mut self, code: &str) -> Result<Next, Problem> {
        let submit = Submit {
            session: self.live.lock().scribe.session_id.clone(),
            code: code.to_owned(),
            timeout_ms: None,
            print_limit: None,
            on_error: OnError::Return,
        };
        let submit = request(&submit, None);
        loop {
            let sent = self.live.lock().connection.send(&submit);
            let submitted = sent.and_then(|()| self.live.lock().submitted(&submit));
            let refused = match submitted {
                Ok(submitted) => {
                    let id = submitted.evaluation_id;
                    return running::follow(&id, true, &self.live, self.context);
                }
                // Perhaps it was taken. Then its id is that of the request, and the next daemon
                // knows what became of it.
                Err(Problem::Lost) => {
                    return running::follow(&submit.id, true, &self.live, self.context);
                }
                Err(Problem::NotSent) => Problem::NotSent,
                // A daemon that is about to end has taken nothing.
                Err(Problem::Failed(failure)) if failure.error_type == ErrorType::ShuttingDown => {
                    Problem::NotSent
                }
                Err(problem) => return Err(problem),
            };
            if let Some(next) = returning::come_back(refused, &self.live, self.context)? {
                return Ok(next);
            }
        }
    }

    /// Waits for an evaluation that was under way when we came. Its code may be `shown` already.
    fn join_running(&mut self, running: &RunningEvaluation, shown: bool) -> Result<Next, Problem> {
        let text = {
            let scribe = &self.live.lock().scribe;
            let code = if shown {
                String::new()
            } else {
                scribe.code(&running.code)
            };
            code + &scribe.note("this runs; Ctrl-C interrupts it, Ctrl-\\ detaches")
        };
        self.context.terminal.out.write_all(text.as_bytes())?;
        running::follow(&running.evaluation_id, true, &self.live, self.context)
    }

    fn leave(&mut self) -> Result<Exit, Problem> {
        let name = {
            let mut live = self.live.lock();
            // Whether the daemon answers makes no difference: closing the connection does it, too.
            let _ = live
                .connection
                .ask_within(&request(&Detach {}, None), FAREWELL_PATIENCE);
            live.scribe.session.clone()
        };
        let out = &mut self.context.terminal.out;
        writeln!(out, "[detached (from session {name})]")?;
        Ok(Exit::Done)
    }

    /// The line was broken off: what now?
    fn broken_off(&mut self, typed: &str) -> Result<Next, Problem> {
        if !typed.trim().is_empty() {
            // What was typed is there with Up when one comes back.
            let item = HistoryItem::from_command_line(typed);
            let _ = self.editor.history_mut().save(item);
            let _ = self.editor.sync_history();
        }
        // The cursor stands in the input.
        writeln!(self.context.terminal.out)?;
        let mut live = self.live.lock();
        let last_words = std::mem::take(&mut live.last_words);
        self.context.terminal.out.write_all(last_words.as_bytes())?;
        if live.leaving {
            Ok(Next::Leave)
        } else {
            Err(live.broken.take().unwrap_or(Problem::Lost))
        }
    }
}
