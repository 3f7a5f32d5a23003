//! What the store keeps, as types. They are written as JSON, so that a later minor version can add
//! keys.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stui_protocol::image::{Requester, SessionSummary};
use stui_protocol::time::{self, Timestamp};
use tokio::time::Instant;

/// Keys, positions and orders are counted up from 1. No daemon comes this far, so a larger one is
/// damage or forged; and from whatever is believed, counting goes on without an end in sight.
const MOST: u64 = u64::MAX / 2;

/// Whether a daemon can have counted that far.
pub(super) fn is_counted(number: u64) -> bool {
    number <= MOST
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    /// The daemon's number for it; never used twice.
    pub(crate) key: u64,
    pub(crate) name: String,
    /// User id of its owner.
    pub(crate) owner: u32,
    pub(crate) created_at: Timestamp,
    /// Seconds after which the image may end it; none is never.
    #[serde(default)]
    pub(crate) timeout: Option<u64>,
    pub(crate) home: HomeRecord,
    /// The newest context of it that is known to be saved.
    #[serde(default)]
    pub(crate) saved: Option<SavedRecord>,
    /// Who else may use it; nobody without it.
    #[serde(default)]
    pub(crate) share: Option<String>,
}

/// Where a session is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HomeRecord {
    /// The image was not asked for it, or has not answered.
    New,
    /// The image had it.
    There(PlaceRecord),
    /// The image had it and has it no more.
    Lost {
        place: PlaceRecord,
        reason: String,
        since: Timestamp,
    },
    /// It was ended: what stays is why.
    Closed { reason: String, since: Timestamp },
}

/// A session in the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlaceRecord {
    pub(crate) summary: SessionSummary,
    /// In which life of the image.
    pub(crate) instance: String,
}

/// A context that the image has saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedRecord {
    pub(crate) context_id: String,
    pub(crate) saved_at: Timestamp,
}

/// An evaluation that was accepted and has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenEvaluation {
    pub(crate) id: String,
    /// Key of its session.
    pub(crate) session: u64,
    /// Counts the evaluations that were accepted, so that they can be put in order again.
    pub(crate) order: u64,
    pub(crate) code: String,
    pub(crate) by: Requester,
    /// How it is started; none when it was found in the image.
    #[serde(default)]
    pub(crate) start: Option<StartRecord>,
    /// Where it began in the log, when it has: from then on the image may have done its work.
    #[serde(default)]
    pub(crate) begun: Option<BegunRecord>,
    /// One that had ended in the image before this one was accepted.
    #[serde(default)]
    pub(crate) after: Option<WitnessRecord>,
}

impl SessionRecord {
    /// Whether a daemon can have written it.
    pub(super) fn is_believable(&self) -> bool {
        is_counted(self.key)
    }
}

impl OpenEvaluation {
    /// Whether a daemon can have written it.
    pub(super) fn is_believable(&self) -> bool {
        let begun = self.begun.map_or(0, |begun| begun.position);
        [self.session, self.order, begun]
            .into_iter()
            .all(is_counted)
    }
}

/// An evaluation that is known to have ended well in that life of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WitnessRecord {
    pub(crate) instance: String,
    pub(crate) id: String,
}

/// The request that starts an evaluation, without the session, which it gets when it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StartRecord {
    pub(crate) command: String,
    pub(crate) parameters: Map<String, Value>,
}

/// An evaluation's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BegunRecord {
    /// Position of `evaluation_started` in the log.
    pub(crate) position: u64,
    pub(crate) at: Timestamp,
}

impl BegunRecord {
    /// How long ago it was.
    pub(crate) fn ago(&self) -> Duration {
        let elapsed = time::now().duration_since(self.at);
        Duration::try_from(elapsed).unwrap_or_default()
    }

    /// When it was, on this process's clock.
    pub(crate) fn instant(&self) -> Instant {
        let now = Instant::now();
        now.checked_sub(self.ago()).unwrap_or(now)
    }
}

/// An evaluation that has ended: what it was and what came of it stands in the log, there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EndedEvaluation {
    pub(crate) id: String,
    /// Key of its session.
    pub(crate) session: u64,
    /// Position of `evaluation_started`; none when it was ended while it waited.
    pub(crate) begun: Option<u64>,
    /// Position of `evaluation_finished`.
    pub(crate) ended: u64,
}

/// What a line of a log means for an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// Nothing.
    #[default]
    None,
    /// It begins here.
    Begins(String),
    /// It ends here.
    Ends(String),
}

/// What stands in the journal: one change, whole or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// A session is now like this.
    Session(SessionRecord),
    /// A session and all that belongs to it is gone.
    Forgotten(u64),
    /// An evaluation was accepted.
    Accepted(OpenEvaluation),
    /// A log has one line more. The line itself stands behind this.
    Line {
        #[serde(flatten)]
        place: LinePlace,
        #[serde(default)]
        mark: Mark,
    },
}

impl Change {
    /// Whether a daemon can have written it.
    pub(super) fn is_believable(&self) -> bool {
        match self {
            Self::Session(record) => record.is_believable(),
            Self::Forgotten(key) => is_counted(*key),
            Self::Accepted(evaluation) => evaluation.is_believable(),
            Self::Line { place, .. } => [place.session, place.first, place.position]
                .into_iter()
                .all(is_counted),
        }
    }
}

/// Where and when a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinePlace {
    pub(crate) session: u64,
    /// Position of the oldest line that is not gone.
    pub(crate) first: u64,
    pub(crate) position: u64,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
}
