//! Operators before an image that does what the story says.

use std::path::PathBuf;

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::daemon::{Admin, Await, ImageState, Status, Submit};
use stui_protocol::image::{Evaluated, Job, ListClasses};
use stui_tests::{Asking, Client, Scripted, patience};

use crate::support::Daemon;

fn send(client: &Client, id: &str, command: &str, parameters: &serde_json::Value) {
    client.send(&json!({"id": id, "command": command, "parameters": parameters}));
}

fn wait_for_command(image: &Scripted, command: &str) {
    patience::until(&format!("{command} in the image"), || {
        (image.count(command) > 0).then_some(())
    });
}

/// A configuration that is written anew while the daemon runs.
struct ConfigFile(tempfile::TempDir);

impl ConfigFile {
    fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().expect("a directory"));
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("stuid.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).expect("a configuration");
    }

    fn daemon_before(&self, image: &Scripted) -> Daemon {
        let place = self.path().display().to_string();
        Daemon::with(&["--config", &place, "--image", image.endpoint()])
    }
}

#[test]
fn an_image_that_is_silent_while_it_saves_itself_is_saving_and_nobody_sees_an_error() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (operator, client) = (daemon.client(), daemon.client());
    client.attach("main").value("before");
    image.falls_silent_at("save_image");
    send(
        &operator,
        "save",
        "admin",
        &json!({"operation": "save_image"}),
    );
    wait_for_command(&image, "save_image");

    let waits = client.ask::<Submit>(json!({"session": "main", "code": "later"}));
    let other = daemon.client();
    send(&other, "read", "list_classes", &json!({}));
    // Long enough for a ping of the daemon to be given up.
    patience::until("a ping that was not sent", || {
        daemon.log().contains("no reply of the image").then_some(())
    });
    let status = client.ask::<Status>(json!({}));
    assert_eq!(status.image.state, ImageState::Saving);
    assert_eq!(status.paused.expect("a hold").operation, "save_image");

    image.speaks_again();

    let saved = operator.next_reply().expect("an answer");
    let image = saved.outcome.expect("a saved image")["image"].clone();
    assert_eq!(image["path"], "scripted.image");
    assert!(other.next_reply().expect("an answer").outcome.is_ok());
    let parameters = json!({"evaluation_id": waits.evaluation_id});
    match client.ask::<Await>(parameters) {
        Job::Finished(Evaluated { result, .. }) => assert_eq!(result, "later"),
        running => panic!("{running:?}"),
    }
    assert_eq!(client.ask::<Status>(json!({})).paused, None);
    daemon.wait_for_image(ImageState::Ready);
    assert!(
        !daemon.log().contains("to=Unresponsive"),
        "it was called unresponsive"
    );
}

#[test]
fn a_second_operator_who_saves_the_image_is_told_that_it_is_being_saved() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (operator, other) = (daemon.client(), daemon.client());
    image.falls_silent_at("save_image");
    send(
        &operator,
        "save",
        "admin",
        &json!({"operation": "save_image"}),
    );
    wait_for_command(&image, "save_image");

    let refused = other.refused::<Admin>(json!({"operation": "save_image"}));

    assert_eq!(refused.error_type, ErrorType::UnsupportedOperation);
    // Whoever asked may go away: the image saves itself all the same, and work waits for that.
    drop(operator);
    let paused = || other.ask::<Status>(json!({})).paused;
    assert!(paused().is_some());
    image.speaks_again();
    patience::until("the end of the hold", || paused().is_none().then_some(()));
    assert_eq!(image.count("save_image"), 1);
}

#[test]
fn a_new_socket_settles_what_was_under_way_and_carries_what_waited() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (operator, client) = (daemon.client(), daemon.client());
    image.falls_silent_at("list_classes");
    send(&client, "asked", "list_classes", &json!({}));
    wait_for_command(&image, "list_classes");
    let other = daemon.client();
    send(
        &other,
        "waits",
        "get_method",
        &json!({"class_name": "A", "method_name": "b"}),
    );
    patience::until("a request that waits", || {
        (other.metric("stui_link_queue")? >= 1.0).then_some(())
    });

    let done = operator
        .ask::<Admin>(json!({"operation": "reconnect"}))
        .done;

    assert!(done.contains("1 request is unknown"), "{done}");
    let settled = client.next_reply().expect("a reply").outcome;
    assert_eq!(
        settled.expect_err("no reply came").error_type,
        ErrorType::OutcomeUnknown
    );
    image.speaks_again();
    assert!(other.next_reply().expect("a reply").outcome.is_ok());
    assert_eq!(image.count("list_classes"), 1, "it was not sent again");
}

#[test]
fn a_timeout_that_is_reloaded_counts_from_then_on() {
    let image = Scripted::start();
    let file = ConfigFile::new("[image]\nrequest_timeout_ms = 3600000\n");
    let daemon = file.daemon_before(&image);
    let client = daemon.client();

    file.write("[image]\nrequest_timeout_ms = 500\n");
    let reloaded = client.ask::<Admin>(json!({"operation": "reload"})).reloaded;

    let applied = reloaded.expect("what became of the keys").applied;
    assert_eq!(applied, ["image.request_timeout_ms"]);
    image.falls_silent_at("list_classes");
    // An hour is longer than any story waits.
    let failure = client.refused::<ListClasses>(json!({}));
    assert!(failure.error.contains("not answered in time"), "{failure}");
}

#[test]
fn a_limit_that_is_reloaded_counts_from_then_on() {
    let image = Scripted::start();
    let file = ConfigFile::new("[limits]\nqueue_per_session = 2\n");
    let daemon = file.daemon_before(&image);
    let client = daemon.client();
    client.attach("main").start("hold it");
    image.wait_for_code("hold it");
    let waits = json!({"session": "main", "code": "waits"});
    for _ in 0..2 {
        client.ask::<Submit>(waits.clone());
    }
    let refused = client.refused::<Submit>(waits.clone());
    assert_eq!(refused.details["limit"], 2);

    file.write("[limits]\nqueue_per_session = 3\n");
    let reloaded = client.ask::<Admin>(json!({"operation": "reload"})).reloaded;

    let applied = reloaded.expect("what became of the keys").applied;
    assert_eq!(applied, ["limits.queue_per_session"]);
    client.ask::<Submit>(waits.clone());
    let refused = client.refused::<Submit>(waits);
    assert_eq!(refused.details["limit"], 3);
    image.finish("hold it", "done");
}
