//! A client in another language: Python with pyzmq, sharing nothing with this project.

use std::process::Command;

use stui_tests::daemon::Surroundings;
use stui_tests::{Daemon, Image, python, skipped};

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/req_client.py");

/// What such a client needs.
const NEEDS: &str = "python3 with pyzmq (pip install pyzmq)";

#[test]
fn a_python_client_drives_the_image_through_every_command_of_the_three_tables() {
    let story = "a_python_client_drives_the_image_through_every_command_of_the_three_tables";
    let Some(python) = python::with_pyzmq() else {
        return skipped(story, NEEDS);
    };
    let image = Image::alone();
    let mut command = Command::new(python);
    command.arg(CLIENT).arg(image.endpoint());
    if let Some(events) = image.events_endpoint() {
        command.args(["--events", &events]);
    }
    if image.is_embedded() {
        command.arg("--save-image");
    }

    drives_everything(&mut command);
}

#[test]
fn the_same_python_client_drives_the_daemon_through_its_front_end() {
    let story = "the_same_python_client_drives_the_daemon_through_its_front_end";
    let Some(python) = python::with_pyzmq() else {
        return skipped(story, NEEDS);
    };
    let dir = tempfile::tempdir().expect("a directory for the front end");
    let endpoint = format!("ipc://{}", dir.path().join("front").display());
    let surroundings = Surroundings {
        environment: vec![("STUID_FRONTEND__ENDPOINT".to_owned(), endpoint.clone())],
        ..Surroundings::default()
    };
    let _daemon = Daemon::start_under(surroundings, &["--embedded"]);
    let mut command = Command::new(python);
    command.args([CLIENT, &endpoint, "--daemon", "--save-image"]);

    drives_everything(&mut command);
}

fn drives_everything(client: &mut Command) {
    let output = client.output().expect("running python");

    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}\n{said}");
    assert!(said.contains("ok      evaluate\n"), "{said}");
}
