//! Signals that have a meaning, as arrivals at the connection that is in use.

use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::incoming::Arrival;

/// The way from signals to a queue.
#[derive(Clone, Debug)]
pub(super) struct SignalRoute(Arc<Mutex<SyncSender<Arrival>>>);

impl SignalRoute {
    /// Starts the thread that turns signals into arrivals, for as long as the process lives.
    pub(super) fn start(queue: SyncSender<Arrival>) -> io::Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGQUIT, SIGTERM])?;
        let route = Self(Arc::new(Mutex::new(queue)));
        let way = route.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    let arrival = if signal == SIGINT {
                        Arrival::Interrupt
                    } else {
                        Arrival::Leave
                    };
                    // A connection that is gone does not want it, the next one gets the next.
                    let _ = way.queue().send(arrival);
                }
            })?;
        Ok(route)
    }

    /// From now on they arrive there.
    pub(super) fn lead_to(&self, queue: SyncSender<Arrival>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = queue;
    }

    fn queue(&self) -> SyncSender<Arrival> {
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.clone()
    }
}
