//! Clients that do not read, send without end or are too many: they are told, they are bounded, and
//! everybody else is served.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use stui_protocol::daemon::{Attach, GapData, LaggingData, ListSessions, Log, Status, Subscribe};
use stui_protocol::image::Ping;
use stui_protocol::{ErrorType, Event, EventName, Reply};
use stui_tests::asking::{new_id, request};
use stui_tests::patience::PATIENCE;
use stui_tests::{Asking, Client, Daemon, Session, Terminal, patience};

/// A daemon that waits for stalled clients as long as a story may take.
fn patient_daemon() -> Daemon {
    Daemon::configured("[clients]\nstall_timeout_ms = 3600000\n")
}

/// Writes about so many times 900 kB to the Transcript.
fn flood(session: &Session<'_, Client>, times: usize) {
    let code = "s := String new: 1000 withAll: $x. 900 timesRepeat: [Transcript show: s]. 42";
    for _ in 0..times {
        assert_eq!(session.value(code), "42");
    }
}

fn lagging(asking: &Client) -> u64 {
    asking.ask::<Status>(json!({})).lagging
}

#[test]
fn clients_that_stop_reading_lag_and_cost_the_daemon_little() {
    const DEAF: usize = 40;
    let mut daemon = patient_daemon();
    let (client, other, subscriber) = (daemon.client(), daemon.client(), daemon.client());
    subscriber.ask::<Subscribe>(json!({}));
    let name = new_id("s");
    let session = Session {
        who: &client,
        id: name.clone(),
    };
    let deaf: Vec<_> = (0..DEAF).map(|_| daemon.client()).collect();
    for each in &deaf {
        each.ask::<Attach>(json!({"session": name, "create": true, "mode": "watch"}));
    }
    flood(&session, 1);
    let before = daemon.process().resident_bytes();

    // If it kept them, the daemon would have 600 MB of lines for the deaf.
    flood(&session, 16);

    patience::until("all of the deaf to lag", || {
        (lagging(&other) == DEAF as u64).then_some(())
    });
    let grown = daemon.process().resident_bytes().saturating_sub(before);
    assert!(grown < 256 << 20, "grown by {grown} bytes");
    let listed = other.ask::<ListSessions>(json!({})).sessions;
    assert!(listed[0].attached.iter().all(|attached| attached.lagging));
    assert_eq!(other.session().value("3 + 4"), "7");
    let told = subscriber.wait_for("somebody to lag", |event| event.event == EventName::Lagging);
    assert!(told.data_as::<LaggingData>().unwrap().lagging);

    // They read again, and are up to date.
    let end = client.ask::<Log>(json!({"session": name})).position;
    for each in &deaf {
        is_brought_up_to_date(each, end);
    }
    patience::until("nobody to lag", || (lagging(&other) == 0).then_some(()));
}

/// It is told once that it lagged; then come one gap for what is not there any more and the rest.
fn is_brought_up_to_date(client: &Client, end: u64) {
    client.wait_for("the newest line", |event| event.position == Some(end));
    let events = client.events();
    let late = |event: &&Event| event.event == EventName::Lagging;
    assert_eq!(events.iter().filter(late).count(), 1);
    let since = events.iter().skip_while(|event| !late(event));
    let gaps = since.filter(|event| event.event == EventName::Gap).count();
    assert_eq!(gaps, 1);
    every_position_is_told_once(&events);
}

/// Positions follow each other; a gap stands for those that it names.
pub(super) fn every_position_is_told_once(events: &[Event]) {
    let mut next = None;
    for event in events {
        let Some(position) = event.position else {
            continue;
        };
        let gap = event.data_as::<GapData>();
        let first = gap.map_or(position, |gap| gap.from);
        assert_eq!(first, next.unwrap_or(first), "{event:?}");
        next = Some(position + 1);
    }
}

#[test]
fn a_stopped_terminal_is_seen_to_lag_and_goes_on_where_the_session_is() {
    let daemon = patient_daemon();
    let user = daemon.user();
    let mut terminal = Terminal::open(&user, &["attach"]);
    terminal.shows("main> ");
    let client = daemon.client();
    let session = Session {
        who: &client,
        id: "main".to_owned(),
    };

    terminal.signal(Signal::STOP);
    flood(&session, 3);

    patience::until("the terminal to lag", || {
        (lagging(&client) == 1).then_some(())
    });
    let listed = user.run(&["ls"]).stdout;
    assert!(listed.contains(", lagging"), "{listed}");
    assert!(
        user.run(&["status"])
            .stdout
            .contains("1 of them do not read")
    );
    terminal.signal(Signal::CONT);
    patience::until("it to catch up", || (lagging(&client) == 0).then_some(()));
    terminal.enters("300 + 33");
    terminal.shows("→ 333");
}

#[test]
fn a_client_that_sends_without_reading_is_made_to_wait_and_gets_every_answer() {
    const REQUESTS: usize = 6_000;
    let daemon = patient_daemon();
    let other = daemon.client();
    other.ask::<Ping>(json!({}));
    let mut lines = Vec::new();
    for number in 0..REQUESTS {
        let line = request(&format!("pipelined-{number}"), "frobnicate", &json!({}));
        writeln!(lines, "{line}").unwrap();
    }
    let mut stream = UnixStream::connect(daemon.socket()).unwrap();
    stream.set_nonblocking(true).unwrap();

    let taken = send_until_it_must_wait(&mut stream, &lines, &other);

    let served = other.session();
    assert_eq!(served.value("3 + 4"), "7");
    // Now it reads, and sends the rest meanwhile.
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut sending = stream.try_clone().unwrap();
    let rest = lines.split_off(taken);
    let sender = thread::spawn(move || sending.write_all(&rest));
    let mut answered = BTreeSet::new();
    // What the daemon tells of its image may come between.
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let replies = lines.filter(|line| serde_json::from_str::<Event>(line).is_err());
    for line in replies.take(REQUESTS) {
        let reply: Reply = serde_json::from_str(&line).unwrap();
        assert!(answered.insert(reply.id.unwrap()), "answered twice");
    }
    assert_eq!(answered.len(), REQUESTS);
    sender.join().unwrap().unwrap();
}

/// Sends until nothing more is taken although the daemon serves others; answers how much was.
fn send_until_it_must_wait(stream: &mut UnixStream, bytes: &[u8], other: &Client) -> usize {
    let mut taken = 0;
    let mut refusals = 0;
    while refusals < 50 {
        match stream.write(&bytes[taken..]) {
            Ok(0) => panic!("all {taken} bytes were taken"),
            Ok(count) => (taken, refusals) = (taken + count, 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                refusals += 1;
                other.ask::<Ping>(json!({}));
            }
            Err(error) => panic!("{error}"),
        }
    }
    taken
}

#[test]
fn without_files_new_clients_are_told_and_the_old_are_served() {
    let mut daemon = Daemon::start();
    let old = daemon.client();
    let session = old.session();
    let process = daemon.process();
    let limit = process.open_files().into_iter().max().unwrap() + 9;
    process.limit_files(limit);

    // Some files are left, then none. What the daemon opens for a moment leaves a place again.
    let mut more = Vec::new();
    for _ in 0..20 {
        let failure = patience::until("a refusal", || match first_line(&daemon) {
            (stream, Ok(_)) => {
                more.push(stream);
                None
            }
            (_, Err(failure)) => Some(failure),
        });
        assert_eq!(failure.error_type, ErrorType::Overloaded);
        assert_eq!(failure.details["limit"], limit);
        assert!(failure.error.contains("LimitNOFILE"), "{}", failure.error);
    }

    assert_eq!(session.value("3 + 4"), "7");
    let told = patience::until("a user who is told", || {
        let told = daemon.user().run(&["ls"]);
        (told.code != Some(0)).then_some(told)
    });
    assert!(told.stderr.contains("no files left"), "{told:?}");
    drop(more);
    patience::until("a place", || first_line(&daemon).1.ok());
    assert_eq!(session.value("4 + 4"), "8");
}

/// Connects; answers the hello or why there is none.
fn first_line(daemon: &Daemon) -> (UnixStream, Result<Event, stui_protocol::Failure>) {
    let stream = UnixStream::connect(daemon.socket()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    let said = match serde_json::from_str::<Event>(&line) {
        Ok(hello) => Ok(hello),
        Err(_) => Err(serde_json::from_str::<Reply>(&line)
            .unwrap_or_else(|error| panic!("{error}: {line:?}"))
            .outcome
            .unwrap_err()),
    };
    (stream, said)
}
