//! The service manager, when one runs the daemon: the socket that it holds, and what it is told.
//!
//! It speaks the protocols of sd_listen_fds(3) and sd_notify(3), which others than systemd speak,
//! too. Without a service manager all of this does nothing.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;
use rustix::net::{AddressFamily, SocketType};
use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// The name of a client's connection among what the service manager holds.
const CLIENT: &str = "client";

/// What the service manager holds for this process.
#[derive(Debug, Default)]
pub struct Held {
    /// The socket that it listens on.
    pub socket: Option<UnixListener>,
    /// Connections of clients that the daemon before this one has kept.
    pub clients: Vec<UnixStream>,
}

/// Takes over what the service manager holds for this process, if anything. To be called once,
/// before there are other threads.
///
/// # Errors
/// When it holds something else than one Unix stream socket that listens, and clients.
pub fn held() -> Result<Held, Error> {
    let doing = || Error::io("taking over the socket of the service manager");
    // They count only when the rest says that they are for this process.
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut files = ListenFd::from_env();
    let mut held = Held::default();
    for index in 0..files.len() {
        if names.next() == Some(CLIENT) {
            let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
            let (family, kind) = (i32::from(family.as_raw()), kind.as_raw().cast_signed());
            let client = files.take_custom(index, family, kind, "a client");
            held.clients.extend(client.map_err(doing())?);
            continue;
        }
        let socket = files.take_unix_listener(index).map_err(doing())?;
        if held.socket.is_some() {
            return Err(wrong("it holds several, stuid serves one"));
        }
        if let Some(socket) = &socket
            && !socket_acceptconn(socket).is_ok_and(|listens| listens)
        {
            return Err(wrong("it does not listen"));
        }
        held.socket = socket;
    }
    Ok(held)
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

/// Gives a connection to the service manager, who holds it for the next daemon; answers whether
/// there is one. Whether it has room for it, it does not say: what it has no room for it closes.
pub fn keep(client: &impl AsFd) -> bool {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return false;
    }
    let state = [NotifyState::FdStore, NotifyState::FdName(CLIENT)];
    let kept = sd_notify::notify_with_fds(&state, &[client.as_fd()]);
    if let Err(error) = &kept {
        tracing::warn!(%error, "giving a connection to the service manager");
    }
    kept.is_ok()
}

/// Says that the kept connections were taken up. The service manager would hold them open.
pub fn taken_up() {
    tell(&[NotifyState::FdStoreRemove, NotifyState::FdName(CLIENT)]);
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
