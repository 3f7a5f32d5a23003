//! The client link: image commands carried, sessions by name, queues, logs, people attached.

use serde_json::{Value, json};
use stui_protocol::daemon::{
    Attach, AttachMode, Await, Detach, History, KillSession, ListSessions, Log, NewSession,
    RenameSession, Submit,
};
use stui_protocol::image::{
    BrowseClass, Complete, Evaluate, GetContextSummary, Inspect, Interrupt, Job, Ping,
};
use stui_protocol::{Command, ErrorType, EventName};
use stui_tests::asking::{new_id, request};
use stui_tests::{Asking, Client, Daemon, Session};

#[test]
fn the_daemon_answers_image_commands_with_a_session_by_name() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();

    assert_eq!(session.value("x := 3@4"), "(3@4)");
    assert_eq!(
        session.ask::<Inspect>(json!({"target": "x"})).instance_vars["y"],
        "4"
    );
    assert_eq!(
        session.ask::<GetContextSummary>(json!({})).variables.len(),
        1
    );
    assert_eq!(
        client
            .ask::<Ping>(json!({"message": "hi"}))
            .message
            .as_deref(),
        Some("hi")
    );
    let class = client.ask::<BrowseClass>(json!({"class_name": "Point"}));
    assert_eq!(class.instance_vars, ["x", "y"]);
    let completed = session.ask::<Complete>(json!({"source": "Transc", "position": 6}));
    assert!(
        completed
            .candidates
            .iter()
            .any(|candidate| candidate.text == "Transcript")
    );
    assert_eq!(
        session.failure("1/0").error_type,
        ErrorType::EvaluationError
    );
}

#[test]
fn an_evaluation_without_a_session_is_carried_as_well() {
    let daemon = Daemon::start();

    let evaluated = daemon
        .client()
        .evaluate(json!({"code": "3 + 4"}))
        .expect("seven");

    assert_eq!(evaluated.result, "7");
}

#[test]
fn evaluations_of_one_session_wait_for_each_other() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();
    session.value("order := OrderedCollection new");
    let submit = |code: &str| session.ask::<Submit>(json!({"code": code}));

    let first = submit("(Delay forMilliseconds: 300) wait. order add: 1. order size");
    let others: Vec<_> = (2..6)
        .map(|n| submit(&format!("order add: {n}. order size")))
        .collect();

    assert_eq!(first.queue_position, 0);
    assert!(
        others.iter().any(|submitted| submitted.queue_position > 0),
        "{others:?}"
    );
    let last = json!({"evaluation_id": others[3].evaluation_id});
    let outcome = client.ask::<Await>(last);
    assert!(matches!(outcome, Job::Finished(evaluated) if evaluated.result == "5"));
    assert_eq!(session.value("order"), "an OrderedCollection(1 2 3 4 5)");
}

#[test]
fn what_one_client_submits_another_awaits() {
    let daemon = Daemon::start();
    let (client, other) = (daemon.client(), daemon.client());
    let session = client.session();
    let good = session.ask::<Submit>(json!({"code": "(Delay forMilliseconds: 100) wait. 42"}));
    let bad = session.ask::<Submit>(json!({"code": "1/0"}));
    drop(session);
    drop(client);

    let value = other.ask::<Await>(json!({"evaluation_id": good.evaluation_id}));
    let failure = other.refused::<Await>(json!({"evaluation_id": bad.evaluation_id}));
    let unknown = other.refused::<Await>(json!({"evaluation_id": "none such"}));

    assert!(matches!(value, Job::Finished(evaluated) if evaluated.result == "42"));
    assert_eq!(failure.error_type, ErrorType::EvaluationError);
    assert_eq!(unknown.error_type, ErrorType::EvaluationNotFound);
}

#[test]
fn an_interrupt_goes_past_the_queue() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();
    let loops = session.ask::<Submit>(json!({"code": "[true] whileTrue"}));
    let waits = session.ask::<Submit>(json!({"code": "#next"}));

    session.ask::<Interrupt>(json!({}));

    let failure = client.refused::<Await>(json!({"evaluation_id": loops.evaluation_id}));
    assert_eq!(failure.error_type, ErrorType::Interrupted);
    let next = client.ask::<Await>(json!({"evaluation_id": waits.evaluation_id}));
    assert!(matches!(next, Job::Finished(evaluated) if evaluated.result == "#next"));
}

#[test]
fn everybody_attached_hears_what_happens() {
    let daemon = Daemon::start();
    let name = new_id("s");
    let listeners: Vec<_> = (0..3).map(|_| daemon.client()).collect();
    for (number, listener) in listeners.iter().enumerate() {
        let mode = if number == 0 { "drive" } else { "watch" };
        listener.ask::<Attach>(json!({"session": name, "create": true, "mode": mode}));
    }
    let session = Session {
        who: &listeners[0],
        id: name,
    };

    let submitted = session.ask::<Submit>(json!({"code": "Transcript show: 'ping'. 42"}));

    for listener in &listeners {
        let is_its = |event: &stui_protocol::Event, name: EventName| {
            event.event == name && event.evaluation_id.as_ref() == Some(&submitted.evaluation_id)
        };
        let output = listener.wait_for("output", |event| is_its(event, EventName::Output));
        assert_eq!(output.data["text"], "ping");
        let finished = listener.wait_for("the end", |event| {
            is_its(event, EventName::EvaluationFinished)
        });
        assert_eq!(finished.data["result"]["result"], "42");
    }
}

#[test]
fn a_client_that_was_away_reads_on_where_it_stopped() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.attach("main");
    session.value("1");
    let position = client.ask::<Log>(json!({"session": "main"})).position;
    client.ask::<Detach>(json!({}));
    let other = daemon.client();
    other.attach("main").value("Transcript show: 'missed'. 2");
    other.ask::<Detach>(json!({}));

    let back = daemon.client();
    let joined = back.ask::<Attach>(json!({"session": "main", "since": position}));
    back.wait_for("what was missed", |event| {
        event.event == EventName::Output && event.data["text"] == "missed"
    });
    back.wait_for("the newest line of the log", |event| {
        event.position == Some(joined.position)
    });

    let positions: Vec<u64> = back
        .events()
        .iter()
        .filter_map(|event| event.position)
        .collect();
    let replayed: Vec<u64> = positions
        .iter()
        .copied()
        .filter(|at| *at <= joined.position)
        .collect();
    let expected: Vec<u64> = (position + 1..=joined.position).collect();
    assert_eq!(replayed, expected, "misses nothing, sees nothing twice");
}

#[test]
fn the_history_tells_what_was_evaluated() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();
    session.value("apple := 1");
    session.failure("pear / 0. 1/0");
    session.value("apple + 1");

    let all = session.ask::<History>(json!({})).evaluations;
    let apples = session
        .ask::<History>(json!({"grep": "apple", "limit": 1}))
        .evaluations;

    let codes: Vec<_> = all.iter().map(|past| past.code.as_str()).collect();
    assert_eq!(codes, ["apple := 1", "pear / 0. 1/0", "apple + 1"]);
    assert_eq!(all[0].result.as_deref(), Some("1"));
    assert!(all[1].failure.is_some());
    assert_eq!(apples.len(), 1);
    assert_eq!(apples[0].code, "apple + 1");
}

#[test]
fn sessions_have_names_owners_and_people() {
    let daemon = Daemon::start();
    let client = daemon.client();
    client.ask::<NewSession>(json!({"name": "work"}));
    client.ask::<Attach>(json!({"session": "work"}));

    let renamed = client
        .ask::<RenameSession>(json!({"session": "work", "name": "play"}))
        .session;
    let listed = daemon.client().ask::<ListSessions>(json!({})).sessions;
    let taken = client.refused::<NewSession>(json!({"name": "play"}));
    let gone = client.refused::<GetContextSummary>(json!({"session": "work"}));

    assert_eq!(renamed.name, "play");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].owner, rustix::process::getuid().as_raw());
    assert_eq!(listed[0].attached.len(), 1);
    assert_eq!(listed[0].attached[0].pid, std::process::id());
    assert_eq!(taken.error_type, ErrorType::InvalidParameter);
    assert_eq!(gone.error_type, ErrorType::SessionNotFound);
    client.ask::<KillSession>(json!({"session": "play"}));
    assert!(
        daemon
            .client()
            .ask::<ListSessions>(json!({}))
            .sessions
            .is_empty()
    );
}

#[test]
fn attaching_to_what_is_not_there_is_refused_unless_it_may_be_made() {
    let daemon = Daemon::start();
    let client = daemon.client();

    let refused = client.refused::<Attach>(json!({"session": "nowhere"}));
    let made = client.ask::<Attach>(json!({"session": "nowhere", "create": true}));

    assert_eq!(refused.error_type, ErrorType::SessionNotFound);
    assert!(made.created);
}

#[test]
fn who_drives_a_session_is_pushed_aside_by_thieves_only() {
    let daemon = Daemon::start();
    let (driver, other) = (daemon.client(), daemon.client());
    driver.attach("main");

    let busy = other.refused::<Attach>(json!({"session": "main"}));
    let watching = other
        .ask::<Attach>(json!({"session": "main", "mode": "watch"}))
        .session;
    let stolen = other
        .ask::<Attach>(json!({"session": "main", "steal": true}))
        .session;

    assert_eq!(busy.error_type, ErrorType::SessionBusy);
    assert_eq!(watching.attached.len(), 2);
    let drivers = stolen
        .attached
        .iter()
        .filter(|client| client.mode == AttachMode::Drive);
    assert_eq!(drivers.count(), 1);
}

#[test]
fn who_watches_a_session_may_not_work_in_it() {
    let daemon = Daemon::start();
    let (driver, watcher) = (daemon.client(), daemon.client());
    let session = driver.attach("main");
    let running = session.ask::<Submit>(json!({"code": "[true] whileTrue"}));
    watcher.ask::<Attach>(json!({"session": "main", "mode": "watch"}));

    let submitted = watcher.refused::<Submit>(json!({"session": "main", "code": "3 + 4"}));
    let interrupted = watcher.refused::<Interrupt>(json!({"session": "main"}));

    assert_eq!(submitted.error_type, ErrorType::PermissionDenied);
    assert_eq!(interrupted.error_type, ErrorType::PermissionDenied);
    session.ask::<Interrupt>(json!({"evaluation_id": running.evaluation_id}));
}

#[test]
fn a_repeated_id_is_not_done_twice_by_the_daemon_either() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();
    session.value("count := 0");
    let parameters = session.with(json!({"code": "count := count + 1", "wait_ms": 5000}));
    let again = request(&new_id("evaluation"), Evaluate::NAME, &parameters);

    let first = client.exchange(&again);
    client.exchange(&again);

    assert_eq!(first.outcome.expect("one")["result"], "1");
    assert_eq!(session.value("count"), "1");
}

#[test]
fn a_1_0_client_waits_for_the_end_here_as_well() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();
    let parameters = session.with(json!({"code": "(Delay forMilliseconds: 200) wait. 42"}));

    let reply = client
        .exchange(&json!({"id": new_id("old"), "command": "evaluate", "parameters": parameters}));

    assert_eq!(reply.outcome.expect("the end")["result"], "42");
}

#[test]
fn requests_on_one_connection_do_not_wait_for_an_evaluation() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();
    let parameters =
        session.with(json!({"code": "(Delay forSeconds: 2) wait. 1", "wait_ms": 10_000}));
    client.send(&request("slow", "evaluate", &parameters));
    client.send(&request("quick", "ping", &json!({})));

    let ids: Vec<_> = (0..2).map(|_| next_id(&client)).collect();

    assert_eq!(ids, ["quick", "slow"]);
}

fn next_id(client: &Client) -> String {
    client
        .next_reply()
        .and_then(|reply| reply.id)
        .expect("a reply with an id")
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let refused = |command: &str, parameters: Value| {
        client
            .reply(command, parameters)
            .outcome
            .expect_err("a failure")
            .error_type
    };

    assert_eq!(refused("frobnicate", json!({})), ErrorType::UnknownCommand);
    assert_eq!(
        refused("evaluate", json!({"session": "none", "code": "1"})),
        ErrorType::SessionNotFound
    );
    assert_eq!(
        refused("submit", json!({"code": "1"})),
        ErrorType::MissingParameter
    );
    assert_eq!(
        refused("attach", json!({"session": 7})),
        ErrorType::InvalidParameter
    );
    assert_eq!(
        refused("browse_class", json!({"class_name": "NoSuchClass"})),
        ErrorType::ClassNotFound
    );
    let newer = client.exchange(&json!({"id": "v", "command": "status", "version": "2.0"}));
    assert_eq!(
        newer.outcome.expect_err("2.0").error_type,
        ErrorType::UnsupportedVersion
    );
}
