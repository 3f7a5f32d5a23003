//! A client is stopped and its session flooded: nobody else notices, and the client has it all from
//! the log, or is told what is gone, when it goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use stui_protocol::daemon::{Attach, ListSessions, Log};
use stui_protocol::{Event, EventName};
use stui_tests::footprint::Footprint;
use stui_tests::process::Process;
use stui_tests::{Asking, Daemon, Image, patience};

use super::slow_clients::every_position_is_told_once;

/// Bytes that one evaluation writes.
const AT_ONCE: usize = 900_000;

/// Millions of bytes, unless the environment says otherwise.
const FLOOD_MB: usize = 10;

/// What the daemon may hold at most. The flood is in memory until it is on disk; the rest is what a
/// build without optimisation needs.
const MOST_KIB: u64 = 160 << 10;

/// Others are served at once. How fast, in a build that is optimised, is the bench's business: this
/// machine may be doing anything.
const AT_ONCE_FOR_OTHERS: Duration = Duration::from_secs(2);

fn flood_bytes() -> usize {
    let asked = std::env::var("STUI_TEST_FLOOD_MB").ok();
    let mb = asked.map_or(FLOOD_MB, |mb| mb.parse().expect("a number of megabytes"));
    mb * 1_000_000
}

#[test]
fn a_stopped_client_whose_session_is_flooded_goes_on_from_the_log() {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let mut daemon = Daemon::quiet(&["--image", image.endpoint(), "--image-events", &events]);
    let other = daemon.client();
    let mut watch = daemon
        .user()
        .command(&["attach", "--watch", "--create", "--json", "main"]);
    let mut stopped = Process::start("watching", &mut watch, daemon.dir());
    patience::until("somebody who watches", || {
        let sessions = other.ask::<ListSessions>(json!({})).sessions;
        sessions.into_iter().find(|it| !it.attached.is_empty())
    });

    stopped.signal(Signal::STOP);
    let pid = daemon.process().pid();
    let flooded = AtomicBool::new(false);
    let (took, most) = thread::scope(|scope| {
        scope.spawn(|| {
            let client = daemon.client();
            let session = client.attach("main");
            let code = "| s | s := String new: 999 withAll: $x. \
                        900 timesRepeat: [Transcript show: s; cr]. 42";
            for _ in 0..flood_bytes().div_ceil(AT_ONCE) {
                assert_eq!(session.value(code), "42");
            }
            flooded.store(true, Ordering::Relaxed);
        });
        let (mut took, mut most) = (Vec::new(), 0);
        while !flooded.load(Ordering::Relaxed) {
            let began = Instant::now();
            other.ask::<ListSessions>(json!({}));
            took.push(began.elapsed());
            most = most.max(Footprint::of(pid).resident_kib);
        }
        (took, most)
    });
    let longest = took.iter().max().expect("it was listed");
    assert!(*longest < AT_ONCE_FOR_OTHERS, "{longest:?}");
    assert!(most < MOST_KIB, "the daemon had {most} KiB");
    let end = other.ask::<Log>(json!({"session": "main", "limit": 1}));
    let end = end.position;

    stopped.signal(Signal::CONT);

    let seen = patience::until("the newest line", || {
        let seen = events_in(&stopped.log());
        (seen.iter().any(|event| event.position >= Some(end))).then_some(seen)
    });
    every_position_is_told_once(&seen);
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": "main", "since": end}));
    let value = client.evaluate(json!({"session": "main", "code": "3 + 4"}));
    assert_eq!(value.expect("seven").result, "7");
    patience::until("what comes later", || {
        let seen = events_in(&stopped.log());
        let last = seen.into_iter().rev();
        let mut ends = last.filter(|event| event.event == EventName::EvaluationFinished);
        (ends.next()?.data["result"]["result"] == "7").then_some(())
    });
}

/// The whole lines that were printed.
fn events_in(printed: &str) -> Vec<Event> {
    let whole = printed.rfind('\n').map_or("", |end| &printed[..end]);
    let lines = whole.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|wrong| panic!("{wrong}: {line}")))
        .collect()
}
