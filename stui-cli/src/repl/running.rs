//! While an evaluation runs: output as it comes, Ctrl-C, the end.

use std::io::Write;
use std::time::Instant;

use stui_protocol::image::Interrupt;
use stui_protocol::{Event, EventName};

use super::Next;
use super::fate::Fate;
use super::live::Shared;
use super::returning;
use crate::commands::Context;
use crate::connection::{Incoming, request};
use crate::exit::Problem;
use crate::render::{event, time};

/// Shows what happens until the evaluation has ended, or until the user leaves it. Its code is not
/// shown when it is `known` already.
///
/// # Errors
/// What can go wrong with a connection; the end of the session.
pub(super) fn follow(
    evaluation_id: &str,
    known: bool,
    live: &Shared,
    context: &mut Context<'_>,
) -> Result<Next, Problem> {
    let mut running = Running {
        evaluation_id,
        known,
        asked: None,
        asking: None,
        fate: None,
    };
    loop {
        let incoming = live.lock().connection.next(None);
        let incoming = match incoming {
            Err(problem) => match running.come_back(problem, live, context)? {
                Some(next) => return Ok(next),
                None => None,
            },
            Ok(incoming) => incoming,
        };
        match incoming {
            Some(Incoming::Event(event)) => {
                let ended = running.event(&event, live, context)?;
                context.terminal.out.flush()?;
                if ended {
                    return Ok(Next::Prompt);
                }
            }
            Some(Incoming::Interrupt) => running.interrupt(live, context)?,
            Some(Incoming::Leave) => {
                writeln!(context.terminal.out)?;
                return Ok(Next::Leave);
            }
            Some(Incoming::Reply(reply)) => {
                if let Some(fate) = &mut running.fate {
                    fate.hear(&reply);
                }
                // An interrupt that was refused is worth a word; a done one shows in the result.
                if reply.id == running.asking
                    && let Err(failure) = reply.outcome
                {
                    let text = live.lock().scribe.failure(&failure);
                    context.terminal.out.write_all(text.as_bytes())?;
                    running.asked = None;
                }
            }
            None => {}
        }
        if running.has_met_its_fate(live, context)? {
            return Ok(Next::Prompt);
        }
    }
}

struct Running<'e> {
    evaluation_id: &'e str,
    known: bool,
    /// When the user interrupted it.
    asked: Option<Instant>,
    /// The request for that.
    asking: Option<String>,
    /// Asked for when the daemon was away meanwhile.
    fate: Option<Fate>,
}

impl Running<'_> {
    /// Shows an event; answers whether it is the end.
    fn event(
        &mut self,
        event: &Event,
        live: &Shared,
        context: &mut Context<'_>,
    ) -> Result<bool, Problem> {
        let text = live.lock().read(event);
        let end = live.lock().scribe.end(event);
        if let Some(problem) = end {
            return Err(problem);
        }
        let own = event.evaluation_id.as_deref() == Some(self.evaluation_id);
        let outcome = event::ended(event).filter(|_| own);
        if outcome.as_ref().is_some_and(event::is_put_off) {
            return Ok(false);
        }
        // Its code stands there, as it was typed.
        let is_known = own && self.known && event.event == EventName::EvaluationStarted;
        if !is_known {
            context.terminal.out.write_all(text.as_bytes())?;
        }
        if event.event == EventName::Gap {
            let ended = live.lock().end_of(self.evaluation_id)?;
            if let Some(outcome) = ended {
                let text = live.lock().scribe.outcome(&outcome);
                context.terminal.out.write_all(text.as_bytes())?;
                return Ok(true);
            }
        }
        Ok(outcome.is_some())
    }

    /// Waits for a daemon that went away, and asks it what became of the evaluation. Answers what
    /// to do when the user does not want to wait.
    fn come_back(
        &mut self,
        problem: Problem,
        live: &Shared,
        context: &mut Context<'_>,
    ) -> Result<Option<Next>, Problem> {
        let next = returning::come_back(problem, live, context)?;
        if next.is_none() {
            let asked = Fate::ask(self.evaluation_id, &mut live.lock());
            match asked {
                Ok(fate) => self.fate = Some(fate),
                // It is gone again, which the next wait finds.
                Err(problem) if problem.is_lost() => {}
                Err(problem) => return Err(problem),
            }
            self.asked = None;
        }
        Ok(next)
    }

    /// Whether it ended while the daemon was away, and the log does not say so. Shows how.
    fn has_met_its_fate(
        &mut self,
        live: &Shared,
        context: &mut Context<'_>,
    ) -> Result<bool, Problem> {
        let Some(fate) = &self.fate else {
            return Ok(false);
        };
        let mut live = live.lock();
        let Some(outcome) = fate.end(self.evaluation_id, &mut live) else {
            return Ok(false);
        };
        let text = live.scribe.outcome(&outcome);
        context.terminal.out.write_all(text.as_bytes())?;
        Ok(true)
    }

    /// The first Ctrl-C interrupts, later ones say how that goes.
    fn interrupt(&mut self, live: &Shared, context: &mut Context<'_>) -> Result<(), Problem> {
        let mut live = live.lock();
        if let Some(asked) = self.asked {
            let for_how_long = time::duration(asked.elapsed());
            let note = live.scribe.note(&format!(
                "interrupted {for_how_long} ago, it has not stopped yet; Ctrl-\\ detaches"
            ));
            write!(context.terminal.out, "\n{note}")?;
            live.scribe.line_open = false;
            return Ok(());
        }
        // The terminal has shown ^C.
        live.scribe.line_open = true;
        let interrupt = Interrupt {
            session_id: None,
            evaluation_id: Some(self.evaluation_id.to_owned()),
        };
        let ask = request(&interrupt, Some(&live.scribe.session_id));
        live.connection.send(&ask)?;
        self.asked = Some(Instant::now());
        self.asking = Some(ask.id);
        Ok(())
    }
}
