//! Coming back to a daemon that went away, for commands that wait.

use std::io::Write;

use stui_protocol::daemon::AttachResult;
use stui_protocol::{Command, ErrorType, Failure, Reply};

use super::Context;
use crate::connection::{Again, Back, Connection, Errand, Waited, request, result};
use crate::exit::Problem;

/// Commands that change nothing.
const READS: [&str; 8] = [
    "list_sessions",
    "history",
    "log",
    "status",
    "list_classes",
    "browse_class",
    "get_method",
    "search",
];

/// How often one command comes back: a daemon that goes away each time is not worth more.
pub(super) const RETURNS: usize = 5;

impl Context<'_> {
    /// Puts a new connection in the place of one that was lost, and answers what its
    /// [`Errand::attach`] did. Says so on standard error.
    ///
    /// # Errors
    /// The problem, when it is another one or nobody wants to come back; `Interrupted`; why the
    /// daemon cannot be come back to.
    pub(super) fn come_back(
        &mut self,
        connection: &mut Connection,
        problem: Problem,
        errand: Errand,
    ) -> Result<Option<AttachResult>, Problem> {
        if !problem.is_lost() || self.reconnect.is_zero() {
            return Err(problem);
        }
        writeln!(self.terminal.err, "stui: {}", connection.how_lost())?;
        let again = Again::begin(Some(connection), &self.socket, self.reconnect, errand)?;
        let back = wait(&again)?;
        *connection = back.connection.patient(self.wait);
        Ok(back.joined)
    }

    /// The reply to a command. A daemon that goes away before it has taken the command, or before
    /// it has answered one that changes nothing, is come back to and asked again.
    ///
    /// # Errors
    /// As [`Connection::ask`] and [`Self::come_back`].
    pub(super) fn ask<C: Command>(
        &mut self,
        connection: &mut Connection,
        command: &C,
        session: Option<&str>,
    ) -> Result<Reply, Problem> {
        for _ in 0..RETURNS {
            let problem = match connection.ask(&request(command, session)) {
                Err(Problem::Lost) if READS.contains(&C::NAME) => Problem::Lost,
                Err(Problem::NotSent) => Problem::NotSent,
                Ok(reply) if is_refused(&reply) => Problem::NotSent,
                other => return other,
            };
            self.come_back(connection, problem, Errand::default())?;
        }
        connection.ask(&request(command, session))
    }

    /// The result of a command that is asked as [`Self::ask`] does.
    ///
    /// # Errors
    /// As [`Self::ask`]; `Failed` with the answer.
    pub(super) fn call<C: Command>(
        &mut self,
        connection: &mut Connection,
        command: &C,
    ) -> Result<C::Result, Problem> {
        result::<C>(self.ask(connection, command, None)?)
    }

    /// Does what may be done twice, again and from its beginning when the daemon goes away
    /// meanwhile.
    ///
    /// # Errors
    /// Those of `what`, and as [`Self::come_back`].
    pub(super) fn insist<T>(
        &mut self,
        connection: &mut Connection,
        what: impl Fn(&mut Connection) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        for _ in 0..RETURNS {
            match what(connection) {
                Err(problem) if is_ending(&problem) => {
                    self.come_back(connection, Problem::NotSent, Errand::default())?;
                }
                other => return other,
            }
        }
        what(connection)
    }

    /// Connects; a daemon that is about to end is waited for until the next one answers.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub(super) fn open(&self) -> Result<Connection, Problem> {
        let opened = Connection::open(&self.socket);
        if self.reconnect.is_zero() || !opened.as_ref().is_err_and(is_ending) {
            return opened;
        }
        let again = Again::begin(None, &self.socket, self.reconnect, Errand::default())?;
        Ok(wait(&again)?.connection)
    }
}

/// Whether a daemon that is about to end has not taken the request.
pub(super) fn is_refused(reply: &Reply) -> bool {
    let shutting_down = |failure: &Failure| failure.error_type == ErrorType::ShuttingDown;
    reply.outcome.as_ref().is_err_and(shutting_down)
}

/// Whether the daemon is about to end, or has.
pub(super) fn is_ending(problem: &Problem) -> bool {
    match problem {
        Problem::Failed(failure) => failure.error_type == ErrorType::ShuttingDown,
        other => other.is_lost(),
    }
}

fn wait(again: &Again) -> Result<Back, Problem> {
    loop {
        match again.wait()? {
            Waited::Back(back) => return Ok(*back),
            Waited::Interrupt | Waited::Leave => return Err(Problem::Interrupted),
            Waited::NotYet => {}
        }
    }
}

/// What to say of an evaluation that a daemon that came back knows nothing of.
pub(crate) fn fate_unknown(evaluation_id: &str) -> Failure {
    Failure::new(
        ErrorType::OutcomeUnknown,
        "the daemon that came back does not know this evaluation: it may or may not have done \
         its work; look before you repeat it",
    )
    .with("evaluation_id", evaluation_id)
}
