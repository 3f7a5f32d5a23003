//! A ZeroMQ socket in the runtime.
//!
//! Whatever one asks libzmq costs system calls. A stream that looks at its socket whenever it is
//! polled makes about fifteen in a request, most of them in vain. Here the socket is asked when its
//! descriptor says that there is news, and after something else was done with it.

use std::io;
use std::os::fd::RawFd;

use tmq::{Multipart, TmqError};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::coop::consume_budget;
use zmq::DONTWAIT;

/// A socket whose messages can be waited for. One task owns it.
pub(crate) struct Socket {
    // Before the socket: what is watched is closed later.
    news: AsyncFd<RawFd>,
    socket: zmq::Socket,
    /// It was asked and had nothing; since then nothing was done with it.
    is_drained: bool,
}

impl Socket {
    /// Watches a socket.
    ///
    /// # Errors
    /// When there are no files or memory for it.
    pub(crate) fn new(socket: zmq::Socket) -> Result<Self, TmqError> {
        // What replaces it needs a descriptor with a lifetime, which ZeroMQ's do not have.
        #[expect(deprecated)]
        let news = AsyncFd::with_interest(socket.get_fd()?, Interest::READABLE)?;
        Ok(Self {
            news,
            socket,
            is_drained: false,
        })
    }

    /// The socket, for anything else than receiving.
    pub(crate) fn get(&mut self) -> &zmq::Socket {
        // Its descriptor tells news once, and whatever is done with it may take note of them.
        self.is_drained = false;
        &self.socket
    }

    /// The next message. Can be cancelled: nothing that has arrived is lost.
    ///
    /// # Errors
    /// When the socket cannot be read any more.
    pub(crate) async fn receive(&mut self) -> io::Result<Multipart> {
        // A peer that never pauses does not keep other tasks from running.
        consume_budget().await;
        loop {
            if let Some(frames) = self.unless_drained()? {
                return Ok(frames);
            }
            self.news.readable().await?.clear_ready();
            self.is_drained = false;
        }
    }

    /// A message that has arrived by now; none when there is none. Asks in any case: the runtime may
    /// not have heard of the news yet.
    ///
    /// # Errors
    /// When the socket cannot be read any more.
    pub(crate) fn take(&mut self) -> zmq::Result<Option<Multipart>> {
        self.is_drained = false;
        self.unless_drained()
    }

    fn unless_drained(&mut self) -> zmq::Result<Option<Multipart>> {
        while !self.is_drained {
            match self.socket.recv_msg(DONTWAIT) {
                Ok(frame) => return self.rest_of(frame).map(Some),
                Err(zmq::Error::EAGAIN) => self.is_drained = true,
                Err(zmq::Error::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// All frames of a message: when the first is here, so are the others.
    fn rest_of(&self, first: zmq::Message) -> zmq::Result<Multipart> {
        let mut frames = Multipart::from(vec![first]);
        while frames.0.back().is_some_and(zmq::Message::get_more) {
            frames.push_back(self.socket.recv_msg(DONTWAIT)?);
        }
        Ok(frames)
    }
}
