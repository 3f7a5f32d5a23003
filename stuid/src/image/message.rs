//! What travels from a caller to the worker and back.

use stui_protocol::time::Timestamp;
use stui_protocol::{ErrorType, Failure};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::inflight::Correlation;
use super::place::Place;
use super::queue::{InLane, Lane, Priority};
use crate::limits::Reached;

/// One request on its way to the image. Whoever holds it owes [`Message::reply`] an answer.
#[derive(Debug)]
pub(crate) struct Message {
    /// The encoded request.
    pub(crate) body: Vec<u8>,
    pub(crate) priority: Priority,
    /// Whose turn it takes.
    pub(crate) lane: Lane,
    /// Since when it waits.
    pub(crate) came_at: Instant,
    pub(crate) deadline: Instant,
    /// It is sent by that connection or not at all.
    pub(crate) only_by: Option<Connection>,
    pub(crate) place: Place,
    pub(crate) reply: oneshot::Sender<Result<Answer, LinkError>>,
    /// The caller's span, so that the worker's lines tell whose request they are about.
    pub(crate) span: tracing::Span,
}

impl InLane for Message {
    fn lane(&self) -> &Lane {
        &self.lane
    }
}

/// Which one of the connections that a link has had: whoever is at its other end stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection(pub(super) u64);

/// The encoded reply, and its place in the order in which requests were sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    pub(crate) order: Correlation,
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LinkError {
    /// The image is known to be down. Nothing was sent.
    #[error(
        "nobody answers at {endpoint} since {since}: nothing was sent, it is safe to try again"
    )]
    Down {
        /// Where it should be.
        endpoint: String,
        /// Since when; the start of the daemon when it has never been there.
        since: Timestamp,
    },
    /// The deadline passed while the request waited for the link. Nothing was sent.
    #[error(
        "the image did not take the request in time: nothing was sent, it is safe to try again"
    )]
    NotSentInTime,
    /// The deadline passed after the request was sent.
    #[error("the image has not answered in time; it may still do what was asked")]
    TimedOut,
    /// The link broke after the request was sent.
    #[error("the link to the image broke after the request was sent: it may or may not have run")]
    Unknown,
    /// Too many requests wait for the link.
    #[error("too many requests wait for the image: {0}")]
    Full(Reached),
    /// The daemon is shutting down.
    #[error("the daemon is shutting down: nothing was sent")]
    Stopped,
    /// The request is too large to send.
    #[error("{}", .0.error)]
    TooLarge(Box<Failure>),
    /// What came back is no reply to this request.
    #[error("the image's answer cannot be understood, so it may or may not have run: {0}")]
    Nonsense(String),
}

impl LinkError {
    /// Whether the image has certainly not seen the request.
    #[must_use]
    pub fn nothing_was_sent(&self) -> bool {
        !matches!(self, Self::TimedOut | Self::Unknown | Self::Nonsense(_))
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        let error_type = match &error {
            LinkError::Down { .. } | LinkError::NotSentInTime => ErrorType::ImageUnavailable,
            LinkError::TimedOut | LinkError::Unknown | LinkError::Nonsense(_) => {
                ErrorType::OutcomeUnknown
            }
            LinkError::Stopped => ErrorType::ShuttingDown,
            LinkError::Full(reached) => return (*reached).into(),
            LinkError::TooLarge(failure) => return (**failure).clone(),
        };
        let failure =
            Self::new(error_type, error.to_string()).with("sent", !error.nothing_was_sent());
        match error {
            LinkError::Down { endpoint, since } => failure
                .with("endpoint", endpoint)
                .with("since", since.to_string())
                .with("state", "down"),
            _ => failure,
        }
    }
}
