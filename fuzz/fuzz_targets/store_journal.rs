//! The journal of the store: what is read of any bytes can be written and is read again the same,
//! and whatever changes stand in it, the daemon can go on with them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stuid::fuzzing::{recover, rewrite_journal};

fuzz_target!(|bytes: &[u8]| {
    stable(bytes);
    // Sums keep random bytes out, so these have right ones.
    let (sessions, frames) = recover(bytes);
    let read = stable(&frames);
    assert_eq!(read.cut, 0);
    assert!(sessions <= read.changes);
});

fn stable(frames: &[u8]) -> stuid::fuzzing::Journal {
    let read = rewrite_journal(frames);
    assert!(read.cut <= frames.len());
    let again = rewrite_journal(&read.bytes);
    assert_eq!((again.changes, again.cut), (read.changes, 0));
    assert_eq!(again.bytes, read.bytes);
    read
}
