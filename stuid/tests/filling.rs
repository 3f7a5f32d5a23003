//! The disk takes nothing more, and then it does again.

use std::path::Path;

use rustix::process::Signal;
use serde_json::json;
use stui_protocol::daemon::{Log, Status, StoreState, StoreStatus, Subscribe};
use stui_protocol::{Event, EventName};
use stui_tests::disk::Disk;
use stui_tests::{Asking, Client, Scripted, patience, skipped};

use crate::support::Daemon;

fn daemon_on(disk: &Path, image: &Scripted) -> Daemon {
    Daemon::with(&[
        "--image",
        image.endpoint(),
        "--image-events",
        image.events_endpoint(),
        "--state-dir",
        disk.to_str().expect("a path"),
    ])
}

fn store(client: &Client) -> StoreStatus {
    client.ask::<Status>(json!({})).store.expect("a store")
}

fn wait_for_store(client: &Client, state: StoreState) {
    patience::until(&format!("a store that is {state:?}"), || {
        (store(client).state == state).then_some(())
    });
}

fn log_of_main(client: &Client) -> Vec<Event> {
    let read = client.ask::<Log>(json!({"session": "main", "limit": 100_000}));
    read.events
}

#[test]
fn a_disk_that_was_full_for_a_while_loses_nothing() {
    let disk = match Disk::small() {
        Ok(disk) => disk,
        Err(needs) => return skipped("a_disk_that_was_full_for_a_while_loses_nothing", &needs),
    };
    let image = Scripted::start();
    let mut daemon = daemon_on(disk.path(), &image);
    let client = daemon.client();
    let observer = daemon.client();
    observer.ask::<Subscribe>(json!({}));
    let session = client.attach("main");
    session.value("before");

    disk.fill();
    let mut number = 0;
    patience::until("a store that says that it cannot be written", || {
        number += 1;
        let code = format!("{number} {}", "x".repeat(20_000));
        assert_eq!(session.value(&code), code);
        (store(&client).state == StoreState::Degraded).then_some(())
    });
    assert!(store(&client).reason.is_some());
    assert_eq!(daemon.metric("stui_store_degraded"), Some(1.0));
    assert!(daemon.metric("stui_store_errors_total") >= Some(1.0));
    observer.wait_for("word of it", |event| {
        event.event == EventName::StoreState && event.data["state"] == "degraded"
    });
    assert_eq!(session.value("meanwhile"), "meanwhile");

    disk.clear();
    wait_for_store(&client, StoreState::Ok);
    assert_eq!(daemon.metric("stui_store_degraded"), Some(0.0));
    session.value("after");
    let log = log_of_main(&client);
    daemon.signal(Signal::KILL);
    daemon.start_again();
    let client = daemon.client();
    assert_eq!(log_of_main(&client)[..log.len()], log);
    client.attach("main").value("and on");
}

#[test]
fn a_daemon_starts_on_a_full_disk() {
    let disk = match Disk::small() {
        Ok(disk) => disk,
        Err(needs) => return skipped("a_daemon_starts_on_a_full_disk", &needs),
    };
    let image = Scripted::start();
    let mut daemon = daemon_on(disk.path(), &image);
    daemon.client().attach("main").value("before");
    daemon.signal(Signal::KILL);
    daemon.end();
    disk.fill();

    daemon.start_again();

    let client = daemon.client();
    wait_for_store(&client, StoreState::Degraded);
    let log = log_of_main(&client);
    assert!(
        log.iter()
            .any(|event| event.data.get("code") == Some(&json!("before"))),
        "{log:?}"
    );
    client.attach("main").value("meanwhile");
    disk.clear();
    wait_for_store(&client, StoreState::Ok);
}

#[test]
fn a_daemon_starts_on_a_disk_that_is_read_only() {
    let disk = match Disk::small() {
        Ok(disk) => disk,
        Err(needs) => return skipped("a_daemon_starts_on_a_disk_that_is_read_only", &needs),
    };
    disk.remount("ro");
    let image = Scripted::start();

    let daemon = daemon_on(disk.path(), &image);

    let client = daemon.client();
    let store = store(&client);
    assert_eq!(store.state, StoreState::Degraded);
    assert!(store.reason.expect("a reason").contains("ead-only"));
    assert_eq!(client.attach("main").value("3"), "3");
}
