//! Values that are not just any text or number.

use std::net::SocketAddr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

use crate::image::{Heartbeat, Protocol};

/// One day. Nothing here waits longer, and larger numbers are slips of the finger.
const MOST_MILLISECONDS: u64 = 86_400_000;

pub(super) fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    match u64::deserialize(from)? {
        number @ 1..=MOST_MILLISECONDS => Ok(Duration::from_millis(number)),
        _ => Err(D::Error::custom(format!(
            "it must be milliseconds from 1 to {MOST_MILLISECONDS}"
        ))),
    }
}

/// Milliseconds, 0 for never, or `auto`. The environment and flags give numbers as text.
pub(super) fn heartbeat<'de, D: Deserializer<'de>>(from: D) -> Result<Heartbeat, D::Error> {
    let text = String::deserialize(from)?;
    match text.parse() {
        Ok(0) => Ok(Heartbeat::Off),
        Ok(number @ LEAST_HEARTBEAT_MS..=MOST_MILLISECONDS) => {
            Ok(Heartbeat::Every(Duration::from_millis(number)))
        }
        Err(_) if text == "auto" => Ok(Heartbeat::Auto),
        _ => Err(D::Error::custom(format!(
            "it must be \"auto\", 0 for never, or milliseconds from {LEAST_HEARTBEAT_MS} to {MOST_MILLISECONDS}"
        ))),
    }
}

pub(super) fn protocol<'de, D: Deserializer<'de>>(from: D) -> Result<Protocol, D::Error> {
    let text = String::deserialize(from)?;
    match text.as_str() {
        "zeromq" => Ok(Protocol::ZeroMq),
        "tcp" => Ok(Protocol::Tcp),
        _ => Err(D::Error::custom(format!(
            "it must be \"zeromq\" or \"tcp\", not {text:?}"
        ))),
    }
}

/// Shorter ones would tell of a machine under load that it is gone.
const LEAST_HEARTBEAT_MS: u64 = 100;

/// Ten years, and a slip of the finger above.
const MOST_SECONDS: u64 = 315_360_000;

pub(super) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    match seconds_or_never(from)? {
        Some(duration) => Ok(duration),
        None => Err(D::Error::custom("it must be 1 second or more")),
    }
}

pub(super) fn seconds_or_never<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    match u64::deserialize(from)? {
        0 => Ok(None),
        number @ 1..=MOST_SECONDS => Ok(Some(Duration::from_secs(number))),
        _ => Err(D::Error::custom(format!(
            "it must be seconds, {MOST_SECONDS} at most"
        ))),
    }
}

pub(crate) fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    match usize::deserialize(from)? {
        0 => Err(D::Error::custom("it must be 1 or more")),
        number => Ok(number),
    }
}

/// A user id; none when it is empty.
pub(super) fn user<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    // The configuration gives numbers as text, too.
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| D::Error::custom("it must be a user id, such as 1000");
    text.parse().map(Some).map_err(wrong)
}

pub(super) fn octal<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let text = String::deserialize(from)?;
    match u32::from_str_radix(&text, 8) {
        Ok(mode @ 0..=0o777) => Ok(mode),
        _ => Err(D::Error::custom(
            "it must be permissions in octal, such as \"0600\"",
        )),
    }
}

pub(super) fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| D::Error::custom("it must be an address and a port, such as 127.0.0.1:9464");
    text.parse().map(Some).map_err(wrong)
}

pub(super) fn level<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let valid = crate::telemetry::filter(&text);
    valid.map(|_| text).map_err(D::Error::custom)
}
