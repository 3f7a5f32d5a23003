//! `subscribe`: receive the daemon's own events.

use std::sync::atomic::Ordering;

use stui_protocol::daemon::{Subscribe, SubscribeResult};

use super::Asked;
use crate::connection::Switch;

pub(super) async fn serve(asked: Asked, subscribe: Subscribe) {
    let handover = &asked.client.handover;
    handover.fetch_or(subscribe.handover, Ordering::Relaxed);
    let result = Ok(SubscribeResult { subscribed: true });
    asked.responder.result_and(result, Switch::Subscribe);
}
