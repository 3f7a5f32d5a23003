//! How large an outcome is.

use serde_json::Value;
use stui_protocol::message::Outcome;

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
