//! Asks an image that says nothing whether it is there, and what it is.

use std::time::Duration;

use stui_protocol::Request;
use stui_protocol::image::{Describe, DescribeResult, Ping, PingResult};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::message::LinkError;
use super::worker::LinkState;
use super::{Image, new_id};

/// Between two pings. Also while the image answers others: only a ping tells how its evaluator is.
const PERIOD: Duration = Duration::from_secs(1);

/// A listener that has not answered a ping for this long is unresponsive. The listener runs above
/// all evaluations, so a healthy one answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// After a question that the link broke under, before the next one; twice as long after each, up to
/// [`PERIOD`]. An image that breaks the protocol again and again costs a socket for each.
const BREATH: Duration = Duration::from_millis(10);

/// Watches over the image until told to stop.
pub(crate) async fn run(
    image: Image,
    mut link: watch::Receiver<LinkState>,
    stop: CancellationToken,
) {
    let mut ticks = interval(PERIOD);
    let mut described = None;
    let (mut breath, mut not_before) = (BREATH, Instant::now());
    let mut owed = false;
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = link.changed() => if changed.is_err() { return },
            _ = ticks.tick() => {}
            () = sleep_until(not_before), if owed => {}
        }
        let state = *link.borrow_and_update();
        image.life.link_is(state);
        let is_up = matches!(state, LinkState::Up { .. });
        owed = is_up && Instant::now() < not_before;
        if is_up && !owed {
            let held = tokio::select! {
                () = stop.cancelled() => return,
                held = greet(&image, &mut described) => held,
            };
            not_before = Instant::now();
            if held {
                breath = BREATH;
            } else {
                not_before += breath;
                breath = (breath * 2).min(PERIOD);
            }
        }
    }
}

/// Asks the image whether it is there, and one that is new what it is. False when the link broke
/// under that.
async fn greet(image: &Image, described: &mut Option<String>) -> bool {
    if !ping(image).await {
        return false;
    }
    let instance = image.status().instance;
    if instance.is_some() && instance != *described {
        if !describe(image).await {
            return false;
        }
        *described = instance;
    }
    true
}

/// False when the link broke under it.
async fn ping(image: &Image) -> bool {
    let request = Request::new(new_id(), &Ping::default());
    match image.call(&request, Instant::now() + PATIENCE).await {
        Ok(reply) => {
            let pong = reply.outcome.ok().map(serde_json::from_value::<PingResult>);
            if let Some(Ok(pong)) = pong {
                image.life.ponged(&pong);
            }
        }
        Err(LinkError::TimedOut | LinkError::NotSentInTime) => {
            image
                .life
                .silent("it has not answered a ping for two seconds");
        }
        // The link says it better.
        Err(_) => return false,
    }
    true
}

/// False when it should be asked again.
async fn describe(image: &Image) -> bool {
    let request = Request::new(new_id(), &Describe::default());
    let Ok(reply) = image.call(&request, Instant::now() + PATIENCE).await else {
        return false;
    };
    match reply.outcome.map(serde_json::from_value::<DescribeResult>) {
        Ok(Ok(described)) => image
            .life
            .describe(described.image, described.event_endpoint),
        Ok(Err(error)) => tracing::warn!(%error, "reading what the image says about itself"),
        // An image of protocol 1.0 has no `describe`.
        Err(failure) => tracing::debug!(%failure, "the image does not describe itself"),
    }
    true
}
