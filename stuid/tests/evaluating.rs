//! Evaluations: from a client through the daemon into the image and back.

use serde_json::json;
use stui_protocol::daemon::{Await, KillSession, Submit};
use stui_protocol::image::{Evaluate, Evaluated, Interrupt, Job, Ping, Tier};
use stui_protocol::{ErrorType, Event, EventName};
use stui_tests::{Asking, Client, Scripted};

use crate::support::Daemon;

fn result_of(job: Job<Evaluated>) -> String {
    match job {
        Job::Finished(done) => done.result,
        Job::Running { evaluation_id } => panic!("{evaluation_id} should have been waited for"),
    }
}

fn is_end_of(event: &Event, id: &str) -> bool {
    event.event == EventName::EvaluationFinished && event.evaluation_id.as_deref() == Some(id)
}

fn submit(client: &Client, code: &str) -> String {
    client
        .ask::<Submit>(json!({"session": "main", "code": code}))
        .evaluation_id
}

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
fn a_submission_that_is_sent_again_is_the_same_evaluation() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    let id = "an-id-that-nobody-else-has";
    let parameters = json!({"session": "main", "code": "hold it"});
    let sent = |client: &Client| {
        client.send(&json!({"id": id, "command": "submit", "parameters": parameters}));
        let answered = client.next_reply().unwrap().outcome.unwrap();
        answered["evaluation_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(sent(&client), id);
    image.wait_for_code("hold it");
    assert_eq!(sent(&daemon.client()), id);
    image.finish("hold it", "done");
    client.ask::<Await>(json!({"evaluation_id": id}));
    assert_eq!(sent(&client), id);
    let asked = image.asked();
    let starts = asked.iter().filter(|each| each.command == "evaluate");
    assert_eq!(starts.count(), 1);
}

#[test]
fn an_evaluation_without_a_session_answers_its_result() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let done = daemon.client().ask::<Evaluate>(json!({"code": "3 + 4"}));
    assert_eq!(result_of(done), "3 + 4");
}

#[test]
fn an_answer_to_a_submission_comes_before_anything_of_the_evaluation() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    for _ in 0..50 {
        let before = client.events().len();
        let id = submit(&client, "quick");
        let early = client.events()[before..]
            .iter()
            .any(|event| event.evaluation_id.as_ref() == Some(&id));
        assert!(!early, "an event came before the answer");
        client.wait_for("the end", |event| is_end_of(event, &id));
    }
}

#[test]
fn a_reply_comes_after_all_that_led_to_it() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    for n in 0..20 {
        let done = session.ask::<Evaluate>(json!({"code": format!("n{n}")}));
        let Job::Finished(done) = done else {
            panic!("{done:?}")
        };
        let seen = client
            .events()
            .iter()
            .any(|event| is_end_of(event, &done.evaluation_id));
        assert!(seen, "the reply overtook the end of evaluation {n}");
    }
}

#[test]
fn everybody_attached_sees_the_same_lines_once() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (one, other) = (daemon.client(), daemon.client());
    one.attach("main");
    other
        .reply("attach", json!({"session": "main", "mode": "watch"}))
        .outcome
        .unwrap();
    let id = submit(&one, "hold it");
    image.wait_for_code("hold it");
    image.output("hold it", "first ");
    image.output("hold it", "second");
    image.finish("hold it", "42");
    let lines = |client: &Client| {
        client.wait_for("the end", |event| is_end_of(event, &id));
        let events = client.events();
        let of_it = events
            .iter()
            .filter(|event| event.evaluation_id.as_ref() == Some(&id));
        of_it
            .map(|event| (event.position, event.event.clone(), event.data.clone()))
            .collect::<Vec<_>>()
    };
    let seen = lines(&one);
    assert_eq!(seen, lines(&other));
    let names: Vec<_> = seen.iter().map(|(_, name, _)| name.topic()).collect();
    assert_eq!(
        names,
        [
            "evaluation_started",
            "output",
            "output",
            "evaluation_finished"
        ]
    );
}

#[test]
fn a_lost_event_is_made_good_by_asking() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.attach("main");
    let id = submit(&client, "hold it");
    image.wait_for_code("hold it");
    image.lose_events(true);
    image.output("hold it", "never told");
    image.finish("hold it", "42");
    let end = client.wait_for("the end", |event| is_end_of(event, &id));
    assert_eq!(end.data["result"]["result"], "42");
    let told = |event: &&Event| event.event == EventName::Output;
    let output: Vec<_> = client
        .events()
        .iter()
        .filter(told)
        .map(|event| event.data["text"].clone())
        .collect();
    assert_eq!(output, ["never told"]);
}

#[test]
fn without_an_event_link_the_end_is_asked_for() {
    let image = Scripted::start();
    image.lose_events(true);
    let daemon = Daemon::with(&[
        "--image",
        image.endpoint(),
        "--image-events",
        "ipc:///nowhere/at-all",
    ]);
    let client = daemon.client();
    let session = client.attach("main");
    assert_eq!(
        result_of(session.ask::<Evaluate>(json!({"code": "slow one"}))),
        "slow"
    );
}

#[test]
fn an_end_that_is_told_and_asked_for_is_told_once() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    for n in 0..30 {
        let code = format!("hold {n}");
        let id = submit(&client, &code);
        image.wait_for_code(&code);
        image.finish(&code, "42");
        let done = client.ask::<Await>(json!({"evaluation_id": id}));
        assert_eq!(result_of(done), "42");
        // Whatever is told of it afterwards comes before the next reply.
        session.ask::<Evaluate>(json!({"code": "next"}));
        let ends = client
            .events()
            .iter()
            .filter(|event| is_end_of(event, &id))
            .count();
        assert_eq!(ends, 1);
    }
}

#[test]
fn a_full_queue_is_said_to_be_with_its_limit() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    submit(&client, "hold it");
    image.wait_for_code("hold it");
    for n in 0..64 {
        submit(&client, &format!("waits {n}"));
    }
    let failure = session.refused::<Submit>(json!({"code": "too many"}));
    assert_eq!(failure.error_type, ErrorType::QueueFull);
    assert_eq!(failure.details["limit"], 64);
    image.finish("hold it", "done");
    image.wait_for_code("waits 63");
}

#[test]
fn a_waiting_client_is_told_its_place() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (one, other) = (daemon.client(), daemon.client());
    one.attach("main");
    submit(&one, "hold it");
    image.wait_for_code("hold it");
    let id = submit(&other, "later");
    let told = other.wait_for("its place", |event| event.event == EventName::QueuePosition);
    assert_eq!(told.data["position"], 1);
    assert_eq!(told.evaluation_id, Some(id));
}

#[test]
fn what_waits_can_be_taken_back_and_what_runs_goes_on() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    let runs = submit(&client, "hold it");
    image.wait_for_code("hold it");
    let waits = submit(&client, "never sent");
    let stopped = session.ask::<Interrupt>(json!({"evaluation_id": waits}));
    assert_eq!(stopped.evaluation_id.as_deref(), Some(waits.as_str()));
    let failure = client.refused::<Await>(json!({"evaluation_id": waits}));
    assert_eq!(failure.error_type, ErrorType::Interrupted);
    image.finish("hold it", "42");
    assert_eq!(
        result_of(client.ask::<Await>(json!({"evaluation_id": runs}))),
        "42"
    );
    let sent = image
        .asked()
        .iter()
        .any(|request| request.parameters.get("code") == Some(&json!("never sent")));
    assert!(!sent, "it was sent all the same");
}

#[test]
fn an_interrupt_stops_what_runs_and_is_idle_otherwise() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    assert_eq!(session.ask::<Interrupt>(json!({})).tier, Tier::Idle);
    let id = submit(&client, "hold it");
    image.wait_for_code("hold it");
    assert_eq!(session.ask::<Interrupt>(json!({})).tier, Tier::Signal);
    let failure = client.refused::<Await>(json!({"evaluation_id": id}));
    assert_eq!(failure.error_type, ErrorType::Interrupted);
}

#[test]
fn the_end_of_a_session_is_told_after_the_end_of_what_ran_and_waited_in_it() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (client, other) = (daemon.client(), daemon.client());
    client.attach("main");
    let runs = submit(&client, "hold it");
    let waits = submit(&client, "later");
    image.wait_for_code("hold it");
    other.ask::<KillSession>(json!({"session": "main"}));
    client.wait_for("the end", |event| event.event == EventName::SessionClosed);
    let events = client.events();
    for id in [&runs, &waits] {
        assert_eq!(
            events.iter().filter(|event| is_end_of(event, id)).count(),
            1
        );
        client.refused::<Await>(json!({"evaluation_id": id}));
    }
    let last = events.last().map(|event| event.event.clone());
    assert_eq!(last, Some(EventName::SessionClosed));
    assert_eq!(client.attach("main").value("anew"), "anew");
}

#[test]
fn an_interrupt_right_behind_a_submission_stops_it() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    for n in 0..20 {
        let id = submit(&client, &format!("hold {n}"));
        session.ask::<Interrupt>(json!({}));
        let failure = client.refused::<Await>(json!({"evaluation_id": id}));
        assert_eq!(failure.error_type, ErrorType::Interrupted);
    }
}

#[test]
fn an_evaluation_that_nobody_can_reach_any_more_is_interrupted() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    client.send(&json!({"id": "1", "command": "evaluate", "parameters": {"code": "hold it"}}));
    image.wait_for_code("hold it");
    drop(client);
    stui_tests::patience::until("an interrupt", || {
        (image.count("interrupt") > 0).then_some(())
    });
}

#[test]
fn clients_that_count_alike_do_not_get_each_others_results() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let (one, other) = (daemon.client(), daemon.client());
    let evaluate = |client: &Client, code: &str| {
        let request = json!({"id": "1", "command": "evaluate", "parameters": {"code": code}});
        client.exchange(&request).outcome.unwrap()["result"].clone()
    };
    assert_eq!(evaluate(&one, "a"), "a");
    assert_eq!(evaluate(&other, "b"), "b");
}

#[test]
fn a_wait_that_is_over_answers_that_it_runs() {
    let image = Scripted::start();
    let daemon = Daemon::before(&image);
    let client = daemon.client();
    let session = client.attach("main");
    let job = session.ask::<Evaluate>(json!({"code": "hold it", "wait_ms": 10}));
    let Job::Running { evaluation_id } = job else {
        panic!("{job:?}")
    };
    image.wait_for_code("hold it");
    image.finish("hold it", "42");
    assert_eq!(
        result_of(client.ask::<Await>(json!({"evaluation_id": evaluation_id}))),
        "42"
    );
}
