//! `log`: lines of a session's log, without attaching.

use stui_protocol::daemon::{Log, LogResult};
use stui_protocol::{Event, Failure};

use super::Asked;
use crate::log::gap_event;

/// Lines that are answered unless the request says otherwise.
const DEFAULT_LIMIT: usize = 1_000;

/// Bytes of lines in one reply, well below the largest message.
const MOST_BYTES: usize = 4 * 1024 * 1024;

pub(super) async fn serve(asked: Asked, command: Log) {
    let outcome = read(&asked, &command);
    asked.responder.result(outcome);
}

fn read(asked: &Asked, command: &Log) -> Result<LogResult, Failure> {
    let session = asked.find(&command.session)?;
    let position = session.log.end().position;
    let part = session.log.read(command.since, position, MOST_BYTES);
    let limit = command.limit.unwrap_or(DEFAULT_LIMIT);
    let lines = part.lines.iter().take(limit);
    // The log's own lines: each was an event when it was written.
    let events = lines.filter_map(|line| serde_json::from_slice::<Event>(line).ok());
    Ok(LogResult {
        events: part.gap.map(gap_event).into_iter().chain(events).collect(),
        position,
    })
}
