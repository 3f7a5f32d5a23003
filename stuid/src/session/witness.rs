//! What an earlier daemon may have sent, and the image does not know: whether it was never begun.
//!
//! An image forgets the outcomes of evaluations, oldest first. So that it does not know one says
//! nothing by itself. But as long as it knows an evaluation that had ended before the other was
//! accepted (its witness), it knows all that ended later: what it does not know then, and does not
//! run, it has not begun. The message may still be on its way, on the link of the earlier daemon:
//! sent again under its id, whichever comes first is done, and the other one is a repeat.
//!
//! Another life of the image says nothing of this. So all is asked and sent by one connection.

use std::sync::{Arc, Mutex, PoisonError};

use stui_protocol::image::EvaluationStatus;
use stui_protocol::{ErrorType, Reply, Request};
use tokio::time::Instant;

use crate::image::{Connection, Image, new_id};
use crate::store::WitnessRecord;

/// The evaluation that is known to have ended last, over all sessions. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest(Arc<Mutex<Option<WitnessRecord>>>);

impl Newest {
    /// That one has ended in that life of the image.
    pub(super) fn note(&self, life: &str, id: &str) {
        let witness = WitnessRecord {
            instance: life.to_owned(),
            id: id.to_owned(),
        };
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(witness);
    }

    pub(super) fn get(&self) -> Option<WitnessRecord> {
        let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        newest.clone()
    }
}

/// How an evaluation that an earlier daemon may have sent is sent again.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) start: Request,
    /// One that had ended before it was accepted.
    pub(crate) after: WitnessRecord,
}

impl Again {
    /// The connection by which the image said that it has not begun the evaluation of that id; none
    /// when it did not say so.
    pub(super) async fn never_began(
        &self,
        image: &Image,
        id: &str,
        deadline: Instant,
    ) -> Option<Connection> {
        let connection = image.connection()?;
        let reply = self.ask(image, connection, id, deadline).await?;
        let failure = reply.outcome.err()?;
        if failure.error_type != ErrorType::EvaluationNotFound {
            return None;
        }
        let witness = &self.after.id;
        let reply = self.ask(image, connection, witness, deadline).await?;
        reply.outcome.is_ok().then_some(connection)
    }

    /// Asks the life of the image that the witness is of.
    async fn ask(
        &self,
        image: &Image,
        connection: Connection,
        id: &str,
        deadline: Instant,
    ) -> Option<Reply> {
        let command = EvaluationStatus {
            evaluation_id: id.to_owned(),
            wait_ms: None,
            output_from: None,
        };
        let request = Request::new(new_id(), &command);
        let reply = image.call_by(connection, &request, deadline).await.ok()?;
        (reply.instance == self.after.instance).then_some(reply)
    }
}
