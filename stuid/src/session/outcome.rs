//! What an outcome tells besides itself: output that the log does not have, and how large it is.

use serde_json::Value;
use stui_protocol::message::Outcome;

use super::evaluation::Progress;

/// The output that the outcome has and the log has not: events may be off or late.
pub(super) fn rest_of_output<'a>(progress: &Progress, outcome: &'a Outcome) -> Rest<'a> {
    let output = match outcome {
        Ok(result) => result.get("output"),
        Err(failure) => failure.details.get("output"),
    };
    let output = output.and_then(Value::as_str).unwrap_or_default();
    match output.split_at_checked(progress.output_bytes) {
        Some((told, _)) if sum(EMPTY_SUM, told) != progress.output_sum => Rest::Unclear,
        Some((_, "")) => Rest::Nothing,
        Some((_, rest)) => Rest::Text(rest),
        None => Rest::Unclear,
    }
}

/// What is left of an evaluation's output at its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest<'a> {
    Text(&'a str),
    Nothing,
    /// The log has something else than the beginning of the outcome's output: events were lost,
    /// or the outcome is cut, and nobody knows which part is missing.
    Unclear,
}

/// FNV-1a of no bytes.
pub(crate) const EMPTY_SUM: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, over pieces of a text as over the whole. Nobody gains by making two texts alike.
pub(crate) fn sum(before: u64, text: &str) -> u64 {
    text.bytes().fold(before, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Bytes of an outcome, about: its large parts are text.
pub(super) fn size_of_outcome(outcome: &Outcome) -> usize {
    match outcome {
        Ok(result) => size_of_value(result),
        Err(failure) => {
            let details: usize = failure.details.values().map(size_of_value).sum();
            failure.error.len() + details
        }
    }
}

fn size_of_value(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size_of_value).sum(),
        Value::Object(keys) => keys.values().map(size_of_value).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inside
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(pieces: &[&str]) -> Progress {
        let mut progress = Progress::default();
        for text in pieces {
            progress.output_bytes += text.len();
            progress.output_sum = sum(progress.output_sum, text);
        }
        progress
    }

    #[test]
    fn only_output_that_was_not_told_is_told_at_the_end() {
        let outcome: Outcome = Ok(json!({"output": "héllo world"}));
        let all = Rest::Text("héllo world");
        assert_eq!(rest_of_output(&told(&[]), &outcome), all);
        let rest = rest_of_output(&told(&["hé", "llo"]), &outcome);
        assert_eq!(rest, Rest::Text(" world"));
        let rest = rest_of_output(&told(&["héllo world"]), &outcome);
        assert_eq!(rest, Rest::Nothing);
    }

    #[test]
    fn after_a_lost_event_nothing_is_told_twice() {
        let outcome: Outcome = Ok(json!({"output": "abc"}));
        assert_eq!(rest_of_output(&told(&["b"]), &outcome), Rest::Unclear);
        let rest = rest_of_output(&told(&["abcdefgh"]), &outcome);
        assert_eq!(rest, Rest::Unclear);
    }
}
