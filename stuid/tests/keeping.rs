//! The daemon is killed, and another one goes on: sessions, logs, what ran and what waited.

mod beginning;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::json;
use stui_protocol::daemon::{
    Attach, Await, History, ListSessions, Log, NewSession, RenameSession, SessionState, Status,
    StoreState, Submit,
};
use stui_protocol::{ErrorType, Event, EventName};
use stui_tests::{Asking, Client, Scripted, patience};

use crate::support::Daemon;

fn kill(daemon: &mut Daemon) {
    daemon.signal(Signal::KILL);
    daemon.start_again();
}

fn submit(client: &Client, code: &str) -> String {
    client
        .ask::<Submit>(json!({"session": "main", "code": code}))
        .evaluation_id
}

/// An image, a daemon before it, and the id of `hold it` that runs in the session `main`.
fn one_under_way() -> (Scripted, Daemon, String) {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    let id = submit(&client, "hold it");
    image.wait_for_code("hold it");
    (image, daemon, id)
}

fn log_of_main(client: &Client) -> Vec<Event> {
    client.ask::<Log>(json!({"session": "main"})).events
}

fn positions(events: &[Event]) -> Vec<u64> {
    events.iter().filter_map(|event| event.position).collect()
}

/// The ends of that evaluation in the log.
fn ends(client: &Client, id: &str) -> Vec<Event> {
    let is_end = |event: &Event| {
        event.event == EventName::EvaluationFinished && event.evaluation_id.as_deref() == Some(id)
    };
    log_of_main(client).into_iter().filter(is_end).collect()
}

fn outputs(client: &Client) -> String {
    let log = log_of_main(client);
    let outputs = log.iter().filter(|event| event.event == EventName::Output);
    outputs
        .filter_map(|event| event.data["text"].as_str().map(str::to_owned))
        .collect()
}

fn store_dir(daemon: &Daemon) -> PathBuf {
    let dir = daemon.socket();
    let dir = dir.parent().expect("a directory");
    dir.join(".local/state/stui/store")
}

#[test]
fn sessions_names_and_logs_are_there_after_a_kill_and_positions_go_on() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main").value("before");
    client.ask::<NewSession>(json!({"name": "other"}));
    client.ask::<RenameSession>(json!({"session": "other", "name": "renamed"}));
    let before = log_of_main(&client);

    kill(&mut daemon);

    let client = daemon.client();
    let sessions = client.ask::<ListSessions>(json!({})).sessions;
    let names: Vec<_> = sessions.iter().map(|each| each.name.as_str()).collect();
    assert_eq!(names, ["main", "renamed"]);
    assert!(sessions.iter().all(|each| each.state == SessionState::Idle));
    assert_eq!(log_of_main(&client), before);
    client.attach("main").value("after");
    let all = log_of_main(&client);
    let expected: Vec<u64> = (1..=all.len() as u64).collect();
    assert_eq!(positions(&all), expected);
}

#[test]
fn a_client_that_comes_back_sees_each_line_once() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    session.value("one");
    session.value("two");
    let seen = 3;

    kill(&mut daemon);

    let client = daemon.client();
    let attached = client.ask::<Attach>(json!({"session": "main", "since": seen}));
    let result = client.evaluate(json!({"code": "three", "session": "main"}));
    assert_eq!(result.unwrap().result, "three");
    let came = positions(&client.events());
    let last = *came.last().expect("lines of the log");
    assert!(last > attached.position);
    assert_eq!(came, (seen + 1..=last).collect::<Vec<_>>());
}

#[test]
fn an_evaluation_that_runs_meanwhile_is_followed_and_its_output_is_told_once() {
    let (image, mut daemon, id) = one_under_way();
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": "main", "since": 0}));
    image.wait_until_heard();
    image.output("hold it", "one ");
    client.wait_for("output", |event| event.event == EventName::Output);
    daemon.signal(Signal::KILL);
    daemon.end();
    image.output("hold it", "two ");

    daemon.start_again();

    let client = daemon.client();
    patience::until("an evaluation that runs", || {
        let main = client.ask::<ListSessions>(json!({})).sessions.remove(0);
        (main.running?.evaluation_id == id).then_some(())
    });
    image.output("hold it", "three");
    image.finish("hold it", "42");
    let done = client.ask::<Await>(json!({"evaluation_id": id}));
    let stui_protocol::image::Job::Finished(done) = done else {
        panic!("it goes on: {done:?}");
    };
    assert_eq!(done.result, "42");
    assert_eq!(ends(&client, &id).len(), 1);
    assert_eq!(outputs(&client), "one two three");
    assert_eq!(image.count("evaluate"), 1, "it was run twice");
}

#[test]
fn an_evaluation_that_ended_meanwhile_is_fetched_once() {
    let (image, mut daemon, id) = one_under_way();
    daemon.signal(Signal::KILL);
    daemon.end();
    image.finish("hold it", "42");

    daemon.start_again();

    let client = daemon.client();
    let ended = patience::until("its end in the log", || {
        let ends = ends(&client, &id);
        (!ends.is_empty()).then_some(ends)
    });
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].data["result"]["result"], "42");
    kill(&mut daemon);
    assert_eq!(ends(&daemon.client(), &id).len(), 1);
}

#[test]
fn what_the_image_does_not_know_any_more_is_unknown_and_says_so() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    let ran = submit(&client, "hold it");
    let waited = submit(&client, "later");
    image.wait_for_code("hold it");
    daemon.signal(Signal::KILL);
    daemon.end();
    image.come_back(false);

    daemon.start_again();

    let client = daemon.client();
    let failure = client.refused::<Await>(json!({"evaluation_id": ran}));
    assert_eq!(failure.error_type, ErrorType::OutcomeUnknown, "{failure:?}");
    let failure = client.refused::<Await>(json!({"evaluation_id": waited}));
    assert_eq!(failure.error_type, ErrorType::SessionNotFound);
    let ended = ends(&client, &ran);
    assert_eq!(ended[0].data["error_type"], "OutcomeUnknown");
    let main = client.ask::<ListSessions>(json!({})).sessions.remove(0);
    let lost = main.lost.expect("a session that is lost");
    assert!(lost.reason.contains("restarted"), "{lost:?}");
    let failure = client.refused::<Attach>(json!({"session": "main"}));
    assert_eq!(failure.details["lost"], true);
    assert_eq!(failure.details["reason"], lost.reason);
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    assert_eq!(image.count("evaluate"), 1);
}

#[test]
fn what_waited_is_run_by_the_next_daemon() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    submit(&client, "hold it");
    let ids: Vec<_> = ["one", "two", "three"]
        .map(|code| submit(&client, code))
        .into();
    image.wait_for_code("hold it");

    kill(&mut daemon);
    image.finish("hold it", "42");

    let client = daemon.client();
    for id in ids {
        client.ask::<Await>(json!({"evaluation_id": id}));
    }
    let evaluated = image
        .asked()
        .into_iter()
        .filter(|each| each.command == "evaluate");
    let codes: Vec<_> = evaluated
        .map(|each| each.parameters["code"].clone())
        .collect();
    assert_eq!(codes, ["hold it", "one", "two", "three"]);
}

#[test]
fn the_end_of_the_daemon_is_not_the_end_of_what_runs() {
    let (image, mut daemon, id) = one_under_way();
    daemon.signal(Signal::TERM);
    daemon.end();

    daemon.start_again();

    let client = daemon.client();
    assert_eq!(ends(&client, &id), [], "it has not ended");
    image.finish("hold it", "42");
    client.ask::<Await>(json!({"evaluation_id": id}));
    assert_eq!(ends(&client, &id).len(), 1);
}

#[test]
fn what_ended_before_is_answered_from_the_log() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    let ids: Vec<_> = (0..5)
        .map(|number| submit(&client, &format!("code {number}")))
        .collect();
    let failed = submit(&client, "fail here");
    client.refused::<Await>(json!({"evaluation_id": failed}));

    kill(&mut daemon);

    let client = daemon.client();
    for id in &ids {
        client.ask::<Await>(json!({"evaluation_id": id}));
    }
    let failure = client.refused::<Await>(json!({"evaluation_id": failed}));
    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    let past = client.ask::<History>(json!({"session": "main", "grep": "code", "limit": 3}));
    let codes: Vec<_> = past
        .evaluations
        .iter()
        .map(|each| each.code.as_str())
        .collect();
    assert_eq!(codes, ["code 2", "code 3", "code 4"]);
    assert_eq!(past.evaluations[0].result.as_deref(), Some("code 2"));
}

#[test]
fn a_second_daemon_in_the_same_state_directory_is_refused_and_told_who_is_there() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let mut rival = daemon.rival_elsewhere();
    assert_eq!(rival.end().code(), Some(1));
    assert!(
        rival.log().contains("one daemon for each state directory"),
        "{}",
        rival.log()
    );
}

#[test]
fn what_is_kept_is_its_owners_alone() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    daemon.client().attach("main").value("secret");
    let dir = store_dir(&daemon);
    let mode = |path: &Path| {
        std::fs::metadata(path)
            .expect("a file")
            .permissions()
            .mode()
    };
    assert_eq!(mode(&dir) & 0o777, 0o700);
    for file in std::fs::read_dir(&dir).expect("the store") {
        let path = file.expect("a file").path();
        assert_eq!(mode(&path) & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_damaged_store_is_set_aside_and_said_to_be() {
    let image = Scripted::start();
    let mut daemon = Daemon::before(&image);
    daemon.client().attach("main").value("before");
    daemon.signal(Signal::TERM);
    daemon.end();
    let dir = store_dir(&daemon);
    std::fs::write(dir.join("sessions.redb"), b"this is no database").expect("damaging it");

    daemon.start_again();

    let client = daemon.client();
    let store = client.ask::<Status>(json!({})).store.expect("a store");
    let aside = store.set_aside.clone().expect("where the damaged one is");
    assert_eq!(
        std::fs::read(aside).expect("the damaged one"),
        b"this is no database"
    );
    assert_eq!(store.state, StoreState::Ok, "{store:?}");
    // The image still has it.
    let session = client.attach("main");
    assert_eq!(session.value("after"), "after");
    kill(&mut daemon);
    assert!(log_of_main(&daemon.client()).len() > 1);
}
