//! Coming back to a daemon that went away: tries again in the background with growing waits, until
//! it is there, says no, or too much time has passed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use stui_protocol::ErrorType;
use stui_protocol::daemon::{Attach, AttachMode, AttachResult, ImageState};

use super::incoming::Arrival;
use super::{Connection, QUEUE_LENGTH, SUBSCRIBE};
use crate::exit::Problem;
use crate::terminal;

/// The first wait between two tries; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// The longest of them.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// What a connection was for, so that the next one can go on with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errand {
    /// The session that was attached; `since` is the position to go on from.
    pub(crate) attach: Option<Attach>,
    /// The daemon's own events, too.
    pub(crate) subscribe: bool,
}

impl Errand {
    /// Goes on looking on at a session after that position.
    pub(crate) fn watch(session: &str, position: u64) -> Self {
        Self {
            attach: Some(Attach {
                session: session.to_owned(),
                mode: AttachMode::Watch,
                since: Some(position),
                terminal: terminal::name(),
                ..Attach::default()
            }),
            subscribe: true,
        }
    }
}

/// A connection that stands again.
#[derive(Debug)]
pub(crate) struct Back {
    /// The connection.
    pub(crate) connection: Connection,
    /// What the daemon answered to [`Errand::attach`].
    pub(crate) joined: Option<AttachResult>,
}

/// What happens while one waits for it.
#[derive(Debug)]
pub(crate) enum Waited {
    /// It stands.
    Back(Box<Back>),
    /// Ctrl-C.
    Interrupt,
    /// A request to end.
    Leave,
    /// Nothing in that time.
    NotYet,
}

/// A connection that is being made again. Dropping it ends that.
#[derive(Debug)]
pub(crate) struct Again {
    arrivals: Receiver<Arrival>,
    given_up: Arc<AtomicBool>,
}

impl Again {
    /// Begins; without a `lost` connection, for one that could not be opened. Signals that the
    /// lost connection caught come here from now on, and then go to the new one. When the next
    /// daemon has taken the lost connection up, that is the first one tried.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn begin(
        mut lost: Option<&mut Connection>,
        socket: &Path,
        patience: Duration,
        errand: Errand,
    ) -> Result<Self, Problem> {
        let (queue, arrivals) = sync_channel(QUEUE_LENGTH);
        let signals = lost.as_ref().and_then(|lost| lost.signals.clone());
        if let Some(signals) = &signals {
            signals.lead_to(queue.clone());
        }
        let given_up = Arc::new(AtomicBool::new(false));
        let tries = Tries {
            socket: socket.to_owned(),
            patience,
            errand,
            heir: lost.as_mut().and_then(|lost| lost.heir.take()),
            given_up: Arc::clone(&given_up),
        };
        thread::Builder::new()
            .name("reconnecting".to_owned())
            .spawn(move || {
                let found = tries.run().map(|mut back| {
                    if let Some(signals) = signals {
                        signals.lead_to(back.connection.queue.clone());
                        back.connection.signals = Some(signals);
                    }
                    Box::new(back)
                });
                // Nobody may want it any more.
                let _ = queue.send(Arrival::Again(found));
            })
            .map_err(Problem::io("reconnecting"))?;
        Ok(Self { arrivals, given_up })
    }

    /// Waits for what happens next.
    ///
    /// # Errors
    /// Why the daemon cannot be come back to.
    pub(crate) fn wait(&self) -> Result<Waited, Problem> {
        let arrival = self.arrivals.recv();
        arrival.map_or(Err(Problem::Lost), understand)
    }

    /// As [`Self::wait`] without waiting.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub(crate) fn poll(&self) -> Result<Waited, Problem> {
        match self.arrivals.try_recv() {
            Ok(arrival) => understand(arrival),
            Err(TryRecvError::Empty) => Ok(Waited::NotYet),
            Err(TryRecvError::Disconnected) => Err(Problem::Lost),
        }
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

fn understand(arrival: Arrival) -> Result<Waited, Problem> {
    match arrival {
        Arrival::Again(found) => found.map(Waited::Back),
        Arrival::Interrupt => Ok(Waited::Interrupt),
        Arrival::Leave => Ok(Waited::Leave),
        Arrival::Said(_) | Arrival::Garbled(_) | Arrival::Closed | Arrival::Anew(..) => {
            Ok(Waited::NotYet)
        }
    }
}

/// The tries.
struct Tries {
    socket: PathBuf,
    patience: Duration,
    errand: Errand,
    /// A connection that stands already.
    heir: Option<Box<Connection>>,
    given_up: Arc<AtomicBool>,
}

impl Tries {
    #[expect(
        clippy::disallowed_methods,
        reason = "a socket that appears cannot be waited for"
    )]
    fn run(mut self) -> Result<Back, Problem> {
        let deadline = Instant::now() + self.patience;
        let mut wait = FIRST_WAIT;
        loop {
            let problem = match self.once() {
                Err(problem) if passes(&problem) => problem,
                other => return other,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.given_up.load(Ordering::Relaxed) {
                return Err(match problem {
                    failed @ Problem::Failed(_) => failed,
                    _ => Problem::StaysAway(self.patience),
                });
            }
            thread::sleep(wait.min(left));
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn once(&mut self) -> Result<Back, Problem> {
        let mut connection = match self.heir.take() {
            Some(heir) => *heir,
            None => Connection::open(&self.socket)?,
        };
        let joined = match &mut self.errand.attach {
            Some(attach) => Some(join(&mut connection, attach)?),
            None => None,
        };
        if self.errand.subscribe {
            match connection.call(&SUBSCRIBE, None) {
                Ok(_) | Err(Problem::Failed(_)) => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(Back { connection, joined })
    }
}

/// Attaches as before; looks on when somebody else drives meanwhile.
fn join(connection: &mut Connection, attach: &mut Attach) -> Result<AttachResult, Problem> {
    let joined = match connection.call(attach, None) {
        Err(Problem::Failed(failure)) if failure.error_type == ErrorType::SessionBusy => {
            attach.mode = AttachMode::Watch;
            connection.call(attach, None)
        }
        Err(Problem::Failed(failure)) if failure.error_type == ErrorType::SessionNotFound => {
            // A daemon that does not know its image yet does not know its sessions.
            let image = connection.hello().image.state;
            return Err(match image {
                ImageState::Ready | ImageState::Busy => Problem::Failed(failure),
                _ => Problem::Lost,
            });
        }
        other => other,
    }?;
    if attach.since.is_some_and(|since| since > joined.position) {
        // It is another log, or its end is gone: all of it is news.
        attach.since = Some(0);
        return connection.call(attach, None);
    }
    Ok(joined)
}

/// Whether another try may do better.
fn passes(problem: &Problem) -> bool {
    match problem {
        Problem::NoDaemon(_) | Problem::NoAnswer(_) | Problem::Lost => true,
        Problem::Unreachable { source, .. } => {
            source.kind() != std::io::ErrorKind::PermissionDenied
        }
        Problem::Failed(failure) => matches!(
            failure.error_type,
            ErrorType::ShuttingDown | ErrorType::Overloaded | ErrorType::ImageUnavailable
        ),
        _ => false,
    }
}
