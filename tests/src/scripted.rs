//! An image that does what the story says: a REP and a PUB socket on a thread, and a handful of
//! commands whose outcome the code itself chooses.
//!
//! It is no Smalltalk. `evaluate` of `hold …` runs until [`Scripted::finish`] or an interrupt, whose
//! tier is `abandon` when the code says `stubborn` and `signal` otherwise; `fail …` is an
//! evaluation error; `slow …` is answered as running and ends by itself at the next question; any
//! other code is finished at once with itself as the result. What was asked is in
//! [`Scripted::asked`].

mod actor;
mod mischief;
mod record;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde_json::json;
use stui_protocol::Request;
use stui_protocol::message::Outcome;
use tempfile::TempDir;

use crate::patience;
pub use mischief::Wrong;
pub use record::{Executed, read_record};

use actor::Actor;
use mischief::Mischief;
use record::Record;

/// A running scripted image. It ends when dropped.
#[derive(Debug)]
pub struct Scripted {
    endpoint: String,
    events_endpoint: String,
    orders: SyncSender<(Order, SyncSender<()>)>,
    asked: Arc<Mutex<Vec<Request>>>,
    executed: Arc<Mutex<Executed>>,
    hearers: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
    // After the thread: it ends before its sockets' directory goes.
    _dir: TempDir,
}

/// What the story tells the image.
#[derive(Debug)]
enum Order {
    Finish(String, Outcome),
    Output(String, String),
    Silence(String),
    Garble(String, Vec<u8>),
    Speak,
    Deafen(bool),
    Forget,
    Misbehave(Option<Box<Mischief>>, Arc<AtomicU64>),
    Freeze,
    Thaw,
    Vanish,
    Return { keep_sessions: bool },
    Stop,
}

impl Scripted {
    /// An image that answers and publishes its events.
    #[must_use]
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory for the image");
        let place =
            |name: &str| format!("ipc://{}", PathBuf::from(dir.path()).join(name).display());
        let (endpoint, events_endpoint) = (place("image.ipc"), place("events.ipc"));
        let (orders, told) = sync_channel(1);
        let (asked, executed) = (Arc::default(), Arc::default());
        let actor = Actor::new(
            (&endpoint, &events_endpoint),
            "life-1",
            Arc::clone(&asked),
            Record::Memory(Arc::clone(&executed)),
        );
        let hearers = actor.hearers();
        let thread = std::thread::spawn(move || actor.run(&told));
        Self {
            endpoint,
            events_endpoint,
            orders,
            asked,
            executed,
            hearers,
            thread: Some(thread),
            _dir: dir,
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where it publishes.
    #[must_use]
    pub fn events_endpoint(&self) -> &str {
        &self.events_endpoint
    }

    /// All requests that arrived, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What was executed, in order. Code that a story ends (`hold`, `slow`, `fail`) is not in it.
    #[must_use]
    pub fn executed(&self) -> Executed {
        let executed = self.executed.lock();
        executed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests for that command arrived.
    #[must_use]
    pub fn count(&self, command: &str) -> usize {
        self.asked()
            .iter()
            .filter(|request| request.command == command)
            .count()
    }

    /// Waits until an evaluation of that code has arrived.
    pub fn wait_for_code(&self, code: &str) {
        patience::until(&format!("an evaluation of {code:?} in the image"), || {
            let asked = self.asked();
            asked
                .iter()
                .any(|request| request.parameters.get("code") == Some(&json!(code)))
                .then_some(())
        });
    }

    /// Ends the evaluation of that code.
    pub fn finish(&self, code: &str, result: &str) {
        self.tell(Order::Finish(
            code.to_owned(),
            Ok(json!({ "result": result })),
        ));
    }

    /// The running evaluation of that code writes something.
    pub fn output(&self, code: &str, text: &str) {
        self.tell(Order::Output(code.to_owned(), text.to_owned()));
    }

    /// Waits until somebody hears its events: those of before are lost.
    pub fn wait_until_heard(&self) {
        patience::until("somebody who hears the events", || {
            (self.hearers.load(Ordering::Relaxed) > 0).then_some(())
        });
    }

    /// Keeps its reply to the next request for that command to itself, and takes no further ones.
    pub fn falls_silent_at(&self, command: &str) {
        self.tell(Order::Silence(command.to_owned()));
    }

    /// Answers the next request for that command with these bytes.
    pub fn garbles(&self, command: &str, bytes: &[u8]) {
        self.tell(Order::Garble(command.to_owned(), bytes.to_owned()));
    }

    /// Gives the reply that it has kept and goes on.
    pub fn speaks_again(&self) {
        self.tell(Order::Speak);
    }

    /// Knows no evaluation any more, as after many others.
    pub fn forgets_evaluations(&self) {
        self.tell(Order::Forget);
    }

    /// Counts events and does not publish them, so that they are missed.
    pub fn lose_events(&self, lose: bool) {
        self.tell(Order::Deafen(lose));
    }

    /// From now on, one in `one_in` replies about evaluations goes wrong; the same ones for the same
    /// seed.
    pub fn misbehaves(&self, wrong: Wrong, one_in: u32, seed: u64) {
        let mischief = Mischief::new(wrong, one_in, seed);
        self.tell(Order::Misbehave(Some(Box::new(mischief)), Arc::default()));
    }

    /// Every reply is right again. Answers how many went wrong before.
    pub fn behaves(&self) -> u64 {
        let done = Arc::new(AtomicU64::new(0));
        self.tell(Order::Misbehave(None, Arc::clone(&done)));
        done.load(Ordering::Relaxed)
    }

    /// Accepts evaluations and does nothing of them, while its listener answers and tells the lag.
    pub fn freeze(&self) {
        self.tell(Order::Freeze);
    }

    /// Does what it has accepted, and goes on.
    pub fn thaw(&self) {
        self.tell(Order::Thaw);
    }

    /// Goes away as a killed process does.
    pub fn vanish(&self) {
        self.tell(Order::Vanish);
    }

    /// Comes back as another instance, with its sessions or without.
    pub fn come_back(&self, keep_sessions: bool) {
        self.tell(Order::Return { keep_sessions });
    }

    fn tell(&self, order: Order) {
        let (done, acknowledged) = sync_channel(1);
        self.orders
            .send((order, done))
            .expect("an image that takes orders");
        acknowledged.recv().expect("an image that follows orders");
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take()
            && !thread.is_finished()
        {
            self.tell(Order::Stop);
            let _ = thread.join();
        }
    }
}

/// A scripted image in a process of its own, until that is killed. What it executes stands in a
/// file before anybody is told: [`read_record`].
pub fn serve(endpoint: &str, events_endpoint: &str, record: &Path) {
    let life = format!("life-{}", uuid::Uuid::new_v4());
    let record = Record::at(record);
    let actor = Actor::new((endpoint, events_endpoint), &life, Arc::default(), record);
    // Nobody gives orders.
    let (_orders, told) = sync_channel(1);
    actor.run(&told);
}
