//! `pause`, `resume`, `drain`: new work waits before the gate, what runs goes on.

use std::time::Duration;

use serde_json::json;
use stui_protocol::daemon::{AdminResult, DRAIN_MS};
use stui_protocol::{ErrorType, Event, EventName, Failure};
use tokio::time::timeout;

use super::super::{Asked, Services};
use super::paused_by;
use crate::gate;

/// The longest that an operator can have the daemon wait: a day.
const LONGEST_MS: u64 = 86_400_000;

pub(super) fn pause(asked: &Asked) -> AdminResult {
    AdminResult::done(match close(asked, "pause") {
        None => "new work waits, what runs goes on; `stui admin resume` lets it go on".to_owned(),
        Some(before) => format!("it did before: {before}"),
    })
}

pub(super) fn resume(asked: &Asked) -> AdminResult {
    AdminResult::done(match open(&asked.services) {
        true => "new work goes on",
        false => "nobody had paused",
    })
}

/// Pauses and waits until nothing runs. When it gives up, it says what still runs.
pub(super) async fn drain(
    asked: &Asked,
    timeout_ms: Option<u64>,
    resume: bool,
) -> Result<AdminResult, Failure> {
    let patience = patience(timeout_ms, DRAIN_MS)?;
    close(asked, "drain");
    // Also when the operator goes away while it is waited.
    let giving_up = resume.then(|| Reopen(&asked.services));
    let idle = wait_until_idle(&asked.services, patience).await;
    if let Err(failure) = idle {
        let then = match resume {
            true => "new work goes on",
            false => "new work waits until `stui admin resume`",
        };
        let told = format!("{}; {then}", failure.error);
        return Err(Failure {
            error: told,
            ..failure
        });
    }
    std::mem::forget(giving_up);
    Ok(AdminResult::done(
        "nothing runs at the image, and new work waits; `stui admin resume` lets it go on",
    ))
}

/// Waits until nothing runs at the image.
///
/// # Errors
/// `Timeout` with what still runs.
pub(super) async fn wait_until_idle(
    services: &Services,
    patience: Duration,
) -> Result<(), Failure> {
    if timeout(patience, services.gate.empty()).await.is_ok() {
        return Ok(());
    }
    let mut running = services.sessions.under_way();
    running.retain(|each| each.running);
    Err(Failure::new(
        ErrorType::Timeout,
        format!(
            "after {} ms something still runs at the image ({} evaluations): interrupt it, or \
             wait longer with --timeout",
            patience.as_millis(),
            running.len()
        ),
    )
    .with("running", json!(running)))
}

/// The time that an operator gives.
///
/// # Errors
/// When it is too long.
pub(super) fn patience(timeout_ms: Option<u64>, default_ms: u64) -> Result<Duration, Failure> {
    match timeout_ms.unwrap_or(default_ms) {
        ms @ 0..=LONGEST_MS => Ok(Duration::from_millis(ms)),
        _ => Err(Failure::invalid(
            "timeout_ms",
            format!("it must be at most {LONGEST_MS}"),
        )),
    }
}

/// Answers who had closed it before.
fn close(asked: &Asked, operation: &str) -> Option<String> {
    let services = &asked.services;
    let paused = paused_by(asked, operation);
    match services.gate.pause(paused.clone()) {
        Some(before) => Some(gate::describe(&before)),
        None => {
            services
                .announcements
                .announce(&Event::new(EventName::Paused, &paused));
            None
        }
    }
}

fn open(services: &Services) -> bool {
    let was_closed = services.gate.resume().is_some();
    if was_closed {
        tracing::info!("new work goes on");
        services
            .announcements
            .announce(&Event::new(EventName::Resumed, &json!({})));
    }
    was_closed
}

/// Resumes when dropped.
struct Reopen<'a>(&'a Services);

impl Drop for Reopen<'_> {
    fn drop(&mut self) {
        open(self.0);
    }
}
