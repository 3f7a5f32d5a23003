//! Clients of an earlier protocol: the previous minor version is served, another major one is told
//! what to do.

use std::path::{Path, PathBuf};

use serde_json::json;
use stui_protocol::{ErrorType, Version};
use stui_tests::{Asking, Daemon, golden};

/// Where the conversations of the previous minor version are.
fn folder() -> PathBuf {
    let current = Version::CURRENT;
    let previous = Version {
        minor: current.minor - 1,
        ..current
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/clients-{previous}"))
}

fn conversation_goes_on(name: &str) {
    let daemon = Daemon::start();
    golden::play(&folder().join(name), &daemon.socket());
}

#[test]
fn an_editor_of_the_previous_minor_version_is_served() {
    conversation_goes_on("editor.json");
}

#[test]
fn a_terminal_of_the_previous_minor_version_is_served() {
    conversation_goes_on("terminal.json");
}

#[test]
fn a_client_of_another_major_version_is_told_what_to_do() {
    let daemon = Daemon::start();
    let client = daemon.client();
    for (version, advice) in [
        ("2.0", "upgrade stuid, or use a client of version 1"),
        ("0.9", "upgrade the client"),
    ] {
        let request = json!({"id": "v", "command": "status", "version": version});
        let failure = client.exchange(&request).outcome.expect_err(version);
        assert_eq!(failure.error_type, ErrorType::UnsupportedVersion);
        assert!(failure.error.contains(advice), "{failure:?}");
        assert_eq!(failure.details["spoken"], json!(["1.0", "1.1"]));
    }
    // The connection is as good as before.
    assert_eq!(client.session().value("3 + 4"), "7");
}
