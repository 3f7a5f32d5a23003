//! Clients and daemons are killed in the middle of work, and nothing that anybody was told is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use stui_protocol::daemon::{Attach, ListSessions, Log, LogResult, Submit};
use stui_protocol::{ErrorType, Event, EventName, Outcome};
use stui_tests::process::Process;
use stui_tests::{Asking, Client, Daemon, Image, patience};

/// A daemon in front of an embedded image that is a process of its own and is not killed.
fn cast() -> (Image, Daemon) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &events]);
    (image, daemon)
}

/// The same, with logs that keep everything.
fn cast_with_long_logs(dir: &Path) -> (Image, Daemon) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let config = dir.join("stuid.toml");
    std::fs::write(&config, "[sessions]\nlog_bytes = 1000000000\n").expect("a configuration");
    let config = config.to_str().expect("a path");
    let daemon = Daemon::start_with(&[
        "--config",
        config,
        "--image",
        image.endpoint(),
        "--image-events",
        &events,
    ]);
    (image, daemon)
}

/// The whole log of a session.
fn whole_log(client: &Client, session: &str) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let since = events.last().and_then(|event| event.position).unwrap_or(0);
        let parameters = json!({"session": session, "since": since});
        let LogResult {
            events: more,
            position,
        } = client.ask::<Log>(parameters);
        events.extend(more);
        if events.last().and_then(|event| event.position) >= Some(position) {
            return events;
        }
    }
}

fn texts<'a>(events: impl Iterator<Item = &'a Event>) -> String {
    events
        .filter(|event| event.event == EventName::Output)
        .filter_map(|event| event.data["text"].as_str())
        .collect()
}

/// Whether it is output with that number in a line.
fn has_line(event: &Event, number: usize) -> bool {
    let text = texts(std::iter::once(event));
    text.lines().any(|line| line == number.to_string())
}

#[test]
fn what_a_killed_client_asked_for_is_seen_by_the_next_from_beginning_to_end() {
    let (_image, daemon) = cast();
    let code = "1 to: 1000 do: [ :each |
        Transcript show: each printString; cr.
        each = 500 ifTrue: [
            [ Smalltalk at: #GoOn ifAbsent: [ false ] ] whileFalse: [ (Delay forMilliseconds: 5) wait ] ] ].
        #printed";
    let mut command = daemon.user().command(&["eval", "-s", "main", code]);
    let mut victim = Process::start("victim", &mut command, daemon.dir());
    let observer = daemon.client();
    patience::until("the first half", || {
        let listed = observer.ask::<ListSessions>(json!({})).sessions;
        let main = listed.iter().find(|each| each.name == "main")?;
        main.running.as_ref()?;
        texts(whole_log(&observer, "main").iter())
            .contains("\n500\n")
            .then_some(())
    });

    victim.signal(Signal::KILL);
    victim.end();
    let other = daemon.client();
    other.session().value("Smalltalk at: #GoOn put: true");

    let next = daemon.client();
    next.ask::<Attach>(json!({"session": "main", "since": 0}));
    next.wait_for("the result", |event| {
        event.event == EventName::EvaluationFinished && event.data["result"]["result"] == "#printed"
    });
    let events = next.events();
    let expected: String = (1..=1000).map(|each| format!("{each}\n")).collect();
    assert_eq!(texts(events.iter()), expected);
    let in_log = events.iter().filter_map(|event| event.position);
    let last = in_log.clone().max().expect("a log");
    assert_eq!(in_log.collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
}

#[test]
fn what_is_printed_while_the_daemon_is_away_appears_while_the_evaluation_still_runs() {
    let (_image, mut daemon) = cast();
    // It prints on whatever becomes of the daemon, and ends when it is told to.
    let code = "1 to: 400 do: [ :each |
        Transcript show: each printString; cr.
        (Delay forMilliseconds: 5) wait ].
        [ Smalltalk at: #GoOn ifAbsent: [ false ] ] whileFalse: [ (Delay forMilliseconds: 5) wait ].
        #printed";
    let client = daemon.client();
    client.attach("main");
    client.ask::<Submit>(json!({"session": "main", "code": code}));
    client.wait_for("some lines", |event| event.event == EventName::Output);

    for _ in 0..3 {
        let before = texts(whole_log(&daemon.client(), "main").iter());
        daemon.kill();
        daemon.start_again();
        let next = daemon.client();
        next.ask::<Attach>(json!({"session": "main", "since": 0, "mode": "watch"}));
        let one_more = before.lines().count() + 1;
        next.wait_for("one more line", |event| has_line(event, one_more));
    }

    let next = daemon.client();
    next.ask::<Attach>(json!({"session": "main", "since": 0, "mode": "watch"}));
    next.wait_for("the last line", |event| has_line(event, 400));
    let main = next.ask::<ListSessions>(json!({})).sessions.remove(0);
    assert!(main.running.is_some(), "{main:?}");
    daemon
        .client()
        .session()
        .value("Smalltalk at: #GoOn put: true");
    next.wait_for("the result", |event| {
        event.event == EventName::EvaluationFinished && event.data["result"]["result"] == "#printed"
    });
    let events = next.events();
    let expected: String = (1..=400).map(|each| format!("{each}\n")).collect();
    assert_eq!(texts(events.iter()), expected);
    let in_log: Vec<u64> = events.iter().filter_map(|event| event.position).collect();
    let last = in_log.len() as u64;
    assert_eq!(in_log, (1..=last).collect::<Vec<_>>());
}

/// What one client knows of its increments.
#[derive(Default)]
struct Tally {
    /// The number was added.
    done: Vec<u64>,
    /// Nobody can know.
    unknown: Vec<u64>,
    /// The daemon never accepted it.
    refused: Vec<u64>,
}

/// Clients that work while the daemon is killed.
const CLIENTS: usize = 8;

/// Times that it is killed, unless the environment says otherwise.
const KILLS: usize = 20;

#[test]
fn however_often_the_daemon_is_killed_each_increment_is_done_or_known_to_be_unknown() {
    let kills = std::env::var("STUI_TEST_KILLS").ok();
    let kills = kills.map_or(KILLS, |kills| kills.parse().expect("a number of kills"));
    let dir = tempfile::tempdir().expect("a directory");
    let (image, mut daemon) = cast_with_long_logs(dir.path());
    let socket = daemon.socket();
    let enough = AtomicBool::new(false);
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let worker = Worker::new(&socket, number);
                scope.spawn(|| worker.run(&enough))
            })
            .collect();
        for kill in 0..kills {
            // Not a wait for anything: a moment that nobody chose.
            thread::park_timeout(Duration::from_millis(random_below(120) + kill as u64 % 3));
            daemon.kill();
            daemon.start_again();
        }
        enough.store(true, Ordering::Relaxed);
        let tallies = workers
            .into_iter()
            .map(|each| each.join().expect("a client"));
        tallies.collect()
    });

    let client = daemon.client();
    for (number, tally) in tallies.iter().enumerate() {
        assert!(!tally.done.is_empty(), "client {number} got nothing done");
        check_counter(&image, number, tally);
        check_log(&client, number, tally);
    }
}

/// A small number; which one does not matter.
fn random_below(limit: u64) -> u64 {
    let drawn = uuid::Uuid::new_v4().as_u64_pair().0;
    drawn % limit
}

/// What is in the image against what the client was told.
fn check_counter(image: &Image, number: usize, tally: &Tally) {
    let asked = image.client();
    let code = format!(
        "| all | all := Smalltalk at: #Seen{number}.
         all inject: '' into: [ :text :each | text , each printString , ' ' ]"
    );
    let printed = asked.evaluate(json!({"code": code, "print_limit": 1_000_000}));
    let printed = printed.expect("the counter").result;
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    for each in printed.trim_matches('\'').split_whitespace() {
        *seen.entry(each.parse().expect("a number")).or_default() += 1;
    }
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "client {number}: run twice: {twice:?}");
    for each in &tally.done {
        assert!(
            seen.contains_key(each),
            "client {number}: {each} is missing"
        );
    }
    for each in &tally.refused {
        assert!(!seen.contains_key(each), "client {number}: {each} was run");
    }
    let unknown = tally.unknown.iter().filter(|each| seen.contains_key(each));
    assert_eq!(seen.len(), tally.done.len() + unknown.count());
}

/// Positions go on, and each evaluation that was told ended once.
fn check_log(client: &Client, number: usize, tally: &Tally) {
    let events = whole_log(client, &name(number));
    let positions: Vec<u64> = events.iter().filter_map(|event| event.position).collect();
    let last = *positions.last().expect("a log");
    assert_eq!(positions, (1..=last).collect::<Vec<_>>(), "client {number}");
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        if event.event == EventName::EvaluationFinished {
            let id = event.evaluation_id.as_deref().expect("an id");
            *ends.entry(id).or_default() += 1;
        }
    }
    for each in tally.done.iter().chain(&tally.unknown) {
        let id = id_of(number, *each);
        assert_eq!(
            ends.get(id.as_str()),
            Some(&1),
            "client {number}: the end of {each}"
        );
    }
}

fn name(number: usize) -> String {
    format!("worker-{number}")
}

fn id_of(number: usize, each: u64) -> String {
    format!("increment-of-{number}-{each:08}")
}

/// One client that adds numbers, one after the other.
struct Worker {
    socket: PathBuf,
    number: usize,
    client: Option<Client>,
}

impl Worker {
    fn new(socket: &Path, number: usize) -> Self {
        Self {
            socket: socket.to_owned(),
            number,
            client: None,
        }
    }

    fn run(mut self, enough: &AtomicBool) -> Tally {
        let mut tally = Tally::default();
        let mut each = 0;
        while !enough.load(Ordering::Relaxed) {
            each += 1;
            match self.add(each) {
                Ok(_) => tally.done.push(each),
                Err(failure) => match failure.error_type {
                    ErrorType::OutcomeUnknown => tally.unknown.push(each),
                    ErrorType::EvaluationNotFound | ErrorType::ImageUnavailable => {
                        tally.refused.push(each);
                    }
                    _ => panic!("client {}: {each}: {failure:#?}", self.number),
                },
            }
        }
        tally
    }

    /// Asks for an increment once, and then what became of it as often as it needs.
    fn add(&mut self, each: u64) -> Outcome {
        let code = format!(
            "(Smalltalk at: #Seen{0} ifAbsentPut: [ OrderedCollection new ]) add: {each}",
            self.number
        );
        let parameters = json!({"session": name(self.number), "code": code});
        let id = id_of(self.number, each);
        if let Some(outcome) = self.ask(&id, "evaluate", &parameters) {
            return outcome;
        }
        let parameters = json!({"evaluation_id": id});
        patience::until("word of an increment", || {
            self.ask(&uuid::Uuid::new_v4().to_string(), "await", &parameters)
        })
    }

    /// Asks; none when the daemon is killed before it answers.
    fn ask(&mut self, id: &str, command: &str, parameters: &Value) -> Option<Outcome> {
        let request = json!({
            "id": id, "command": command, "parameters": parameters, "version": "1.1",
        });
        let client = self.connected();
        let sent = client.send_bytes(format!("{request}\n").as_bytes());
        let reply = sent.ok().and_then(|()| client.next_reply());
        if reply.is_none() {
            self.client = None;
        }
        Some(reply?.outcome)
    }

    /// The connection, a new one when the last one broke. It has its session.
    fn connected(&mut self) -> &Client {
        let (socket, number) = (&self.socket, self.number);
        self.client.get_or_insert_with(|| {
            patience::until("a daemon that attaches", || {
                let client = Client::try_connect(socket)?;
                let attach = json!({
                    "id": "attach", "command": "attach", "version": "1.1",
                    "parameters": {"session": name(number), "create": true, "mode": "drive"},
                });
                client.send_bytes(format!("{attach}\n").as_bytes()).ok()?;
                client.next_reply()?.outcome.ok()?;
                Some(client)
            })
        })
    }
}
