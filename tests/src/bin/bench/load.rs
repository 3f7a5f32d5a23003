//! Many clients that ask one question after another, each on a thread of its own.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use stui_tests::asking::new_id;

use crate::numbers::Times;
use crate::speaker::{Question, Speaker};

/// A client's thread needs little, and there are a thousand of them.
const STACK_BYTES: usize = 128 * 1024;

/// A client with what it asks.
pub(crate) struct Client {
    speaker: Speaker,
    command: &'static str,
    parameters: Value,
    name: String,
    asked: u64,
}

impl Client {
    pub(crate) fn new(speaker: Speaker, command: &'static str, parameters: Value) -> Self {
        Self {
            speaker,
            command,
            parameters,
            name: new_id("b"),
            asked: 0,
        }
    }

    /// Asks once, under an id that was never used; answers how long it took.
    pub(crate) fn time(&mut self) -> Duration {
        self.asked += 1;
        let id = format!("{}-{}", self.name, self.asked);
        let question = Question::new(&id, self.command, &self.parameters);
        let began = Instant::now();
        self.speaker.ask(&question);
        began.elapsed()
    }

    /// Asks without a pause.
    pub(crate) fn times(&mut self, long: Duration) -> Vec<Duration> {
        let began = Instant::now();
        let mut times = Vec::new();
        while began.elapsed() < long {
            times.push(self.time());
        }
        times
    }
}

/// What came of a turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) times: Times,
    /// Answers in a second, of all clients together.
    pub(crate) rate: f64,
}

/// Has all clients ask without a pause, at the same time.
pub(crate) fn turn(clients: &mut [Client], long: Duration) -> Turn {
    let start = Barrier::new(clients.len() + 1);
    let (times, took) = thread::scope(|scope| {
        let asking: Vec<_> = clients
            .iter_mut()
            .map(|client| {
                let start = &start;
                let ask = move || {
                    start.wait();
                    client.times(long)
                };
                let thread = thread::Builder::new().stack_size(STACK_BYTES);
                thread.spawn_scoped(scope, ask).expect("a thread")
            })
            .collect();
        start.wait();
        let began = Instant::now();
        let times: Vec<_> = asking
            .into_iter()
            .flat_map(|client| client.join().expect("a client that got its answers"))
            .collect();
        (times, began.elapsed())
    });
    Turn {
        rate: times.len() as f64 / took.as_secs_f64(),
        times: Times::new(times),
    }
}
