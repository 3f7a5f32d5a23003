//! While an evaluation runs: output as it comes, Ctrl-C, the end.

use std::io::Write;
use std::time::Instant;

use stui_protocol::image::Interrupt;
use stui_protocol::{Event, EventName};

use super::Next;
use super::live::Shared;
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
    };
    loop {
        let incoming = live.lock().connection.next(None)?;
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
    }
}

struct Running<'e> {
    evaluation_id: &'e str,
    known: bool,
    /// When the user interrupted it.
    asked: Option<Instant>,
    /// The request for that.
    asking: Option<String>,
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
        Ok(own && event::ended(event).is_some())
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
