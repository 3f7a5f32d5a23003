//! Random conversations against a model of what may be answered (`tests/src/conversation.rs`), in
//! a short form; `cargo run -p stui-tests --bin conversations -- --minutes N` goes on.

use stui_tests::conversation::{self, Tally};

#[test]
fn whatever_clients_say_the_daemon_answers_as_it_must() {
    let seed = std::env::var("PROPTEST_RNG_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut daemon = conversation::daemon();
    let mut tally = Tally::default();

    let held = conversation::hold(&mut daemon, seed, 8, 60, &mut tally);

    if let Err(wrong) = held {
        panic!("{wrong}");
    }
    assert_eq!(tally.conversations, 8);
    // How many kinds of answers come depends on the seed; successes and failures always do.
    assert!(tally.replies.len() >= 3, "{tally:?}");
}
