//! `stui eval`: evaluate code, print what it writes and its result.
//!
//! The evaluation is submitted as a job and followed through the session's events, so that output
//! is seen as it comes. That takes two connections: one looks on, which is possible while somebody
//! else drives the session but does not allow to evaluate; the other one asks. Should events be
//! lost, `await` asks for the end.

use std::io::Write;
use std::time::{Duration, Instant};

use stui_protocol::daemon::{Await, QueuePositionData, Submit};
use stui_protocol::image::{Interrupt, OnError};
use stui_protocol::{ErrorType, Event, EventName, Outcome};

use super::awaiting::{goes_on, still_runs};
use super::ended::Ended;
use super::{Context, code, look_on};
use crate::args;
use crate::connection::{Connection, Incoming, request};
use crate::exit::{Exit, Problem};
use crate::render::event;
use crate::terminal::Terminal;

/// How long the end of an evaluation may take once its session has ended, in milliseconds.
const LAST_WAIT_MS: u64 = 2000;

/// How much later than its time limit an evaluation may end before we stop believing in it.
const GRACE: Duration = Duration::from_secs(10);

/// Evaluates code.
pub(crate) fn run(args: &args::Eval, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let code = code::read(&args.code, "eval")?;
    let waits_until = context.wait.map(|wait| Instant::now() + wait);
    let mut looking = context.connect()?;
    looking.catch_signals()?;
    let session = look_on(&mut looking, args.session.as_deref())?;
    let mut asking = Connection::open(&context.socket)?;
    let submit = Submit {
        session: session.clone(),
        code,
        timeout_ms: args.timeout.map(milliseconds),
        print_limit: args.print_limit,
        on_error: OnError::Return,
    };
    let evaluation_id = asking.call(&submit, None)?.evaluation_id;
    let mut following = Following {
        looking,
        asking,
        session,
        evaluation_id,
        timeout: args.timeout,
        ends_by: None,
        waits_until,
        interrupted: false,
        streams: !context.json,
        line_open: false,
    };
    let outcome = following.follow(context.terminal)?;
    let instance = following.asking.hello().instance.clone();
    let ended = Ended {
        id: following.evaluation_id,
        outcome,
        instance: instance.unwrap_or_default(),
        line_open: following.line_open,
    };
    ended.print(context)
}

/// Whole milliseconds, and at least one.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// An evaluation on its way.
struct Following {
    looking: Connection,
    asking: Connection,
    session: String,
    evaluation_id: String,
    timeout: Option<Duration>,
    /// When it must have ended; known once it has begun.
    ends_by: Option<Instant>,
    /// When we stop waiting.
    waits_until: Option<Instant>,
    interrupted: bool,
    /// Whether output goes to standard output as it comes.
    streams: bool,
    /// Whether the output so far lacks a line end.
    line_open: bool,
}

impl Following {
    /// Waits for the end.
    fn follow(&mut self, terminal: &mut Terminal) -> Result<Outcome, Problem> {
        loop {
            let deadline = [self.ends_by, self.waits_until].into_iter().flatten().min();
            match self.looking.next(deadline)? {
                None => return self.give_up(),
                Some(Incoming::Event(event)) => {
                    if let Some(outcome) = self.event(&event, terminal)? {
                        return Ok(outcome);
                    }
                }
                Some(Incoming::Reply(_)) => {}
                Some(Incoming::Interrupt) => self.interrupt(terminal)?,
                Some(Incoming::Leave) => return Err(Problem::Interrupted),
            }
        }
    }

    fn event(
        &mut self,
        event: &Event,
        terminal: &mut Terminal,
    ) -> Result<Option<Outcome>, Problem> {
        match event.event {
            EventName::Gap => return self.perhaps_ended(0),
            EventName::SessionClosed => return self.perhaps_ended(LAST_WAIT_MS),
            EventName::Detached => {
                if let Some(why) = event::turned_out(event) {
                    return Err(Problem::NotShared(why));
                }
            }
            _ if event.evaluation_id.as_ref() != Some(&self.evaluation_id) => {}
            EventName::EvaluationStarted => {
                self.ends_by = self.timeout.map(|timeout| Instant::now() + timeout + GRACE);
            }
            EventName::Output => self.output(&event::output(event), terminal)?,
            EventName::EvaluationFinished => return Ok(event::ended(event)),
            EventName::QueuePosition => {
                let place = event.data_as::<QueuePositionData>();
                let before = place.map_or(0, |place| place.position);
                if before > 0 && terminal.err.width.is_some() {
                    writeln!(terminal.err, "stui: waiting, {before} before this one")?;
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn output(&mut self, text: &str, terminal: &mut Terminal) -> Result<(), Problem> {
        if self.streams && !text.is_empty() {
            terminal.out.write_all(text.as_bytes())?;
            terminal.out.flush()?;
            self.line_open = !text.ends_with('\n');
        }
        Ok(())
    }

    /// Asks for the end, which may have been among events that are lost.
    fn perhaps_ended(&mut self, wait_ms: u64) -> Result<Option<Outcome>, Problem> {
        let ask = Await {
            evaluation_id: self.evaluation_id.clone(),
            wait_ms: Some(wait_ms),
        };
        let outcome = self.asking.ask(&request(&ask, None))?.outcome;
        Ok((!goes_on(&outcome)).then_some(outcome))
    }

    /// The first Ctrl-C interrupts the evaluation, the second leaves it.
    fn interrupt(&mut self, terminal: &mut Terminal) -> Result<(), Problem> {
        if self.interrupted {
            writeln!(
                terminal.err,
                "stui: it has not stopped yet; `stui ls` shows whether it does"
            )?;
            return Err(Problem::Told(Exit::Interrupted));
        }
        self.interrupted = true;
        let interrupt = Interrupt {
            session_id: None,
            evaluation_id: Some(self.evaluation_id.clone()),
        };
        let ask = request(&interrupt, Some(&self.session));
        self.asking.send(&ask)
    }

    fn give_up(&mut self) -> Result<Outcome, Problem> {
        let id = &self.evaluation_id;
        if self
            .waits_until
            .is_some_and(|until| until <= Instant::now())
        {
            return Err(still_runs(id).into());
        }
        Err(Problem::Failed(stui_protocol::Failure::new(
            ErrorType::Timeout,
            format!("the evaluation {id} should have been stopped by now, and nothing says so"),
        )))
    }
}
