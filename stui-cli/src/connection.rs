//! One connection to the daemon: requests out, replies and events in.
//!
//! A thread reads lines and hands them over through a bounded queue; when the queue is full it
//! stops reading, and the daemon sees a slow client. Everything else happens in the caller's
//! thread. Signals that have a meaning (Ctrl-C) come through the same queue, so that one wait
//! sees whatever happens first.

mod again;
mod hello;
mod incoming;
mod signals;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use stui_protocol::codec::client::{self, Message};
use stui_protocol::daemon::{GoodbyeData, HelloData, Subscribe};
use stui_protocol::{Command, Event, EventName, Reply, Request};

use crate::exit::Problem;
pub(crate) use again::{Again, Back, Errand, Waited};
pub(crate) use incoming::Incoming;
use incoming::{Arrival, Route};
use signals::SignalRoute;

/// Messages that wait for the caller. Few, because one can have 10 MiB.
const QUEUE_LENGTH: usize = 64;

/// Events kept while a reply is awaited; beyond it the oldest go, and that is told.
const KEPT_EVENTS: usize = 10_000;

/// How long a reply may take when the request is no evaluation. The daemon has deadlines of its
/// own well below; this one is for a daemon that hangs.
pub(crate) const REPLY_PATIENCE: Duration = Duration::from_secs(60);

/// How long a write to a daemon that does not read may take.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait for what the daemon said before it closed the connection.
const LAST_WORDS_PATIENCE: Duration = Duration::from_secs(1);

/// Asks for the daemon's own events. What a second hello means, [`Connection::inherit`] knows.
pub(crate) const SUBSCRIBE: Subscribe = Subscribe { handover: true };

/// A connection to the daemon after its hello.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    arrivals: Receiver<Arrival>,
    queue: SyncSender<Arrival>,
    events: VecDeque<Event>,
    skipped: u64,
    hello: HelloData,
    /// How long the first request waits for an image that is away.
    patience: Option<Duration>,
    /// Set when signals are caught.
    signals: Option<SignalRoute>,
    /// Why the daemon sent us away, when it did.
    dismissed: Option<String>,
    /// The same connection with the next daemon at its other end.
    heir: Option<Box<Connection>>,
    /// There was one: the stream is its own.
    is_inherited: bool,
}

impl Connection {
    /// Connects and waits for the daemon's hello.
    ///
    /// # Errors
    /// `NoDaemon` when nobody listens there, `Garbled` when it is no stui daemon or one of another
    /// protocol.
    pub(crate) fn open(path: &Path) -> Result<Self, Problem> {
        let stream = UnixStream::connect(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Problem::NoDaemon(path.to_owned())
            }
            _ => Problem::Unreachable {
                path: path.to_owned(),
                source,
            },
        })?;
        let setting_up = || Problem::io("setting up the connection");
        stream
            .set_write_timeout(Some(WRITE_PATIENCE))
            .map_err(setting_up())?;
        let (queue, arrivals) = sync_channel(QUEUE_LENGTH);
        let reading = stream.try_clone().map_err(setting_up())?;
        incoming::start_reading(reading, queue.clone()).map_err(setting_up())?;
        let hello = hello::wait(&arrivals)?;
        Ok(Self::with(stream, (queue, arrivals), hello))
    }

    fn with(stream: UnixStream, (queue, arrivals): Route, hello: HelloData) -> Self {
        Self {
            stream,
            arrivals,
            queue,
            events: VecDeque::new(),
            skipped: 0,
            hello,
            patience: None,
            signals: None,
            dismissed: None,
            heir: None,
            is_inherited: false,
        }
    }

    /// What to tell of its loss.
    pub(crate) fn how_lost(&self) -> &'static str {
        match self.heir {
            Some(_) => "the daemon was restarted; going on…",
            None => "the daemon went away; reconnecting…",
        }
    }

    /// The next daemon has taken the connection up: what the old one knew of it, such as the
    /// session that was attached, it does not.
    fn inherit(&mut self, hello: &Event, route: Route) -> Result<(), Problem> {
        let hello = hello::read(hello)?;
        let stream = self.stream.try_clone();
        let stream = stream.map_err(Problem::io("going on with the connection"))?;
        self.is_inherited = true;
        self.heir = Some(Box::new(Self::with(stream, route, hello)));
        Ok(())
    }

    /// The same, whose first request waits so long for an image that is away.
    pub(crate) fn patient(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// What the daemon said about itself.
    pub(crate) fn hello(&self) -> &HelloData {
        &self.hello
    }

    /// From now on Ctrl-C is an [`Incoming::Interrupt`], and Ctrl-\ and SIGTERM are an
    /// [`Incoming::Leave`], instead of the end of the process.
    ///
    /// # Errors
    /// When the signals cannot be caught.
    pub(crate) fn catch_signals(&mut self) -> Result<(), Problem> {
        let route = SignalRoute::start(self.queue.clone());
        self.signals = Some(route.map_err(Problem::io("catching signals"))?);
        Ok(())
    }

    /// Does a command and reads its result. `session` (name or id) goes along when given.
    ///
    /// # Errors
    /// `Failed` with the daemon's or the image's answer, and what can go wrong with a connection.
    pub(crate) fn call<C: Command>(
        &mut self,
        command: &C,
        session: Option<&str>,
    ) -> Result<C::Result, Problem> {
        result::<C>(self.ask(&request(command, session))?)
    }

    /// Sends a request and waits for its reply; events that arrive meanwhile are kept. A daemon
    /// that goes away is [`Problem::NotSent`] or `Lost`, as for [`Self::send`].
    ///
    /// # Errors
    /// What can go wrong with a connection, and `Interrupted` when signals are caught.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Reply, Problem> {
        self.ask_within(request, REPLY_PATIENCE)
    }

    /// As [`Self::ask`] with a time limit of its own.
    ///
    /// # Errors
    /// As [`Self::ask`]; `NoAnswer` after the time.
    pub(crate) fn ask_within(
        &mut self,
        request: &Request,
        patience: Duration,
    ) -> Result<Reply, Problem> {
        let patience = patience + self.patience.unwrap_or_default();
        self.send(request)?;
        self.reply_to(request, patience)
    }

    /// Waits for the reply to a request that was sent.
    ///
    /// # Errors
    /// As [`Self::ask_within`].
    pub(crate) fn reply_to(
        &mut self,
        request: &Request,
        patience: Duration,
    ) -> Result<Reply, Problem> {
        let deadline = Instant::now() + patience;
        loop {
            match self.receive(Some(deadline))? {
                None => return Err(Problem::NoAnswer(patience)),
                Some(Incoming::Reply(reply)) if reply.id.as_deref() == Some(&request.id) => {
                    return Ok(reply);
                }
                // A request that could not even be read has no id to answer to.
                Some(Incoming::Reply(Reply {
                    id: None,
                    outcome: Err(failure),
                    ..
                })) => return Err(failure.into()),
                // The answer to something that was given up.
                Some(Incoming::Reply(_)) => {}
                Some(Incoming::Event(event)) => self.keep(event),
                Some(Incoming::Interrupt | Incoming::Leave) => return Err(Problem::Interrupted),
            }
        }
    }

    /// Sends a request without waiting.
    ///
    /// # Errors
    /// `MessageTooLarge`; `NotSent` when the daemon is gone: it has not got the request.
    pub(crate) fn send(&mut self, request: &Request) -> Result<(), Problem> {
        let line = match self.patience.take() {
            None => client::encode_request(request)?,
            Some(patience) => {
                let mut request = request.clone();
                let wait_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
                request
                    .parameters
                    .insert("wait_image_ms".to_owned(), wait_ms.into());
                client::encode_request(&request)?
            }
        };
        // Half a line is no request.
        self.stream.write_all(&line).map_err(|_| self.unsent())
    }

    /// Why a request could not be sent: the daemon may have said goodbye before.
    fn unsent(&mut self) -> Problem {
        let deadline = Instant::now() + LAST_WORDS_PATIENCE;
        loop {
            match self.receive(Some(deadline)) {
                Ok(Some(Incoming::Event(event))) => self.keep(event),
                Ok(Some(Incoming::Reply(_))) => {}
                Ok(Some(Incoming::Interrupt | Incoming::Leave)) => return Problem::Interrupted,
                Ok(None) | Err(Problem::Lost) => return Problem::NotSent,
                Err(problem) => return problem,
            }
        }
    }

    /// The next thing that happens, events kept by [`Self::ask`] first; none after `deadline`.
    ///
    /// # Errors
    /// `Lost` or `Garbled`, again and again once it is so.
    pub(crate) fn next(&mut self, deadline: Option<Instant>) -> Result<Option<Incoming>, Problem> {
        match self.events.pop_front() {
            Some(event) => Ok(Some(Incoming::Event(event))),
            None => self.receive(deadline),
        }
    }

    /// As [`Self::next`] without waiting at all.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) fn poll(&mut self) -> Result<Option<Incoming>, Problem> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(Incoming::Event(event)));
        }
        match self.arrivals.try_recv() {
            Ok(arrival) => self.unpack(arrival).map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Problem::Lost),
        }
    }

    /// How many events were left out since the last call, because nobody took them.
    pub(crate) fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    fn keep(&mut self, event: Event) {
        if self.events.len() >= KEPT_EVENTS {
            self.events.pop_front();
            self.skipped += 1;
        }
        self.events.push_back(event);
    }

    fn receive(&mut self, deadline: Option<Instant>) -> Result<Option<Incoming>, Problem> {
        let arrival = match deadline {
            None => self.arrivals.recv().map_err(|_| Problem::Lost)?,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                match self.arrivals.recv_timeout(left) {
                    Ok(arrival) => arrival,
                    Err(RecvTimeoutError::Timeout) => return Ok(None),
                    Err(RecvTimeoutError::Disconnected) => return Err(Problem::Lost),
                }
            }
        };
        self.unpack(arrival).map(Some)
    }

    /// Ends are put back, so that whoever asks next learns of them, too.
    fn unpack(&mut self, arrival: Arrival) -> Result<Incoming, Problem> {
        match arrival {
            Arrival::Said(Message::Reply(reply)) => Ok(Incoming::Reply(reply)),
            Arrival::Said(Message::Event(event)) => {
                if event.event == EventName::Goodbye {
                    let goodbye: Option<GoodbyeData> = event.data_as();
                    self.dismissed = goodbye.map(|goodbye| goodbye.reason);
                }
                Ok(Incoming::Event(event))
            }
            Arrival::Interrupt => Ok(Incoming::Interrupt),
            Arrival::Leave => Ok(Incoming::Leave),
            Arrival::Closed => {
                // Full only when signals rain; they are followed by the same end then.
                let _ = self.queue.try_send(Arrival::Closed);
                match &self.dismissed {
                    Some(reason) => Err(Problem::Dismissed(reason.clone())),
                    None => Err(Problem::Lost),
                }
            }
            Arrival::Anew(hello, route) => {
                let _ = self.queue.try_send(Arrival::Closed);
                self.inherit(&hello, route)?;
                Err(Problem::Lost)
            }
            Arrival::Again(_) => Err(Problem::Lost),
            Arrival::Garbled(why) => {
                let _ = self.queue.try_send(Arrival::Closed);
                Err(Problem::Garbled(why))
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_inherited {
            // Wakes the reading thread, which then ends.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }
}

/// A request for a command in a session.
pub(crate) fn request<C: Command>(command: &C, session: Option<&str>) -> Request {
    let mut request = Request::new(uuid::Uuid::new_v4().to_string(), command);
    if let Some(session) = session {
        request
            .parameters
            .insert("session".to_owned(), Value::from(session));
    }
    request
}

/// The result in a reply to that command.
///
/// # Errors
/// `Failed` for a failure, `Garbled` for a result of another shape.
pub(crate) fn result<C: Command>(reply: Reply) -> Result<C::Result, Problem> {
    let value = reply.outcome?;
    serde_json::from_value(value).map_err(|why| Problem::Garbled(format!("{}: {why}", C::NAME)))
}
