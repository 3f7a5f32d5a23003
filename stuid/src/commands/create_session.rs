//! `create_session`: the image's word for `new_session`. The client's own `client_id` is not
//! believed: sessions belong to the user that the kernel names.

use serde_json::{Map, Value};
use stui_protocol::Failure;
use stui_protocol::command::parameters;
use stui_protocol::image::{CreateSession, SessionSummary};

use super::Asked;

pub(super) async fn serve(asked: Asked, mut given: Map<String, Value>) {
    given.insert("client_id".into(), asked.client.peer.client_id().into());
    let outcome = create(&asked, given).await;
    asked.responder.result(outcome);
}

async fn create(asked: &Asked, given: Map<String, Value>) -> Result<SessionSummary, Failure> {
    let command: CreateSession = parameters(given)?;
    let sessions = &asked.services.sessions;
    let owner = asked.client.peer.uid;
    let session = sessions.add(owner, command.name.as_deref(), command.timeout)?;
    Ok(sessions.open_new(&session).await?.summary)
}
