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
use stui_protocol::{ErrorType, Event, EventName, Outcome, Request};

use super::awaiting::{goes_on, still_runs};
use super::ended::Ended;
use super::returning::{RETURNS, fate_unknown, is_refused};
use super::{Context, code, watch};
use crate::args;
use crate::connection::{Connection, Errand, Incoming, request, result};
use crate::exit::{Exit, Problem};
use crate::render::event;
use crate::terminal::Terminal;

/// How long the end of an evaluation may take once its session has ended, in milliseconds.
const LAST_WAIT_MS: u64 = 2000;

/// How much later than its time limit an evaluation may end before we stop believing in it.
const GRACE: Duration = Duration::from_secs(10);

/// Evaluates code.
pub(crate) fn run(args: &args::Evaluation, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let code = code::read(&args.code, "eval")?;
    let waits_until = context.wait.map(|wait| Instant::now() + wait);
    let mut looking = context.connect()?;
    looking.catch_signals()?;
    let joined = context.insist(&mut looking, |looking| {
        watch(looking, args.session.as_deref())
    })?;
    let session = joined.session.session_id;
    let asking = context.open()?;
    let submit = Submit {
        session: session.clone(),
        code,
        timeout_ms: args.timeout.map(milliseconds),
        print_limit: args.print_limit,
        on_error: OnError::Return,
    };
    let submit = request(&submit, None);
    let mut following = Following {
        looking,
        asking,
        session,
        position: joined.position,
        evaluation_id: submit.id.clone(),
        timeout: args.timeout,
        ends_by: None,
        waits_until,
        interrupted: false,
        streams: !context.json,
        line_open: false,
    };
    let outcome = match following.submit(&submit, context)? {
        Some(outcome) => outcome,
        None => following.follow(context)?,
    };
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

/// Between two looks whether the place of one that waits was told.
const LOOK: Duration = Duration::from_secs(1);

/// An evaluation on its way.
struct Following {
    looking: Connection,
    asking: Connection,
    session: String,
    /// Position of the newest line of the log that was seen.
    position: u64,
    /// Its id; that of the request until the daemon has said otherwise.
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
    /// Submits the code. A daemon that goes away before it has taken it is come back to; when it
    /// goes away afterwards, the next one is asked for the evaluation by the id of the request.
    /// Answers its end, if that is known already.
    fn submit(
        &mut self,
        submit: &Request,
        context: &mut Context<'_>,
    ) -> Result<Option<Outcome>, Problem> {
        for _ in 0..RETURNS {
            match self.asking.ask(submit) {
                Ok(reply) if is_refused(&reply) => {}
                Ok(reply) => {
                    self.evaluation_id = result::<Submit>(reply)?.evaluation_id;
                    return Ok(None);
                }
                Err(Problem::NotSent) => {}
                Err(Problem::Lost) => return self.come_back(Problem::Lost, context),
                Err(problem) => return Err(problem),
            }
            self.rejoin(Problem::NotSent, context)?;
        }
        Err(Problem::NotSent)
    }

    /// Waits for the end.
    fn follow(&mut self, context: &mut Context<'_>) -> Result<Outcome, Problem> {
        loop {
            let deadline = [self.ends_by, self.waits_until].into_iter().flatten().min();
            let look = Instant::now() + LOOK;
            let until = deadline.map_or(look, |deadline| deadline.min(look));
            let ended = match self.looking.next(Some(until)) {
                Ok(None) if deadline.is_none_or(|deadline| Instant::now() < deadline) => {
                    self.places(context.terminal).map(|()| None)
                }
                Ok(None) => return self.give_up(),
                Ok(Some(incoming)) => self.happens(incoming, context.terminal),
                Err(problem) => Err(problem),
            };
            let ended = match ended {
                Err(problem) if problem.is_lost() => self.come_back(problem, context),
                other => other,
            };
            if let Some(outcome) = ended? {
                return Ok(outcome);
            }
        }
    }

    /// Comes back to a daemon that went away, and asks what became of the evaluation.
    fn come_back(
        &mut self,
        problem: Problem,
        context: &mut Context<'_>,
    ) -> Result<Option<Outcome>, Problem> {
        let mut lost = problem;
        for _ in 0..RETURNS {
            let end = self.rejoin(lost, context);
            match end.and_then(|end| self.fate(end, context.terminal)) {
                // It is gone again.
                Err(problem) if problem.is_lost() => lost = problem,
                Err(Problem::NoDaemon(_)) => lost = Problem::Lost,
                known => return known,
            }
        }
        Err(lost)
    }

    fn happens(
        &mut self,
        incoming: Incoming,
        terminal: &mut Terminal,
    ) -> Result<Option<Outcome>, Problem> {
        match incoming {
            Incoming::Event(event) => return self.event(&event, terminal),
            Incoming::Reply(_) => {}
            Incoming::Interrupt => self.interrupt(terminal)?,
            Incoming::Leave => return Err(Problem::Interrupted),
        }
        Ok(None)
    }

    /// Attaches to the session again; answers up to where the log is then.
    fn rejoin(&mut self, problem: Problem, context: &mut Context<'_>) -> Result<u64, Problem> {
        let errand = Errand {
            subscribe: false,
            ..Errand::watch(&self.session, self.position)
        };
        let joined = match context.come_back(&mut self.looking, problem, errand) {
            Err(Problem::Failed(failure)) if failure.error_type == ErrorType::SessionNotFound => {
                return Err(fate_unknown(&self.evaluation_id).into());
            }
            joined => joined?,
        };
        self.asking = context.open()?;
        let end = joined.map_or(0, |joined| joined.position);
        self.position = self.position.min(end);
        Ok(end)
    }

    /// What became of the evaluation while the daemon was away: what the log tells up to its `end`
    /// then, else what the daemon knows.
    fn fate(&mut self, end: u64, terminal: &mut Terminal) -> Result<Option<Outcome>, Problem> {
        while self.position < end {
            let Some(incoming) = self.looking.next(Some(Instant::now() + GRACE))? else {
                break;
            };
            if let Some(outcome) = self.happens(incoming, terminal)? {
                return Ok(Some(outcome));
            }
        }
        Ok(match self.perhaps_ended(0)? {
            Some(Err(failure)) if failure.error_type == ErrorType::EvaluationNotFound => {
                Some(Err(fate_unknown(&self.evaluation_id)))
            }
            known => known,
        })
    }

    fn event(
        &mut self,
        event: &Event,
        terminal: &mut Terminal,
    ) -> Result<Option<Outcome>, Problem> {
        self.position = event.position.unwrap_or(self.position);
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
            EventName::EvaluationFinished => {
                // A daemon that is about to end follows it no more; the next one does.
                return Ok(event::ended(event).filter(|outcome| !event::is_put_off(outcome)));
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

    /// Its places while it waits: the daemon tells them to the connection that asked.
    fn places(&mut self, terminal: &mut Terminal) -> Result<(), Problem> {
        // The other connection tells when the daemon goes away.
        while let Ok(Some(incoming)) = self.asking.poll() {
            let Incoming::Event(event) = incoming else {
                continue;
            };
            let place = match event.event {
                EventName::QueuePosition => event.data_as::<QueuePositionData>(),
                _ => None,
            };
            let before = place.map_or(0, |place| place.position);
            if before > 0 && terminal.err.width.is_some() {
                writeln!(terminal.err, "stui: waiting, {before} before this one")?;
            }
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
