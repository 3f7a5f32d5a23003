//! A stretch of road between two ends of a Unix socket, with weather: it carries bytes, holds them
//! back, refuses connections, or breaks them in the middle of a write.
//!
//! ZeroMQ's `ipc://` and the client link are both Unix sockets, so the same road leads to an image
//! and to a daemon.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between two looks for somebody who comes.
const TICK: Duration = Duration::from_millis(2);

/// Writes that are larger carry a message; the handshake of ZeroMQ is in smaller ones.
const MESSAGE_BYTES: usize = 100;

/// What happens on the road.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// Everything arrives.
    #[default]
    Clear,
    /// Nothing arrives and nobody is told, as when packets are dropped. What was held back goes on
    /// when it clears up.
    Silent,
    /// Connections break, and new ones are refused.
    Refused,
    /// Every second connection is closed as soon as it is made.
    EverySecondConnect,
    /// Every second message is cut in its middle, and its connection with it.
    EverySecondWrite,
}

/// A proxy. It ends when dropped, with its connections.
#[derive(Debug)]
pub struct Proxy {
    front: PathBuf,
    road: Arc<Road>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Road {
    front: PathBuf,
    back: PathBuf,
    state: Mutex<State>,
    clears_up: Condvar,
}

#[derive(Debug, Default)]
struct State {
    weather: Weather,
    over: bool,
    /// Those that are open, by the number of their connection.
    streams: BTreeMap<u64, UnixStream>,
    connections: u64,
    messages: u64,
    broken: u64,
}

impl Proxy {
    /// Leads from `front`, which it makes, to `back`.
    #[must_use]
    pub fn between(front: &Path, back: &Path) -> Self {
        let road = Arc::new(Road {
            front: front.to_owned(),
            back: back.to_owned(),
            state: Mutex::default(),
            clears_up: Condvar::new(),
        });
        let listener = road.listen();
        let gate = Arc::clone(&road);
        let thread = thread::spawn(move || gate.keep(Some(listener)));
        Self {
            front: front.to_owned(),
            road,
            thread: Some(thread),
        }
    }

    /// The path that leads through it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.front
    }

    /// The weather changes. When this returns, it has.
    pub fn set(&self, weather: Weather) {
        let mut state = self.road.state();
        state.weather = weather;
        if weather == Weather::Refused {
            state.break_all();
        }
        self.road.clears_up.notify_all();
    }

    /// Breaks every connection; new ones are as welcome as before.
    pub fn cut(&self) {
        self.road.state().break_all();
    }

    /// How many connections were broken or refused.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.road.state().broken
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        {
            let mut state = self.road.state();
            state.over = true;
            state.break_all();
        }
        self.road.clears_up.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    fn break_all(&mut self) {
        for stream in std::mem::take(&mut self.streams).into_values() {
            let _ = stream.shutdown(Shutdown::Both);
            self.broken += 1;
        }
    }
}

impl Road {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self) -> UnixListener {
        let _ = std::fs::remove_file(&self.front);
        let listener = UnixListener::bind(&self.front).expect("binding a proxy");
        listener.set_nonblocking(true).expect("a listener to poll");
        listener
    }

    /// Opens and closes the gate, and lets in who comes.
    fn keep(self: Arc<Self>, mut listener: Option<UnixListener>) {
        loop {
            let (over, refused) = {
                let state = self.state();
                (state.over, state.weather == Weather::Refused)
            };
            if over {
                return;
            }
            if refused {
                // The file stays: connecting to it is refused.
                listener = None;
            }
            match listener.as_ref().map(UnixListener::accept) {
                Some(Ok((stream, _))) => Arc::clone(&self).let_in(stream),
                Some(Err(_)) => thread::park_timeout(TICK),
                None if refused => thread::park_timeout(TICK),
                None => listener = Some(self.listen()),
            }
        }
    }

    fn let_in(self: Arc<Self>, front: UnixStream) {
        let mut state = self.state();
        state.connections += 1;
        let second = state.connections.is_multiple_of(2);
        let fails = second && state.weather == Weather::EverySecondConnect;
        let back = UnixStream::connect(&self.back).ok().filter(|_| !fails);
        let Some(back) = back else {
            state.broken += 1;
            return;
        };
        front.set_nonblocking(false).expect("a stream that blocks");
        let again = |stream: &UnixStream| stream.try_clone().expect("a stream twice");
        let number = state.connections;
        state.streams.insert(number, again(&front));
        drop(state);
        let (there, here) = (again(&front), again(&back));
        let other = Arc::clone(&self);
        thread::spawn(move || {
            self.carry(&there, &back);
            self.state().streams.remove(&number);
        });
        thread::spawn(move || other.carry(&here, &front));
    }

    /// Carries bytes one way until either end is closed.
    fn carry(&self, from: &UnixStream, to: &UnixStream) {
        let mut buffer = [0; 64 * 1024];
        loop {
            let count = match (&mut &*from).read(&mut buffer) {
                Ok(count) if count > 0 => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                _ => break,
            };
            let Some(length) = self.allowed(count) else {
                break;
            };
            if (&mut &*to).write_all(&buffer[..length]).is_err() || length < count {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// How much of a write goes on, once it may; none at the end of the road.
    fn allowed(&self, count: usize) -> Option<usize> {
        let mut state = self.state();
        while state.weather == Weather::Silent && !state.over {
            let woken = self.clears_up.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if state.over {
            return None;
        }
        if state.weather == Weather::EverySecondWrite && count > MESSAGE_BYTES {
            state.messages += 1;
            if state.messages.is_multiple_of(2) {
                state.broken += 1;
                return Some(count / 2);
            }
        }
        Some(count)
    }
}
