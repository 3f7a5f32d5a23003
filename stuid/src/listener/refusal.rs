//! Clients that there is no room for: each is told why, and those that are there are served on.

use std::fs::File;
use std::io;

use futures::FutureExt;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use stui_protocol::codec::client::encode_reply;
use stui_protocol::{ErrorType, Failure, Reply};
use tokio::net::{UnixListener, UnixStream};

/// A file that is given up for a moment when there are none left, so that a client can be accepted
/// and told so. Without it clients would wait in the socket's queue and know nothing.
#[derive(Debug)]
pub(super) struct Reserve(Option<File>);

impl Reserve {
    pub(super) fn new() -> Self {
        let mut reserve = Self(None);
        reserve.fill();
        reserve
    }

    /// Refuses the client that has waited longest. False when there is no file even for that, or
    /// no client.
    pub(super) fn refuse_one(&mut self, listener: &UnixListener) -> bool {
        self.0 = None;
        let accepted = listener.accept().now_or_never();
        let refused = match accepted {
            Some(Ok((stream, _))) => {
                refuse(&stream, no_files());
                true
            }
            Some(Err(_)) | None => false,
        };
        self.fill();
        refused
    }

    fn fill(&mut self) {
        if self.0.is_none() {
            // Tried again at the next refusal.
            self.0 = File::open("/dev/null").ok();
        }
    }
}

/// Whether the process, or the whole system, has no files left.
pub(super) fn is_want_of_files(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

fn no_files() -> Failure {
    let limit = getrlimit(Resource::Nofile).current;
    Failure::new(
        ErrorType::Overloaded,
        "the daemon has no files left for another client: disconnect some, or raise its limit, \
         with `ulimit -n` or LimitNOFILE",
    )
    .with("limit", limit)
}

/// Tells a client that it cannot be served. The line fits into a socket's empty buffer.
pub(super) fn refuse(stream: &UnixStream, failure: Failure) {
    let line = encode_reply(&Reply::new(None, Err(failure), ""));
    // Not through the runtime: it does not know yet that the socket can be written.
    let sent = rustix::net::send(stream, &line, rustix::net::SendFlags::DONTWAIT);
    if let Err(error) = sent {
        tracing::debug!(%error, "refusing a client");
    }
}
