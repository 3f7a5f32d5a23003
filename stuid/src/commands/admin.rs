//! `admin`: what operators do with a daemon that runs. Root and the daemon's own user may, and each
//! time the log says who did.

mod linking;
mod pausing;
mod saving;
mod showing;

use stui_protocol::daemon::{Admin, AdminResult, Paused, Reloaded};
use stui_protocol::time;
use stui_protocol::{ErrorType, Failure};

use super::Asked;
use crate::identity::{Peer, own_uid};

pub(super) async fn serve(asked: Asked, command: Admin) {
    let outcome = operate(&asked, command).await;
    asked.responder.result(outcome);
}

async fn operate(asked: &Asked, command: Admin) -> Result<AdminResult, Failure> {
    let Peer { uid, pid, .. } = asked.client.peer;
    if !asked.client.peer.may_operate() {
        tracing::warn!(
            uid,
            pid,
            ?command,
            "no operator asked for an operator's command"
        );
        return Err(no_operator(uid));
    }
    tracing::info!(uid, pid, ?command, "an operator's command");
    let outcome = match command {
        Admin::Pause => Ok(pausing::pause(asked)),
        Admin::Resume => Ok(pausing::resume(asked)),
        Admin::Drain { timeout_ms, resume } => pausing::drain(asked, timeout_ms, resume).await,
        Admin::SaveImage { timeout_ms, force } => saving::save(asked, timeout_ms, force).await,
        Admin::Reconnect => linking::reconnect(asked).await,
        Admin::Kick { client } => linking::kick(asked, client).await,
        Admin::Reload => reload(asked),
        Admin::SetLogLevel { level } => set_log_level(asked, &level),
        Admin::Show { what } => Ok(showing::show(asked, what)),
    };
    if let Err(failure) = &outcome {
        tracing::info!(%failure, "an operator's command failed");
    }
    outcome
}

fn reload(asked: &Asked) -> Result<AdminResult, Failure> {
    let reloaded = asked.services.config.reload().map_err(|why| {
        let why = format!("nothing changes: {why}");
        Failure::new(ErrorType::UnsupportedOperation, why)
    })?;
    Ok(AdminResult {
        reloaded: Some(reloaded.clone()),
        ..AdminResult::done(said(&reloaded))
    })
}

fn said(reloaded: &Reloaded) -> String {
    let applied = match reloaded.applied.as_slice() {
        [] => "nothing changed that can change at run time".to_owned(),
        keys => format!("in force now: {}", keys.join(", ")),
    };
    match reloaded.at_next_start.as_slice() {
        [] => applied,
        keys => format!("{applied}; at the next start: {}", keys.join(", ")),
    }
}

fn set_log_level(asked: &Asked, level: &str) -> Result<AdminResult, Failure> {
    let set = asked.services.config.set_log_level(level);
    set.map_err(|why| Failure::invalid("level", why))?;
    Ok(AdminResult::done(format!(
        "the log level is {level} until the next reload"
    )))
}

/// The client as one who holds work back.
fn paused_by(asked: &Asked, operation: &str) -> Paused {
    Paused {
        operation: operation.to_owned(),
        since: time::now(),
        uid: asked.client.peer.uid,
        pid: asked.client.peer.pid,
        client: asked.client.number,
        waiting: 0,
    }
}

fn no_operator(uid: u32) -> Failure {
    Failure::new(
        ErrorType::PermissionDenied,
        format!(
            "you are user {uid}: only root and user {}, who runs the daemon, may operate it",
            own_uid()
        ),
    )
}
