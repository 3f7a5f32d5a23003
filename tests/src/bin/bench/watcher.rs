//! Somebody who hears the daemon's announcements and knows when each came.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use stui_tests::asking::request;
use stui_tests::patience::PATIENCE;

/// A subscribed connection.
pub(crate) struct Watcher(BufReader<UnixStream>);

impl Watcher {
    pub(crate) fn subscribe(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("a daemon");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut watcher = Self(BufReader::new(stream));
        let question = request("watch", "subscribe", &json!({}));
        let stream = watcher.0.get_mut();
        writeln!(stream, "{question}").expect("subscribing");
        watcher.wait_for("\"subscribed\":true");
        watcher
    }

    /// Waits for a line with that text in it; answers when it came.
    pub(crate) fn wait_for(&mut self, text: &str) -> Instant {
        let mut line = String::new();
        loop {
            line.clear();
            let count = self.0.read_line(&mut line).expect("a line");
            assert!(count > 0, "the daemon is gone");
            if line.contains(text) {
                return Instant::now();
            }
        }
    }
}
