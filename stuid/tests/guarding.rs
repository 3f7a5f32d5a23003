//! CURVE on the links to an image: a real embedded image with keys, and daemons with the right ones,
//! wrong ones and none.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use stui_keys::file::{self, Written};
use stui_protocol::ErrorType;
use stui_protocol::daemon::{ImageState, ListSessions, Status};
use stui_protocol::image::{Evaluate, Job};
use stui_tests::process::Process;
use stui_tests::{Asking, patience};
use tempfile::TempDir;

use crate::support::Daemon;

/// A place for an image with the keys of everybody.
struct Place {
    dir: TempDir,
    image: Written,
    daemon: Written,
    other: Written,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| file::create(dir.path(), name).unwrap();
        Self {
            image: make("image"),
            daemon: make("daemon"),
            other: make("other"),
            dir,
        }
    }

    fn endpoint(&self, name: &str) -> String {
        format!("ipc://{}", self.dir.path().join(name).display())
    }

    /// An image that lets these clients in; without any it has no keys.
    fn image_for(&self, clients: &[&Written]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stuid"));
        command.arg("embedded-image");
        command.args(["--bind", &self.endpoint("image")]);
        command.args(["--events", &self.endpoint("events")]);
        if !clients.is_empty() {
            command.arg("--curve-key").arg(&self.image.secret_file);
        }
        for client in clients {
            command.arg("--curve-client").arg(&client.public_file);
        }
        Process::start("image", &mut command, self.dir.path())
    }

    /// A daemon that has keys when it is given some: the image's, its own.
    fn daemon_with(&self, keys: Option<(&Written, &Written)>) -> Daemon {
        let line = |key: &str, path: &Path| format!("{key} = \"{}\"\n", path.display());
        let mut text = "[image]\n".to_owned();
        if let Some((server, own)) = keys {
            text += &line("curve_server_key", &server.public_file);
            text += &line("curve_key", &own.secret_file);
        }
        let config = self.dir.path().join("stuid.toml");
        std::fs::write(&config, text).unwrap();
        Daemon::with(&[
            "--config",
            config.to_str().unwrap(),
            "--image",
            &self.endpoint("image"),
            "--image-events",
            &self.endpoint("events"),
        ])
    }
}

/// Waits until the daemon gives that reason for being without an image.
fn wait_for_reason(daemon: &Daemon, wanted: &str) {
    let client = daemon.client();
    patience::until(&format!("the reason {wanted:?}"), || {
        let image = client.ask::<Status>(json!({})).image;
        let told = image.reason.is_some_and(|reason| reason.contains(wanted));
        (told && image.state == ImageState::Down).then_some(())
    });
    let failure = client.refused::<Evaluate>(json!({"code": "1"}));
    assert_eq!(failure.error_type, ErrorType::ImageUnavailable);
}

#[test]
fn with_the_right_keys_requests_and_events_go_through() {
    let place = Place::new();
    let _image = place.image_for(&[&place.other, &place.daemon]);
    let daemon = place.daemon_with(Some((&place.image, &place.daemon)));
    daemon.wait_for_image(ImageState::Ready);

    let client = daemon.client();
    let evaluated = client.ask::<Evaluate>(json!({"code": "100 factorial printString size"}));
    assert!(matches!(evaluated, Job::Finished(done) if done.result == "158"));
    patience::until("the image's events", || {
        (daemon.metric("stui_events_up") == Some(1.0)).then_some(())
    });
    assert!(client.ask::<ListSessions>(json!({})).sessions.is_empty());
}

#[test]
fn an_image_that_is_not_who_it_should_be_is_never_spoken_to() {
    let place = Place::new();
    let _image = place.image_for(&[&place.daemon]);
    let daemon = place.daemon_with(Some((&place.other, &place.daemon)));
    wait_for_reason(&daemon, "is most likely not its public key");
}

#[test]
fn a_daemon_that_the_image_does_not_know_says_so_and_comes_in_once_it_is_known() {
    let place = Place::new();
    let mut image = place.image_for(&[&place.other]);
    let daemon = place.daemon_with(Some((&place.image, &place.daemon)));
    wait_for_reason(&daemon, "does not know the daemon's key");
    assert!(image.log().contains("refuses a client"), "{}", image.log());

    image.kill();
    let _image = place.image_for(&[&place.daemon]);
    daemon.wait_for_image(ImageState::Ready);
}

#[test]
fn keys_at_one_end_only_are_no_link() {
    let place = Place::new();
    let mut image = place.image_for(&[&place.daemon]);
    let without = place.daemon_with(None);
    wait_for_reason(&without, "CURVE keys");
    drop(without);
    image.kill();
    let _image = place.image_for(&[]);
    let with = place.daemon_with(Some((&place.image, &place.daemon)));
    wait_for_reason(&with, "CURVE keys");
}

#[test]
fn a_link_that_leaves_the_machine_in_the_clear_is_warned_of_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("stuid.toml");
    // An address that belongs to nobody (RFC 5737).
    let text = "[image]\nendpoint = \"tcp://192.0.2.1:5555\"\nallow_insecure = true\n";
    std::fs::write(&config, text).unwrap();
    let daemon = Daemon::with(&["--config", config.to_str().unwrap()]);
    let log = daemon.log();
    assert!(
        log.contains("WARN") && log.contains("tcp://192.0.2.1:5555"),
        "{log}"
    );
    assert!(log.contains("without CURVE keys"), "{log}");
}
