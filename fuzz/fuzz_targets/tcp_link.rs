//! The image link over plain TCP: whatever lines come, one answers the request that is under way
//! only when it has its id, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_protocol::codec::client::{Line, Lines};
use stuid::fuzzing::tcp_replies;

fuzz_target!(|bytes: &[u8]| {
    let found = lines(bytes);
    let answers = tcp_replies("mine", 7, lines(bytes));
    assert_eq!(answers.len(), found.len());
    for (line, answer) in found.iter().zip(answers) {
        let Some((number, body)) = answer else {
            continue;
        };
        assert_eq!((number, line), (7, &Line::Whole(body.clone())));
        // The id is found without reading the rest, such as numbers without measure: whoever reads
        // all of it refuses that.
        let Ok(read) = serde_json::from_slice::<serde_json::Value>(&body) else {
            continue;
        };
        let id = read.get("id").unwrap_or(&serde_json::Value::Null);
        assert!(id.is_null() || id == "mine" || read.is_array(), "{read}");
    }
});

fn lines(bytes: &[u8]) -> Vec<Line> {
    let (mut lines, mut input) = (Lines::default(), bytes);
    std::iter::from_fn(|| lines.next(&mut input)).collect()
}
