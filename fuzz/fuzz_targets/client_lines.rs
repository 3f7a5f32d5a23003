//! The line cutter of the client link: the same lines however the bytes arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_protocol::codec::client::{Line, Lines};

fn cut(bytes: &[u8], chunk: usize) -> Vec<Line> {
    let mut lines = Lines::default();
    let mut found = Vec::new();
    for part in bytes.chunks(chunk) {
        let mut input = part;
        while let Some(line) = lines.next(&mut input) {
            found.push(line);
        }
    }
    assert!(lines.pending() <= bytes.len());
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Some((chunk, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = cut(bytes, bytes.len().max(1));
    assert_eq!(cut(bytes, usize::from(*chunk).max(1)), whole);
    for line in whole {
        let _ = line.request();
        let _ = line.message();
    }
});
