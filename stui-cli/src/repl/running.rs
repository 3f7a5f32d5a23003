//! While an evaluation runs: output as it comes, Ctrl-C, the end.

use std::io::Write;
use std::time::{Duration, Instant};

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
        line_open: false,
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
    line_open: bool,
}

impl Running<'_> {
    /// Shows an event; answers whether it is the end.
    fn event(
        &mut self,
        event: &Event,
        live: &Shared,
        context: &mut Context<'_>,
    ) -> Result<bool, Problem> {
        live.lock().note(event)?;
        let own = event.evaluation_id.as_deref() == Some(self.evaluation_id);
        let text = match event.event {
            EventName::EvaluationStarted if own && self.known => String::new(),
            _ => live.lock().scribe.text(event),
        };
        self.show(event, &text, context)?;
        if event.event == EventName::SessionClosed {
            return Err(Problem::SessionEnded);
        }
        Ok(own && event::ended(event).is_some())
    }

    fn show(
        &mut self,
        event: &Event,
        text: &str,
        context: &mut Context<'_>,
    ) -> Result<(), Problem> {
        if text.is_empty() {
            return Ok(());
        }
        let out = &mut context.terminal.out;
        let continues = matches!(event.event, EventName::Output | EventName::Transcript);
        if self.line_open && !continues {
            writeln!(out)?;
        }
        out.write_all(text.as_bytes())?;
        self.line_open = !text.ends_with('\n');
        Ok(())
    }

    /// The first Ctrl-C interrupts, later ones say how that goes.
    fn interrupt(&mut self, live: &Shared, context: &mut Context<'_>) -> Result<(), Problem> {
        // The terminal has shown ^C.
        self.line_open = true;
        if let Some(asked) = self.asked {
            let for_how_long = time::duration(asked.elapsed().max(Duration::from_millis(1)));
            let note = live.lock().scribe.note(&format!(
                "interrupted {for_how_long} ago, it has not stopped yet; Ctrl-\\ detaches"
            ));
            write!(context.terminal.out, "\n{note}")?;
            self.line_open = false;
            return Ok(());
        }
        let interrupt = Interrupt {
            session_id: None,
            evaluation_id: Some(self.evaluation_id.to_owned()),
        };
        let mut live = live.lock();
        let ask = request(&interrupt, Some(&live.session_id));
        live.connection.send(&ask)?;
        self.asked = Some(Instant::now());
        self.asking = Some(ask.id);
        Ok(())
    }
}
