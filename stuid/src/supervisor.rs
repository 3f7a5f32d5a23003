//! The service manager, when one runs the daemon: the socket that it holds, and what it is told.
//!
//! It speaks the protocols of sd_listen_fds(3) and sd_notify(3), which others than systemd speak,
//! too. Without a service manager all of this does nothing.

use std::io;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;
use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Takes over the socket that the service manager listens on for this process, if it does. To be
/// called once, before there are other threads.
///
/// # Errors
/// When it holds something else than one Unix stream socket that listens.
pub fn socket() -> Result<Option<UnixListener>, Error> {
    let mut held = ListenFd::from_env();
    if held.len() > 1 {
        return Err(wrong("it holds several, stuid serves one"));
    }
    let doing = "taking over the socket of the service manager";
    let socket = held.take_unix_listener(0).map_err(Error::io(doing))?;
    if let Some(socket) = &socket
        && !socket_acceptconn(socket).is_ok_and(|listens| listens)
    {
        return Err(wrong("it does not listen"));
    }
    Ok(socket)
}

fn wrong(why: &str) -> Error {
    let why = io::Error::other(format!("{why}: give it one ListenStream= and Accept=no"));
    Error::io("taking over the socket of the service manager")(why)
}

/// Says that clients are served.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Says that the configuration is being read again; [`ready`] ends that.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "asking for the time"),
    }
}

/// Says that the daemon ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Feeds the watchdog while the runtime makes progress, until told to stop. It attests the daemon
/// alone: a dead image is no reason to restart it.
pub async fn feed_watchdog(stop: CancellationToken) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = interval((patience / 3).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // Through the queue of tasks: a runtime that does not get to it is stuck.
        if tokio::spawn(std::future::ready(())).await.is_ok() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "telling the service manager");
    }
}
