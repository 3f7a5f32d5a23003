//! Asking for something and looking at the answer, the same on both links.

use std::time::Instant;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stui_protocol::image::{Evaluate, Evaluated, EvaluationStatus, Job};
use stui_protocol::{Command, Failure, Outcome, Reply};

use crate::patience::PATIENCE;

/// How long one request may wait for the end of an evaluation. Short: an image serves its
/// requests one after another.
const WAIT_MS: u64 = 100;

/// Somebody who can send requests and gets replies.
pub trait Asking {
    /// How a session is named in the parameters on this link.
    const SESSION: &'static str;

    /// Sends a request document and waits for its reply.
    fn exchange(&self, request: &Value) -> Reply;

    /// Sends a command under a new id.
    fn reply(&self, command: &str, parameters: Value) -> Reply {
        self.exchange(&request(&new_id("request"), command, &parameters))
    }

    /// Sends a command that must succeed.
    fn ask<C: Command>(&self, parameters: Value) -> C::Result {
        let sent = format!("{} {parameters}", C::NAME);
        match self.reply(C::NAME, parameters).outcome {
            Ok(result) => read(&sent, result),
            Err(failure) => panic!("{sent} failed: {failure:#?}"),
        }
    }

    /// Sends a command that must fail.
    fn refused<C: Command>(&self, parameters: Value) -> Failure {
        let sent = format!("{} {parameters}", C::NAME);
        match self.reply(C::NAME, parameters).outcome {
            Ok(result) => panic!("{sent} succeeded: {result:#}"),
            Err(failure) => failure,
        }
    }

    /// Evaluates and waits for the end, by asking again while it runs. `parameters` must have
    /// `code`.
    fn evaluate(&self, parameters: Value) -> Outcome<Evaluated> {
        self.finish::<Evaluate, _>(&new_id("evaluation"), parameters)
    }

    /// Starts a job under an id and waits for its end.
    fn finish<C, T>(&self, id: &str, mut parameters: Value) -> Outcome<T>
    where
        C: Command<Result = Job<T>>,
        T: DeserializeOwned,
    {
        parameters["wait_ms"] = WAIT_MS.into();
        let first = self.exchange(&request(id, C::NAME, &parameters)).outcome;
        self.follow(id, first)
    }

    /// Waits for the end of an evaluation that was started before.
    fn outcome_of(&self, evaluation_id: &str) -> Outcome<Evaluated> {
        self.follow(evaluation_id, self.status_of(evaluation_id, WAIT_MS))
    }

    /// Asks for an evaluation's state once.
    fn status_of(&self, evaluation_id: &str, wait_ms: u64) -> Outcome {
        let parameters = json!({"evaluation_id": evaluation_id, "wait_ms": wait_ms});
        self.reply(EvaluationStatus::NAME, parameters).outcome
    }

    /// Waits for the end of a job whose first answer is known.
    fn follow<T: DeserializeOwned>(&self, evaluation_id: &str, first: Outcome) -> Outcome<T> {
        let began = Instant::now();
        let mut outcome = first;
        loop {
            match read("a job", outcome?) {
                Job::Finished(finished) => return Ok(finished),
                Job::Running { evaluation_id: id } => assert_eq!(id, evaluation_id),
            }
            assert!(began.elapsed() < PATIENCE, "{evaluation_id} never ended");
            outcome = self.status_of(evaluation_id, WAIT_MS);
        }
    }
}

/// A session and who uses it.
#[derive(Debug)]
pub struct Session<'a, A> {
    /// Who asks.
    pub who: &'a A,
    /// Its id (or, on the client link, its name).
    pub id: String,
}

impl<A: Asking> Session<'_, A> {
    /// Parameters with this session among them.
    #[must_use]
    pub fn with(&self, mut parameters: Value) -> Value {
        parameters[A::SESSION] = self.id.as_str().into();
        parameters
    }

    /// Sends a command for this session that must succeed.
    pub fn ask<C: Command>(&self, parameters: Value) -> C::Result {
        self.who.ask::<C>(self.with(parameters))
    }

    /// Sends a command for this session that must fail.
    pub fn refused<C: Command>(&self, parameters: Value) -> Failure {
        self.who.refused::<C>(self.with(parameters))
    }

    /// Evaluates code to its end.
    pub fn evaluate(&self, code: &str) -> Outcome<Evaluated> {
        self.who.evaluate(self.with(json!({"code": code})))
    }

    /// Evaluates code that must end well.
    pub fn evaluated(&self, code: &str) -> Evaluated {
        self.evaluate(code)
            .unwrap_or_else(|failure| panic!("{code} failed: {failure:#?}"))
    }

    /// The print string of the code's value.
    pub fn value(&self, code: &str) -> String {
        self.evaluated(code).result
    }

    /// Evaluates code that must fail.
    pub fn failure(&self, code: &str) -> Failure {
        match self.evaluate(code) {
            Err(failure) => failure,
            Ok(evaluated) => panic!("{code} ended well: {evaluated:#?}"),
        }
    }

    /// Starts code that goes on running; answers its evaluation id.
    pub fn start(&self, code: &str) -> String {
        self.start_with(json!({"code": code}))
    }

    /// As [`Session::start`] with more parameters.
    pub fn start_with(&self, mut parameters: Value) -> String {
        // Said, because the daemon waits for the end when it is not told.
        parameters["wait_ms"] = 0.into();
        match self.ask::<Evaluate>(parameters) {
            Job::Running { evaluation_id } => evaluation_id,
            Job::Finished(evaluated) => panic!("it ended at once: {evaluated:#?}"),
        }
    }
}

/// A request document of the current version.
#[must_use]
pub fn request(id: &str, command: &str, parameters: &Value) -> Value {
    json!({"id": id, "command": command, "parameters": parameters, "version": "1.1"})
}

/// A name that nobody has used before, such as for a request, a client or a class.
#[must_use]
pub fn new_id(what: &str) -> String {
    format!("{what}{}", uuid::Uuid::new_v4().simple())
}

/// Reads a result as its type.
pub fn read<T: DeserializeOwned>(what: &str, result: Value) -> T {
    let shown = format!("{result:#}");
    serde_json::from_value(result)
        .unwrap_or_else(|error| panic!("{what} answered what it may not, {error}: {shown}"))
}
