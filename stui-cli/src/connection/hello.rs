//! What the daemon says first.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use stui_protocol::codec::client::Message;
use stui_protocol::daemon::HelloData;
use stui_protocol::{Event, EventName, Reply, Version};

use super::incoming::Arrival;
use crate::exit::Problem;

/// How long the daemon may take to say hello.
const PATIENCE: Duration = Duration::from_secs(5);

/// What to do about a daemon of another major version.
fn other_protocol(hello: &HelloData) -> String {
    let theirs: Vec<_> = hello.protocol.iter().map(ToString::to_string).collect();
    let newer = hello.protocol.iter().all(|each| *each > Version::CURRENT);
    let advice = match newer {
        true => "upgrade this stui",
        false => "restart the daemon with a stuid of this version",
    };
    format!(
        "the daemon (stuid {}) speaks protocol {} and this stui {} speaks {}: {advice}",
        hello.daemon_version,
        theirs.join(" and "),
        env!("CARGO_PKG_VERSION"),
        Version::CURRENT,
    )
}

/// Waits for it.
///
/// # Errors
/// What the daemon says instead; `OtherProtocol` with what to do.
pub(super) fn wait(arrivals: &Receiver<Arrival>) -> Result<HelloData, Problem> {
    let said = match arrivals.recv_timeout(PATIENCE) {
        Ok(Arrival::Said(said)) => said,
        Ok(Arrival::Garbled(why)) => return Err(Problem::Garbled(why)),
        // It was just about to end.
        Ok(_) => return Err(Problem::Lost),
        Err(_) => return Err(Problem::NoAnswer(PATIENCE)),
    };
    match said {
        Message::Event(event) if event.event == EventName::Hello => read(&event),
        // A daemon that is full or shuts down says so instead of hello.
        Message::Reply(Reply {
            outcome: Err(failure),
            ..
        }) => Err(failure.into()),
        _ => Err(Problem::Garbled("it did not say hello".to_owned())),
    }
}

/// Reads it.
///
/// # Errors
/// `Garbled`; `OtherProtocol` with what to do.
pub(super) fn read(event: &Event) -> Result<HelloData, Problem> {
    let hello: Option<HelloData> = event.data_as();
    let hello = hello.ok_or_else(|| Problem::Garbled("its hello lacks something".to_owned()))?;
    let spoken = hello.protocol.iter().any(|version| version.check().is_ok());
    match spoken || hello.protocol.is_empty() {
        true => Ok(hello),
        false => Err(Problem::OtherProtocol(other_protocol(&hello))),
    }
}
