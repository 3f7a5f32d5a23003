//! Lines for systemd's journal: the message with all that it is about, as people read it, and the
//! same in fields, as they are searched for.

use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Where the journal takes lines with fields.
const SOCKET: &str = "/run/systemd/journal/socket";

/// Longer values are cut: a line is one datagram.
const MOST_VALUE_BYTES: usize = 8 * 1024;

/// What writes to the journal. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Journal(Arc<UnixDatagram>);

impl Journal {
    /// # Errors
    /// When there is no journal.
    pub(super) fn open() -> io::Result<Self> {
        std::fs::metadata(SOCKET)?;
        Ok(Self(Arc::new(UnixDatagram::unbound()?)))
    }
}

/// Takes lines as the JSON formatter writes them, a whole one at a time.
impl Write for Journal {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let said: Line = serde_json::from_slice(line)?;
        // A journal that is being restarted is not there for a moment.
        if self.0.send_to(&said.datagram(), SOCKET).is_err() {
            writeln!(io::stderr(), "{}", said.message())?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
struct Line {
    level: String,
    target: String,
    fields: Map<String, Value>,
    #[serde(default)]
    span: Map<String, Value>,
}

impl Line {
    /// What it is about: the event's own fields, then those of the innermost span.
    fn about(&self) -> impl Iterator<Item = (&str, String)> {
        let of_event = self.fields.iter().filter(|(name, _)| *name != MESSAGE);
        let of_span = self.span.iter();
        let of_span =
            of_span.filter(|(name, _)| *name != "name" && !self.fields.contains_key(*name));
        let as_text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        of_event
            .chain(of_span)
            .map(move |(name, value)| (name.as_str(), as_text(value)))
    }

    fn message(&self) -> String {
        let mut message = match self.fields.get(MESSAGE) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
        for (name, value) in self.about() {
            let quoted = match value.contains(char::is_whitespace) {
                true => format!("{value:?}"),
                false => value,
            };
            message.push_str(&format!(" {name}={quoted}"));
        }
        message
    }

    fn datagram(&self) -> Vec<u8> {
        let mut datagram = Vec::new();
        let mut add = |name: &str, value: &str| {
            let mut end = value.len().min(MOST_VALUE_BYTES);
            while !value.is_char_boundary(end) {
                end -= 1;
            }
            let value = &value.as_bytes()[..end];
            datagram.extend_from_slice(name.as_bytes());
            datagram.push(b'\n');
            datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
            datagram.extend_from_slice(value);
            datagram.push(b'\n');
        };
        add("MESSAGE", &self.message());
        add("PRIORITY", priority(&self.level));
        add("SYSLOG_IDENTIFIER", "stuid");
        add("STUI_TARGET", &self.target);
        for (name, value) in self.about() {
            add(&field(name), &value);
        }
        datagram
    }
}

/// What the formatter calls the text of a line.
const MESSAGE: &str = "message";

/// As syslog has it.
fn priority(level: &str) -> &'static str {
    match level {
        "ERROR" => "3",
        "WARN" => "4",
        "INFO" => "6",
        _ => "7",
    }
}

/// The journal takes capitals, digits and underscores.
fn field(name: &str) -> String {
    let allowed = |char: char| match char.is_ascii_alphanumeric() {
        true => char.to_ascii_uppercase(),
        false => '_',
    };
    format!("STUI_{}", name.chars().map(allowed).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        let line = r#"{"level":"WARN","target":"stuid::x","fields":{"message":"it went wrong","uid":7,
            "why":"no room","command":"Pause"},"span":{"command":"admin","client":3,"name":"request"}}"#;
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn people_read_the_message_and_what_it_is_about() {
        let told = line().message();
        assert_eq!(
            told,
            "it went wrong uid=7 why=\"no room\" command=Pause client=3"
        );
    }

    #[test]
    fn each_field_is_its_name_its_length_and_its_value() {
        let datagram = line().datagram();
        let has = |part: &[u8]| datagram.windows(part.len()).any(|found| found == part);
        assert!(has(b"PRIORITY\n\x01\0\0\0\0\0\0\x004\n"));
        assert!(has(b"STUI_WHY\n\x07\0\0\0\0\0\0\0no room\n"));
        assert!(has(b"STUI_COMMAND\n\x05\0\0\0\0\0\0\0Pause\n"));
        assert!(!has(b"admin"), "the event's own field stands");
    }
}
