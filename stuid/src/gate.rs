//! The gate before the image: while an operator keeps it closed, work that wants in waits, and
//! work that is inside goes on.
//!
//! Whatever asks the image for something on a client's behalf holds a [`Pass`] from before it is
//! sent until it has ended, so that an empty gate means an idle image. Control (`ping`,
//! `interrupt`, the end of sessions) and the daemon's own questions need none.

use std::sync::Arc;

use stui_protocol::daemon::Paused;
use stui_protocol::{ErrorType, Failure};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Requests that may wait before a closed gate, over all clients. Evaluations of sessions do not:
/// they stay in their queues.
const MOST_WAITING: u64 = 1024;

/// A handle on the gate. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    /// Until somebody resumes.
    pause: Option<Paused>,
    /// While a [`Hold`] lives.
    hold: Option<Paused>,
    inside: usize,
    waiting: u64,
}

/// Something is inside while this lives.
#[derive(Debug)]
#[must_use]
pub struct Pass(Gate);

/// The gate is closed while this lives, whatever else is.
#[derive(Debug)]
#[must_use]
pub struct Hold(Gate);

impl State {
    fn closed(&self) -> Option<&Paused> {
        self.hold.as_ref().or(self.pause.as_ref())
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Gate {
    /// By whom it is closed and since when; none while it is open.
    #[must_use]
    pub fn closed(&self) -> Option<Paused> {
        let state = self.0.borrow();
        let mut paused = state.closed()?.clone();
        paused.waiting = state.waiting;
        Some(paused)
    }

    /// Closes it until [`Self::resume`]. Answers who had done so before, which then stays.
    pub fn pause(&self, paused: Paused) -> Option<Paused> {
        let mut before = None;
        self.0.send_modify(|state| {
            before.clone_from(&state.pause);
            state.pause.get_or_insert(paused);
        });
        before
    }

    /// Takes a pause back, and answers it.
    pub fn resume(&self) -> Option<Paused> {
        let mut taken = None;
        self.0.send_modify(|state| taken = state.pause.take());
        taken
    }

    /// Closes it while the hold lives.
    ///
    /// # Errors
    /// Who holds it already.
    pub fn hold(&self, paused: Paused) -> Result<Hold, Paused> {
        let mut before = None;
        self.0.send_modify(|state| {
            before.clone_from(&state.hold);
            state.hold.get_or_insert(paused);
        });
        before.map_or_else(|| Ok(Hold(self.clone())), Err)
    }

    /// Goes in when it is open.
    pub fn try_enter(&self) -> Option<Pass> {
        let mut entered = false;
        self.0.send_if_modified(|state| {
            entered = state.closed().is_none();
            state.inside += usize::from(entered);
            false
        });
        entered.then(|| Pass(self.clone()))
    }

    /// Goes in although it may be closed, for what the image does already.
    pub fn enter_running(&self) -> Pass {
        self.0.send_if_modified(|state| {
            state.inside += 1;
            false
        });
        Pass(self.clone())
    }

    /// Waits until it is open, and goes in. `tell` is called when it must wait. The time during
    /// which the gate is held does not count: holds end by themselves.
    ///
    /// Answers the pass and what is left: the deadline, later by the time that did not count.
    ///
    /// # Errors
    /// `Timeout` when it was paused until the deadline, `QueueFull` when too many wait.
    pub async fn enter(
        &self,
        mut deadline: Instant,
        tell: impl FnOnce(&Paused),
    ) -> Result<(Pass, Instant), Failure> {
        if let Some(pass) = self.try_enter() {
            return Ok((pass, deadline));
        }
        let _place = Place::take(self)?;
        if let Some(paused) = self.closed() {
            tell(&paused);
        }
        let mut state = self.0.subscribe();
        loop {
            if let Some(pass) = self.try_enter() {
                return Ok((pass, deadline));
            }
            let began = Instant::now();
            let (open, held) = {
                let state = state.borrow_and_update();
                (state.closed().is_none(), state.hold.is_some())
            };
            if open {
                continue;
            }
            if held {
                // The sender is in `self`.
                let _ = state.changed().await;
                deadline += began.elapsed();
            } else if timeout_at(deadline, state.changed()).await.is_err() {
                return Err(self.too_long());
            }
        }
    }

    /// As [`Self::enter`], for as long as it takes.
    ///
    /// # Errors
    /// `QueueFull` when too many wait.
    pub async fn enter_sometime(&self, tell: impl FnOnce(&Paused)) -> Result<Pass, Failure> {
        if let Some(pass) = self.try_enter() {
            return Ok(pass);
        }
        let _place = Place::take(self)?;
        if let Some(paused) = self.closed() {
            tell(&paused);
        }
        loop {
            self.open().await;
            if let Some(pass) = self.try_enter() {
                return Ok(pass);
            }
        }
    }

    /// Waits until it is open.
    pub async fn open(&self) {
        let mut state = self.0.subscribe();
        let _ = state.wait_for(|state| state.closed().is_none()).await;
    }

    /// Waits until nothing is inside. It should be closed: else more may come.
    pub async fn empty(&self) {
        let mut state = self.0.subscribe();
        let _ = state.wait_for(|state| state.inside == 0).await;
    }

    fn too_long(&self) -> Failure {
        let why = self.closed().as_ref().map_or_else(String::new, describe);
        Failure::new(
            ErrorType::Timeout,
            format!("nothing was sent, it is safe to try again later: {why}"),
        )
        .with("sent", false)
    }
}

/// Who keeps work waiting, for people.
#[must_use]
pub fn describe(paused: &Paused) -> String {
    let Paused {
        operation,
        since,
        uid,
        pid,
        ..
    } = paused;
    match operation.as_str() {
        "save_image" => format!("the image saves itself, since {since}"),
        _ => format!(
            "new work waits since {since}: user {uid} (process {pid}) asked for {operation}; \
             `stui admin resume` lets it go on"
        ),
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.0.send_if_modified(|state| {
            state.inside -= 1;
            // Nobody waits for that while it is open.
            state.inside == 0 && state.closed().is_some()
        });
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.hold = None);
    }
}

/// A place among those who wait.
struct Place<'a>(&'a Gate);

impl<'a> Place<'a> {
    fn take(gate: &'a Gate) -> Result<Self, Failure> {
        let mut taken = false;
        gate.0.send_if_modified(|state| {
            taken = state.waiting < MOST_WAITING;
            state.waiting += u64::from(taken);
            false
        });
        if taken {
            return Ok(Self(gate));
        }
        let failure = Failure::new(
            ErrorType::QueueFull,
            format!(
                "{MOST_WAITING} requests wait already while new work is held back: try again later"
            ),
        );
        Err(failure.with("limit", MOST_WAITING))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.send_if_modified(|state| {
            state.waiting -= 1;
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;
    use stui_protocol::time;

    use super::*;

    fn by(operation: &str) -> Paused {
        Paused {
            operation: operation.to_owned(),
            since: time::now(),
            uid: 7,
            pid: 8,
            client: 9,
            waiting: 0,
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[tokio::test]
    async fn a_closed_gate_lets_nobody_in_and_keeps_nobody_from_leaving() {
        let gate = Gate::default();
        let inside = gate.try_enter().unwrap();
        assert!(gate.pause(by("pause")).is_none());
        assert!(gate.try_enter().is_none());
        assert!(gate.empty().now_or_never().is_none());
        drop(inside);
        gate.empty().await;
        assert_eq!(gate.resume().unwrap().uid, 7);
        assert!(gate.try_enter().is_some());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_who_keeps_it_waiting() {
        let gate = Gate::default();
        gate.pause(by("pause"));
        let mut told = None;
        let tell = |paused: &Paused| told = Some(paused.clone());
        let failure = gate.enter(soon(), tell).await.unwrap_err();
        assert_eq!(failure.error_type, ErrorType::Timeout);
        assert!(failure.error.contains("process 8"), "{failure}");
        assert_eq!(told.unwrap().pid, 8);
        assert_eq!(gate.closed().unwrap().waiting, 0, "it has left");
    }

    #[tokio::test]
    async fn the_time_of_a_hold_does_not_count() {
        let gate = Gate::default();
        let hold = gate.hold(by("save_image")).unwrap();
        assert!(gate.hold(by("save_image")).is_err(), "one at a time");
        let waiting = tokio::spawn({
            let gate = gate.clone();
            let past = Instant::now();
            async move { gate.enter(past, |_| {}).await.map(drop) }
        });
        while gate.closed().unwrap().waiting == 0 {
            tokio::task::yield_now().await;
        }
        drop(hold);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_pause_outlives_a_hold() {
        let gate = Gate::default();
        gate.pause(by("pause"));
        drop(gate.hold(by("save_image")).unwrap());
        assert_eq!(gate.closed().unwrap().operation, "pause");
    }

    #[tokio::test]
    async fn only_so_many_may_wait() {
        let gate = Gate::default();
        gate.pause(by("pause"));
        let places: Vec<_> = (0..MOST_WAITING)
            .map(|_| Place::take(&gate).ok().unwrap())
            .collect();
        let failure = gate.enter(soon(), |_| {}).await.unwrap_err();
        assert_eq!(failure.error_type, ErrorType::QueueFull);
        assert_eq!(failure.details["limit"], MOST_WAITING);
        drop(places);
    }
}
