//! `save_image`: new work waits, what runs ends, the image saves itself, work goes on. Nobody sees
//! an error: who asks meanwhile is answered later.

use std::time::Duration;

use serde_json::json;
use stui_protocol::daemon::{AdminResult, SAVE_MS};
use stui_protocol::{ErrorType, Event, EventName, Failure};
use tokio::time::Instant;

use super::super::Asked;
use super::paused_by;
use super::pausing::{patience, wait_until_idle};
use crate::gate;

/// The image has at least this long for itself: giving up before helps nobody.
const AT_LEAST: Duration = Duration::from_millis(SAVE_MS);

pub(super) async fn save(
    asked: &Asked,
    timeout_ms: Option<u64>,
    force: bool,
) -> Result<AdminResult, Failure> {
    let patience = patience(timeout_ms, SAVE_MS)?;
    let services = &asked.services;
    let paused = paused_by(asked, "save_image");
    let event = Event::new(EventName::Paused, &paused);
    let hold = services.gate.hold(paused).map_err(|before| {
        let why = format!("it is being saved already: {}", gate::describe(&before));
        Failure::new(ErrorType::UnsupportedOperation, why)
    })?;
    services.announcements.announce(&event);
    let idle = wait_until_idle(services, patience).await;
    if !force {
        idle?;
    }
    let image = services.image.clone();
    let announcements = services.announcements.clone();
    let patience = patience.max(AT_LEAST);
    // Whoever asked may go away: the image saves itself all the same, and work waits for that.
    let saving = services.tasks.spawn(async move {
        let saved = image.save(Instant::now() + patience).await;
        drop(hold);
        announcements.announce(&Event::new(EventName::Resumed, &json!({})));
        saved
    });
    let saved = saving.await.map_err(|why| {
        Failure::new(ErrorType::InternalError, format!("saving the image: {why}"))
    })??;
    tracing::info!(
        path = saved.path,
        duration_ms = saved.duration_ms,
        "the image is saved"
    );
    Ok(AdminResult {
        image: Some(saved),
        ..AdminResult::done("the image is saved, and work goes on")
    })
}
