//! `detach`: leave the session; it and whatever runs in it go on.

use stui_protocol::daemon::DetachResult;

use super::Asked;
use crate::connection::Switch;

pub(super) fn serve(asked: Asked) {
    let session = asked.client.leave().map(|session| session.name());
    let result = Ok(DetachResult { session });
    asked.responder.result_and(result, Switch::Detach);
}
