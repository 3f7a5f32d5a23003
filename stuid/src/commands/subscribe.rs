//! `subscribe`: receive the daemon's own events.

use stui_protocol::daemon::SubscribeResult;

use super::Asked;
use crate::connection::Switch;

pub(super) fn serve(asked: Asked) {
    let result = Ok(SubscribeResult { subscribed: true });
    asked.responder.result_and(result, Switch::Subscribe);
}
