//! The duty to answer one request, exactly once.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use stui_protocol::codec::client::encode_reply;
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Failure, Reply};
use tokio::sync::mpsc;

use super::places::Place;
use super::writer::Attachment;
use crate::commands::Services;

/// A reply on its way out.
pub(crate) struct Outgoing {
    pub(crate) line: Vec<u8>,
    /// The log of the attached session, when it is of this key, is written up to this position
    /// first: whoever sees the reply has seen what led to it.
    pub(crate) after: Option<(u64, u64)>,
    /// What the client receives from now on, right after this reply.
    pub(crate) switch: Option<Switch>,
    /// The place of the request; free when the reply is written.
    pub(crate) _place: Place,
}

/// A change of what a client receives besides replies.
pub enum Switch {
    /// The log of a session, from a position.
    Attach(Attachment),
    /// No log any more.
    Detach,
    /// The daemon's own events, too.
    Subscribe,
}

/// Answers one request. One that is dropped without an answer answers that it was lost: every
/// request gets a reply.
pub struct Responder {
    reply: Option<Unanswered>,
    command: &'static str,
    began: Instant,
    services: Arc<Services>,
}

struct Unanswered {
    id: Option<String>,
    replies: mpsc::Sender<Outgoing>,
    place: Place,
}

impl Responder {
    pub(crate) fn new(
        id: Option<String>,
        command: &'static str,
        replies: mpsc::Sender<Outgoing>,
        place: Place,
        services: &Arc<Services>,
    ) -> Self {
        Self {
            reply: Some(Unanswered { id, replies, place }),
            command,
            began: Instant::now(),
            services: Arc::clone(services),
        }
    }

    /// Answers.
    pub fn answer(self, outcome: Outcome) {
        self.finish(outcome, None, None);
    }

    /// Answers with a result type.
    pub fn result(self, outcome: Result<impl Serialize, Failure>) {
        self.answer(outcome.and_then(|result| to_value(&result)));
    }

    /// Answers, and changes what the client receives afterwards when that went well.
    pub fn result_and(self, outcome: Result<impl Serialize, Failure>, switch: Switch) {
        match outcome.and_then(|result| to_value(&result)) {
            Ok(result) => self.finish(Ok(result), None, Some(switch)),
            Err(failure) => self.answer(Err(failure)),
        }
    }

    /// Answers after the client, if it is attached to the session of that key, has got its log up
    /// to that position.
    pub fn answer_after(self, outcome: Outcome, key: u64, position: u64) {
        self.finish(outcome, Some((key, position)), None);
    }

    fn finish(mut self, outcome: Outcome, after: Option<(u64, u64)>, switch: Option<Switch>) {
        self.send(outcome, after, switch);
    }

    fn send(&mut self, outcome: Outcome, after: Option<(u64, u64)>, switch: Option<Switch>) {
        let Some(unanswered) = self.reply.take() else {
            return;
        };
        let Unanswered {
            id,
            replies,
            mut place,
        } = unanswered;
        if replies.is_closed() {
            // The client has left.
            return;
        }
        let requests = &self.services.metrics.requests;
        requests.count(self.command, &outcome, self.began.elapsed());
        let reply = Reply::new(id, outcome, self.services.image.instance());
        let line = encode_reply(&reply);
        place.weighs(line.len());
        let outgoing = Outgoing {
            line,
            after,
            switch,
            _place: place,
        };
        // There is room for as many replies as there are places.
        let _ = replies.try_send(outgoing);
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if self.reply.is_some() {
            let lost = "the daemon dropped this request without an answer";
            self.send(
                Err(Failure::new(ErrorType::InternalError, lost)),
                None,
                None,
            );
        }
    }
}

fn to_value(result: &impl Serialize) -> Outcome {
    serde_json::to_value(result).map_err(|wrong| {
        Failure::new(
            ErrorType::InternalError,
            format!("the answer cannot be written: {wrong}"),
        )
    })
}
