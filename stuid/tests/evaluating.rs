//! Evaluations: from a client through the daemon into the image and back.

use serde_json::json;
use stui_protocol::image::{Evaluate, Job, Ping};
use stui_tests::{Asking, Scripted};

use crate::support::Daemon;

#[test]
fn a_client_is_greeted_and_its_commands_reach_the_image() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    assert_eq!(client.hello().daemon_version, env!("CARGO_PKG_VERSION"));
    let pong = client.ask::<Ping>(json!({"message": "hello"}));
    assert_eq!(pong.message.as_deref(), Some("hello"));
}

#[test]
fn an_evaluation_without_a_session_answers_its_result() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    match client.ask::<Evaluate>(json!({"code": "3 + 4"})) {
        Job::Finished(done) => assert_eq!(done.result, "3 + 4"),
        Job::Running { .. } => panic!("it should have waited"),
    }
}
