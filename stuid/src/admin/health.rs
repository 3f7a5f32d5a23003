//! What `/healthz` and `/readyz` say, each as JSON with a reason.

use serde::Serialize;
use stui_protocol::daemon::{ImageState, StoreState};
use stui_protocol::time::Timestamp;

use crate::commands::Services;

/// The format of both.
pub(super) const JSON: &str = "application/json";

/// One answer.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// Whether it is as it should be: 200 or 503.
    #[serde(skip)]
    pub(super) is_well: bool,
    status: &'static str,
    reason: String,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
}

#[derive(Debug, Serialize)]
struct Image {
    state: ImageState,
    since: Timestamp,
    endpoint: String,
}

impl Health {
    /// Whether the daemon lives. Neither an image that does not nor a disk that is full is a reason
    /// to restart it: a restart would lose what is in memory only.
    pub(super) fn of_daemon(services: &Services) -> Self {
        let store = services.store.status();
        let (status, reason) = if services.closing.is_cancelled() {
            ("ending", "the daemon was told to end".to_owned())
        } else if store.state == StoreState::Degraded {
            let why = store.reason.unwrap_or_default();
            ("degraded", format!("the store cannot be written: {why}"))
        } else {
            ("ok", "the daemon serves".to_owned())
        };
        Self {
            is_well: true,
            status,
            reason,
            version: crate::VERSION,
            image: None,
        }
    }

    /// Whether code can be evaluated now.
    pub(super) fn of_all(services: &Services) -> Self {
        let image = services.image.status();
        let answers = matches!(image.state, ImageState::Ready | ImageState::Busy);
        let ends = services.closing.is_cancelled();
        let reason = match (ends, answers) {
            (true, _) => "the daemon was told to end".to_owned(),
            (false, true) => "the image answers".to_owned(),
            (false, false) => image
                .reason
                .unwrap_or_else(|| "the image does not answer".to_owned()),
        };
        let is_well = answers && !ends;
        Self {
            is_well,
            status: if is_well { "ready" } else { "not ready" },
            reason,
            version: crate::VERSION,
            image: Some(Image {
                state: image.state,
                since: image.since,
                endpoint: image.endpoint,
            }),
        }
    }

    /// As a line of JSON.
    pub(super) fn text(&self) -> String {
        // Texts and numbers only: there is nothing that JSON cannot have.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
