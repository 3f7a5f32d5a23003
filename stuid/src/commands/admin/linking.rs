//! `reconnect` and `kick`: links that an operator throws away, to the image and to a client.

use std::time::Duration;

use stui_protocol::daemon::AdminResult;
use stui_protocol::{ErrorType, Failure};
use tokio::time::{Instant, timeout};

use super::super::Asked;

/// How long a new socket may take to find the image. On one machine it takes milliseconds.
const RECONNECTION: Duration = Duration::from_secs(2);

/// How long the goodbye may take. A client that does not read is cut off before.
const GOODBYE: Duration = Duration::from_secs(3);

/// Answers when the new socket is connected. What the image had not answered is unknown; what had
/// not been sent goes by the new socket.
pub(super) async fn reconnect(asked: &Asked) -> Result<AdminResult, Failure> {
    let image = &asked.services.image;
    let again = image.reconnect(Instant::now() + RECONNECTION).await?;
    if !again.up {
        let endpoint = image.status().endpoint;
        return Err(Failure::new(
            ErrorType::ImageUnavailable,
            format!("a new socket was opened, and nobody is at {endpoint}: is the image running?"),
        ));
    }
    let unknown = match again.unknown {
        0 => String::new(),
        some => format!("; the outcome of {some} request is unknown"),
    };
    Ok(AdminResult::done(format!(
        "the link to the image is up again{unknown}"
    )))
}

/// Answers when the client is disconnected. Its session goes on, with what runs there.
pub(super) async fn kick(asked: &Asked, number: u64) -> Result<AdminResult, Failure> {
    let wrong = |why: &str| Failure::invalid("client", format!("{number} is {why}"));
    if number == asked.client.number {
        return Err(wrong("this client itself"));
    }
    let Some(client) = asked.services.clients.get(number) else {
        return Err(wrong("no client: `stui admin show clients` lists them"));
    };
    let peer = asked.client.peer;
    client.kick(format!(
        "an operator disconnected this client (user {}, process {})",
        peer.uid, peer.pid
    ));
    match timeout(GOODBYE, client.gone.cancelled()).await {
        Ok(()) => Ok(AdminResult::done(format!(
            "client {number} is disconnected"
        ))),
        Err(_) => Err(Failure::new(
            ErrorType::Timeout,
            format!("client {number} is told to go and has not gone yet"),
        )),
    }
}
