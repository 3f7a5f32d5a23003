//! The rows of the store's tables: read or refused, and what is read is written the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stuid::fuzzing::rewrite_row;

fuzz_target!(|bytes: &[u8]| {
    if let Some(written) = rewrite_row(bytes) {
        assert_eq!(rewrite_row(&written), Some(written));
    }
});
