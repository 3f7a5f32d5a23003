//! The Unix socket: where it is, that nobody else has it, and who connects.
//!
//! Above the socket lies a lock file: whoever holds its lock may replace a socket that nobody
//! answers on, so a daemon that was killed leaves nothing in the way and two daemons never share
//! a place. A socket that a service manager holds is its own: it stays when the daemon ends, and
//! clients that connect meanwhile wait in its backlog.

mod permission;
mod place;
mod places;
mod refusal;
mod welcome;

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::UnixListener;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::commands::Services;
use crate::error::Error;
use crate::identity::Peer;
use place::Lock;
pub use places::Places;
use refusal::Reserve;
pub use welcome::Welcome;

/// After a client could not be accepted, the next one is after this.
const BREATH: Duration = Duration::from_millis(100);

/// Files that are no clients: sockets of the image link, of HTTP, logs, the runtime's own.
const FILES_BESIDES: u64 = 128;

/// The socket of this daemon. Dropping it removes the socket, unless somebody else holds it.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
    /// The right to the place; none for a socket of the service manager's.
    lock: Option<Lock>,
}

impl Listener {
    /// Takes the place and listens.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`] names the other daemon, [`Error::Place`] says what is wrong with
    /// the directory.
    pub fn bind(path: &Path, mode: u32) -> Result<Self, Error> {
        place::prepare(path)?;
        let lock = Lock::take(path)?;
        place::clear(path)?;
        let listener = UnixListener::bind(path)
            .map_err(Error::io(format!("binding the socket {}", path.display())))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .map_err(Error::io("setting the permissions of the socket"))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            lock: Some(lock),
        })
    }

    /// Listens on a socket that the service manager holds.
    ///
    /// # Errors
    /// When it has no path or cannot be used.
    pub fn adopt(socket: std::os::unix::net::UnixListener) -> Result<Self, Error> {
        let doing = || Error::io("using the socket of the service manager");
        let address = socket.local_addr().map_err(doing())?;
        let path = address.as_pathname().map(Path::to_owned);
        let path = path.ok_or_else(|| doing()(io::Error::other("it has no path")))?;
        socket.set_nonblocking(true).map_err(doing())?;
        Ok(Self {
            listener: UnixListener::from_std(socket).map_err(doing())?,
            path,
            lock: None,
        })
    }

    /// Where the socket is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What clients need to be served; each is, in a task of `clients`.
    pub fn welcome<'d>(
        &'d self,
        services: &'d Arc<Services>,
        places: &'d Places,
        clients: &'d TaskTracker,
    ) -> Welcome<'d> {
        Welcome {
            socket: &self.path,
            services,
            places,
            clients,
        }
    }

    /// Accepts clients until told to end.
    pub async fn run(&self, welcome: &Welcome<'_>, ending: &CancellationToken) {
        let mut reserve = Reserve::new();
        loop {
            let accepted = tokio::select! {
                () = ending.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            let known = accepted.and_then(|(stream, _)| Ok((Peer::of(&stream)?, stream)));
            let (peer, stream) = match known {
                Ok(known) => known,
                Err(error) => {
                    tracing::warn!(%error, "accepting a client");
                    if refusal::is_want_of_files(&error) && reserve.refuse_one(&self.listener) {
                        welcome.services.metrics.clients.refused.inc();
                    } else {
                        sleep_until(Instant::now() + BREATH).await;
                    }
                    continue;
                }
            };
            welcome.accept(stream, peer);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // It may be gone already, with its directory.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes room for that many clients, and `others` of the front end, among the files that this process
/// may have, as far as the system lets it: usual limits are below the usual number of clients. Answers
/// how many clients there is room for. ZeroMQ ends the process when it gets no file, so clients never take its own.
///
/// # Errors
/// [`Error::FewFiles`] when there is room for none.
pub fn make_room(max_clients: usize, others: usize) -> Result<usize, Error> {
    let besides = FILES_BESIDES.saturating_add(others as u64);
    let wanted = besides.saturating_add(max_clients as u64);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(max_clients);
    }
    let before = limit.current;
    limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "raising the number of open files");
        limit.current = before;
    }
    let files = limit.current.unwrap_or(wanted);
    let room = room_within(files, besides, max_clients)?;
    if room < max_clients {
        tracing::warn!(
            max_clients,
            room,
            "fewer files may be open than clients.max and frontend.max_clients need: further clients are refused"
        );
    }
    Ok(room)
}

/// How many of `max_clients` there is room for when `files` may be open and `besides` of them are for
/// others.
fn room_within(files: u64, besides: u64, max_clients: usize) -> Result<usize, Error> {
    let room = files.saturating_sub(besides);
    if room == 0 {
        return Err(Error::FewFiles {
            files,
            needed: besides.saturating_add(1),
        });
    }
    Ok(usize::try_from(room).map_or(max_clients, |room| room.min(max_clients)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_only_files_that_the_daemon_does_not_need_itself() {
        assert_eq!(
            room_within(FILES_BESIDES + 10, FILES_BESIDES, 1024).unwrap(),
            10
        );
        assert_eq!(room_within(1 << 20, FILES_BESIDES, 1024).unwrap(), 1024);
        let refused = room_within(40, FILES_BESIDES, 1024)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("ulimit -n"), "{refused}");
    }
}
