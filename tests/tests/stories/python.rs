//! A client in another language: Python with pyzmq, sharing nothing with this project.

use std::process::Command;

use stui_tests::{Image, python, skipped};

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/req_client.py");

#[test]
fn a_python_client_drives_the_image_through_every_command_of_the_three_tables() {
    let story = "a_python_client_drives_the_image_through_every_command_of_the_three_tables";
    let Some(python) = python::with_pyzmq() else {
        return skipped(story, "python3 with pyzmq (pip install pyzmq)");
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

    let output = command.output().expect("running python");

    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}\n{said}");
    assert!(said.contains("ok      evaluate\n"), "{said}");
}
