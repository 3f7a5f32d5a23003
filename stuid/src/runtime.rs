//! The runtime that everything in the daemon shares: its threads, and whose turn it is on them.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Threads that serve clients. The image is the scarce part and answers one request at a time: a
/// second thread would only be woken for every message to find nothing to do, which costs more than
/// what it could ever take over.
const WORKERS: usize = 1;

/// A thread's own queue holds 256 tasks. What is beyond waits in a queue for all, which has one turn
/// in so many. The runtime's own choice is about one in sixty, and then a thousand clients that ask
/// without a pause are served by luck: those in the short queue again and again, the others late.
const OVERFLOW_TURN: u32 = 2;

/// Threads that may wait for the disk at once, so that the others go on. Each has memory of its own
/// that is not given back while it lives: a burst of clients that read long logs would leave dozens.
/// While all wait, everybody does; none of them waits for another.
const MOST_READERS: usize = 16;

/// How long such a thread stays when there is nothing to read.
const READERS_STAY: Duration = Duration::from_secs(1);

/// Starts its threads.
///
/// # Errors
/// When the system gives no threads or files for it.
pub(crate) fn start() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .global_queue_interval(OVERFLOW_TURN)
        .max_blocking_threads(MOST_READERS)
        .thread_keep_alive(READERS_STAY)
        .enable_all()
        .build()
}
