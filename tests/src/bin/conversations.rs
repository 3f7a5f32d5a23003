//! Random conversations with a real daemon, for as long as one likes.
//!
//! `cargo run -p stui-tests --bin conversations -- --minutes 10 [--seed 1]` prints what was done, or
//! the seed and the shortest conversation that went wrong.

#![allow(clippy::unwrap_used, clippy::expect_used)] // as the cast: whatever goes wrong ends it
#![allow(clippy::print_stdout)] // the counts are the result

use std::process::ExitCode;
use std::time::{Duration, Instant};

use stui_tests::conversation::{self, Tally};

/// Steps of a conversation.
const MOST_STEPS: usize = 120;

/// Conversations that are drawn from one seed.
const FROM_ONE_SEED: u32 = 10;

fn main() -> ExitCode {
    let minutes = number("--minutes").unwrap_or(1);
    let mut seed = number("--seed").unwrap_or_else(|| u64::from(std::process::id()));
    let ends = Instant::now() + Duration::from_secs(minutes * 60);
    let mut daemon = conversation::daemon();
    let mut tally = Tally::default();
    println!("from seed {seed}");
    while Instant::now() < ends {
        let held = conversation::hold(&mut daemon, seed, FROM_ONE_SEED, MOST_STEPS, &mut tally);
        if let Err(wrong) = held {
            println!("{wrong}");
            return ExitCode::FAILURE;
        }
        seed += 1;
    }
    println!(
        "{} conversations, {} steps, {} requests",
        tally.conversations, tally.steps, tally.requests
    );
    for (outcome, count) in &tally.replies {
        println!("{count:>9} {outcome}");
    }
    ExitCode::SUCCESS
}

/// The number after an option.
fn number(option: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != option);
    let value = arguments.nth(1)?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{option} needs a number")),
    )
}
