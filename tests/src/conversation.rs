//! Random conversations of several clients with a real daemon, valid and invalid, against a model
//! of what may be answered.
//!
//! Each request gets exactly one reply, of the kind that the model says; the log comes in order,
//! once, with gaps only where it had to drop lines; whoever waits is told; and at the end the daemon
//! has neither clients nor sessions nor files more than before. What is not here: a daemon or an
//! image that dies, time limits, other users.

mod deeds;
mod ear;
mod model;
mod player;
mod requests;
mod step;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

pub use step::{Step, steps};

use crate::daemon::Daemon;
use crate::patience;
use player::Player;

/// What was done in conversations.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Conversations.
    pub conversations: u64,
    /// Steps of the clients.
    pub steps: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Replies, by outcome.
    pub replies: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.conversations += 1;
        self.steps += other.steps;
        self.requests += other.requests;
        for (word, count) in &other.replies {
            *self.replies.entry(word.clone()).or_default() += count;
        }
    }
}

/// A daemon for conversations: it waits for clients as long as a conversation may take.
#[must_use]
pub fn daemon() -> Daemon {
    Daemon::configured("[clients]\nstall_timeout_ms = 3600000\n")
}

/// Holds conversations of at most so many steps, drawn from a seed. A conversation that goes wrong
/// is shortened as far as it still does.
///
/// # Errors
/// The shortest conversation that goes wrong, with what was wrong in it.
pub fn hold(
    daemon: &mut Daemon,
    seed: u64,
    conversations: u32,
    most_steps: usize,
    tally: &mut Tally,
) -> Result<(), String> {
    let config = Config {
        cases: conversations,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let files = daemon.process().open_files().len();
    let cell = RefCell::new((daemon, tally, true));
    let outcome = TestRunner::new(config).run(&steps(most_steps), |steps| {
        let (daemon, tally, is_clean) = &mut *cell.borrow_mut();
        if !std::mem::replace(is_clean, false) {
            // After a conversation that went wrong nobody knows what is left of it.
            daemon.kill();
            daemon.start_again();
        }
        tally.add(&play(daemon, &steps, files));
        *is_clean = true;
        Ok(())
    });
    outcome.map_err(|error| match error {
        TestError::Fail(why, steps) => format!("seed {seed}: {why}\n{steps:#?}"),
        TestError::Abort(why) => format!("seed {seed}: {why}"),
    })
}

/// Files that the daemon may open meanwhile for itself: links to the image come and go. More than
/// one file for each client is more than this after two conversations.
const FILES_BESIDES: usize = 6;

/// Holds one conversation; the daemon has about so many files open before and after it.
fn play(daemon: &mut Daemon, steps: &[Step], files: usize) -> Tally {
    if daemon.process().ended().is_some() {
        panic!("the daemon has ended:\n{}", daemon.process().log());
    }
    let mut player = Player::new(daemon);
    for step in steps {
        player.play(step);
    }
    player.finish();
    let tally = player.tally.clone();
    drop(player);
    patience::until("the files of the conversation to be closed", || {
        (daemon.process().open_files().len() <= files + FILES_BESIDES).then_some(())
    });
    tally
}
