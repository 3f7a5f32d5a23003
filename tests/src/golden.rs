//! Conversations of earlier clients, word for word: what they say, and what they rely on in the
//! answers. Nothing here knows the types of the protocol, which go on changing.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use crate::patience::PATIENCE;

/// Plays a conversation with the daemon at `socket`.
///
/// # Panics
/// When an answer does not have what the client relies on, or does not come.
pub fn play(file: &Path, socket: &Path) {
    let text = std::fs::read(file).expect("a conversation");
    let steps: Vec<Value> = serde_json::from_slice(&text).expect("steps in JSON");
    assert!(!steps.is_empty(), "{} is empty", file.display());
    let mut listening = Listening::connect(socket);
    let mut known = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        let place = format!("{}, step {}", file.display(), number + 1);
        match (step.get("say"), step.get("hear")) {
            (Some(said), None) => listening.say(&filled(said, &known)),
            (None, Some(wanted)) => {
                let heard = listening.hears(&filled(wanted, &known), &place);
                if let Err(wrong) = matches(wanted, &heard, &mut known) {
                    panic!("{place}: {wrong}: {heard:#}");
                }
            }
            _ => panic!("{place}: neither say nor hear"),
        }
    }
}

/// A connection, and the lines that nobody has wanted yet.
struct Listening {
    stream: BufReader<UnixStream>,
    unread: VecDeque<Value>,
}

impl Listening {
    fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("a daemon");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self {
            stream: BufReader::new(stream),
            unread: VecDeque::new(),
        }
    }

    fn say(&mut self, line: &Value) {
        writeln!(self.stream.get_mut(), "{line}").expect("somebody who listens");
    }

    /// The first line that is the reply or the event that is meant.
    fn hears(&mut self, wanted: &Value, place: &str) -> Value {
        let mut at = 0;
        loop {
            while at < self.unread.len() {
                if is_meant(wanted, &self.unread[at]) {
                    return self.unread.remove(at).expect("it is there");
                }
                at += 1;
            }
            let mut line = String::new();
            let read = self.stream.read_line(&mut line);
            let unread = &self.unread;
            assert!(
                read.as_ref().is_ok_and(|count| *count > 0),
                "{place}: {wanted} never came ({read:?}); unread are {unread:#?}"
            );
            let line = serde_json::from_str(&line).expect("JSON");
            self.unread.push_back(line);
        }
    }
}

/// A reply is found by its id, an event by its name and, where that is wanted, its evaluation.
fn is_meant(wanted: &Value, line: &Value) -> bool {
    let same = |key: &str| match wanted.get(key) {
        Some(Value::String(text)) if text.starts_with(['$', '<']) => true,
        Some(value) => line.get(key) == Some(value),
        None => true,
    };
    same("id") && same("event") && same("evaluation_id") && same("session_id")
}

/// The same with what is known in place of `$name`.
fn filled(value: &Value, known: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => known.get(text).unwrap_or(value).clone(),
        Value::Array(elements) => elements.iter().map(|each| filled(each, known)).collect(),
        Value::Object(keys) => {
            let keys = keys.iter();
            let keys = keys.map(|(key, value)| (key.clone(), filled(value, known)));
            Value::Object(keys.collect())
        }
        other => other.clone(),
    }
}

/// Whether a value has what is wanted of it.
fn matches(
    wanted: &Value,
    heard: &Value,
    known: &mut BTreeMap<String, Value>,
) -> Result<(), String> {
    let good = match (wanted, heard) {
        (Value::String(text), _) if text.starts_with('$') => {
            let before = known.entry(text.clone()).or_insert_with(|| heard.clone());
            before == heard && !heard.is_null()
        }
        (Value::String(text), _) if text == "<string>" => heard.is_string(),
        (Value::String(text), _) if text == "<number>" => heard.is_number(),
        (Value::String(text), _) if text == "<bool>" => heard.is_boolean(),
        (Value::Array(wanted), Value::Array(heard)) => {
            let Some(each) = wanted.first() else {
                return Ok(());
            };
            for element in heard {
                matches(each, element, known)?;
            }
            !heard.is_empty()
        }
        (Value::Object(wanted), Value::Object(heard)) => {
            for (key, value) in wanted {
                let there = heard.get(key).ok_or_else(|| format!("{key} is missing"))?;
                matches(value, there, known).map_err(|wrong| format!("{key}: {wrong}"))?;
            }
            true
        }
        _ => wanted == heard,
    };
    match good {
        true => Ok(()),
        false => Err(format!("{heard} is not {wanted}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_client_relies_on_must_be_there() {
        let mut known = BTreeMap::new();
        let mut is = |wanted: Value, heard: Value| matches(&wanted, &heard, &mut known).is_ok();
        assert!(is(
            json!({"a": "$x", "b": "<number>"}),
            json!({"a": 1, "b": 2, "c": 3})
        ));
        assert!(!is(json!("$x"), json!(2)), "it was 1");
        assert!(!is(json!({"a": 1}), json!({})));
        assert!(is(
            json!([{"a": "<string>"}]),
            json!([{"a": "x"}, {"a": "y"}])
        ));
        assert!(!is(
            json!([{"a": "<string>"}]),
            json!([{"a": "x"}, {"a": 1}])
        ));
        assert!(!is(json!(["<bool>"]), json!([])));
        assert_eq!(filled(&json!(["$x"]), &known), json!([1]));
    }
}
