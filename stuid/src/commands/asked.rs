//! One request on its way through a command: which session it means, and what its client may do.

use std::sync::Arc;

use serde_json::{Map, Value};
use stui_protocol::daemon::ImageState;
use stui_protocol::{ErrorType, Failure};

use super::notice::Notice;
use super::{Client, Services};
use crate::connection::Responder;
use crate::image::{Image, LinkError, new_id};
use crate::session::{Access, Session};
use crate::sessions::IdHolder;

/// Ids of requests that are shorter are counters, and two clients may count alike.
const UNIQUE_ID_CHARS: usize = 16;

/// A command and what it is served with.
pub(super) struct Asked {
    /// The id of the request.
    pub(super) id: String,
    pub(super) services: Arc<Services>,
    pub(super) client: Arc<Client>,
    pub(super) responder: Responder,
}

impl Asked {
    /// The session that the parameters mean, if any.
    pub(super) fn session(
        &self,
        given: &Map<String, Value>,
    ) -> Result<Option<Arc<Session>>, Failure> {
        let key = session_key(given)?;
        key.map(|key| self.find(key)).transpose()
    }

    /// The session, when the client may do that with it.
    pub(super) fn find_for(
        &self,
        needed: Access,
        name_or_id: &str,
    ) -> Result<Arc<Session>, Failure> {
        let session = self.find(name_or_id)?;
        session.allow(self.client.peer, needed)?;
        Ok(session)
    }

    pub(super) fn find(&self, name_or_id: &str) -> Result<Arc<Session>, Failure> {
        self.services.sessions.find(self.client.peer, name_or_id)
    }

    /// What has the id of this request among the evaluations. One that is short is never free.
    pub(super) fn id_holder(&self) -> IdHolder {
        if self.id.chars().count() < UNIQUE_ID_CHARS {
            return IdHolder::Hidden;
        }
        self.services
            .sessions
            .holder_of_id(self.client.peer, &self.id)
    }

    /// The id of the evaluation that this request starts: the request's own, when that can be
    /// unique and is not taken, so that a request that is sent again can be known again.
    pub(super) fn evaluation_id(&self, holder: &IdHolder) -> String {
        match holder {
            IdHolder::None => self.id.clone(),
            IdHolder::Known(_) | IdHolder::Hidden => new_id(),
        }
    }

    /// The image, in the turn of whoever asks, who is told his place when he waits for long.
    pub(super) fn image(&self) -> Image {
        let image = self.services.image.of(self.client.peer.uid);
        image.telling(Some(self.notice().teller()))
    }

    /// Nothing new is accepted for an image that is known to be away.
    pub(super) fn image_is_there(&self) -> Result<(), Failure> {
        let status = self.services.image.watch();
        let status = status.borrow();
        match status.state {
            ImageState::Down => Err(LinkError::Down {
                endpoint: status.endpoint.clone(),
                since: status.since,
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// For telling the client that its request waits.
    pub(super) fn notice(&self) -> Notice {
        Notice::new(&self.id, &self.client.notes)
    }

    /// The session, unless the client looks on only.
    pub(super) fn may_drive(&self, session: &Session) -> Result<(), Failure> {
        session.allow(self.client.peer, Access::Drive)?;
        if session.is_watcher(self.client.number) {
            return Err(Failure::new(
                ErrorType::PermissionDenied,
                format!(
                    "this client watches session {}: attach to drive it",
                    session.name()
                ),
            ));
        }
        Ok(())
    }
}

/// Which session a command means: `session` (name or id), or `session_id` as on the image link.
pub(super) fn session_key(given: &Map<String, Value>) -> Result<Option<&str>, Failure> {
    for key in ["session", "session_id"] {
        match given.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(name)) => return Ok(Some(name)),
            Some(_) => return Err(Failure::invalid(key, "it must be a string")),
        }
    }
    Ok(None)
}
