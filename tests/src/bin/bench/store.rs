//! Sessions with long logs: how long the daemon takes to start before them, what it keeps in
//! memory for each, how long it takes to attach to one and have its log.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stui_protocol::daemon::{ListSessions, Log};
use stui_tests::asking::request;
use stui_tests::footprint::Footprint;
use stui_tests::patience::PATIENCE;
use stui_tests::{Asking, Client, Daemon, Image, patience};

use crate::numbers::Times;
use crate::plan::Plan;
use crate::report::Report;

/// Writes 50 kB; the log has them twice, as output and in the outcome.
const WRITES: &str = "| s | s := String new: 999 withAll: $x. \
                      50 timesRepeat: [Transcript show: s; cr]. 42";

/// How long a daemon that rests does not change.
const RESTS: Duration = Duration::from_secs(3);

/// So often that the log, which is bounded by 1 MiB, drops its first lines.
const EVALUATIONS: usize = 12;

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("stuid.toml");
    // Contexts are the image's business.
    let text = "[sessions]\nautosave = \"off\"\n[limits]\nsessions_per_owner = 1000\n";
    std::fs::write(&config, text).expect("a configuration");
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let mut daemon = Daemon::quiet(&[
        "--config",
        config.to_str().expect("a path"),
        "--image",
        image.endpoint(),
        "--image-events",
        &events,
    ]);
    let empty = resident_kib(&mut daemon);
    let count = plan.logged;
    fill(&daemon, count);
    let filled = resident_kib(&mut daemon);
    let (ordered, killed) = starts(plan, &mut daemon);
    let started = resident_kib(&mut daemon);
    let (attached, lines) = attachments(plan, &daemon);
    let replayed = resident_kib(&mut daemon);

    let title = format!("{count} sessions with 1 MiB of log each");
    report.table(&title, &["what", "times", "p50", "p99", "longest"]);
    for (what, times) in [
        ("start after an end in order, until all are listed", ordered),
        ("start after `kill -9`, until all are listed", killed),
        ("from connecting to the last line of the log", attached),
    ] {
        let [count, p50, p99, longest] = Times::new(times).cells();
        report.row(vec![what.to_owned(), count, p50, p99, longest]);
    }
    println!("\n{lines} lines were replayed in the last of them.");
    report.table(
        "Memory of these sessions",
        &["stuid", "resident", "for each"],
    );
    for (what, resident) in [
        ("no session", empty),
        ("their logs were written", filled),
        ("started again", started),
        ("their logs were read", replayed),
    ] {
        let each = (resident - empty) / count as f64;
        report.row(vec![
            what.to_owned(),
            format!("{:.1} MiB", resident / 1024.0),
            format!("{each:.1} KiB"),
        ]);
    }
}

fn name(number: usize) -> String {
    format!("logged{number}")
}

/// Makes the sessions and their logs.
fn fill(daemon: &Daemon, count: usize) {
    let client = daemon.client();
    for number in 0..count {
        let session = client.attach(&name(number));
        for _ in 0..EVALUATIONS {
            assert_eq!(session.value(WRITES), "42");
        }
    }
    let last = json!({"session": name(count - 1), "since": 0, "limit": 1});
    let first = client.ask::<Log>(last).events.swap_remove(0);
    assert!(
        first.data.get("from").is_some(),
        "the log is not full: {first:?}"
    );
}

/// Starts it again and again; answers how long that took after each kind of end.
fn starts(plan: &Plan, daemon: &mut Daemon) -> (Vec<Duration>, Vec<Duration>) {
    let (mut ordered, mut killed) = (Vec::new(), Vec::new());
    for _ in 0..plan.starts {
        daemon.terminate();
        ordered.push(start(plan.logged, daemon));
        daemon.kill();
        killed.push(start(plan.logged, daemon));
    }
    (ordered, killed)
}

fn start(count: usize, daemon: &mut Daemon) -> Duration {
    let began = Instant::now();
    daemon.start_again();
    let client: Client = daemon.client();
    let listed = client.ask::<ListSessions>(json!({})).sessions;
    let took = began.elapsed();
    assert_eq!(listed.len(), count);
    assert!(listed.iter().all(|each| each.lost.is_none()));
    took
}

/// Attaches from the beginning of the log of one session after the other; answers the times, and
/// how many lines came last.
fn attachments(plan: &Plan, daemon: &Daemon) -> (Vec<Duration>, usize) {
    let mut lines = 0;
    let times = (0..plan.replays).map(|number| {
        let began = Instant::now();
        lines = replay(&daemon.socket(), &name(number % plan.logged));
        began.elapsed()
    });
    (times.collect(), lines)
}

/// Reads a whole log; answers how many lines it has.
fn replay(socket: &Path, session: &str) -> usize {
    let stream = UnixStream::connect(socket).expect("a daemon");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut stream = BufReader::with_capacity(256 * 1024, stream);
    let question = request("attach", "attach", &json!({"session": session, "since": 0}));
    let asked = format!("{question}\n");
    let sent = stream.get_mut().write_all(asked.as_bytes());
    sent.expect("attaching");
    let mut line = String::new();
    let end = loop {
        line.clear();
        stream.read_line(&mut line).expect("a reply");
        if line.starts_with("{\"id\"") {
            let reply: Value = serde_json::from_str(&line).expect("JSON");
            break reply["result"]["position"].as_u64().expect("a position");
        }
    };
    let last = format!("\"position\":{end},");
    let (mut lines, mut bytes) = (0, 0);
    loop {
        line.clear();
        let count = stream.read_line(&mut line).expect("a line");
        assert!(count > 0, "the daemon is gone");
        (lines, bytes) = (lines + 1, bytes + count);
        if line.contains(&last) {
            assert!(bytes > 900_000, "only {bytes} bytes were replayed");
            return lines;
        }
    }
}

/// The daemon's resident set when it rests: it does not change any more.
fn resident_kib(daemon: &mut Daemon) -> f64 {
    let pid = daemon.process().pid();
    let resident = || Footprint::of(pid).resident_kib;
    let (mut last, mut since) = (resident(), Instant::now());
    patience::until("a daemon that rests", || {
        let now = resident();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        (since.elapsed() >= RESTS).then_some(())
    });
    last as f64
}
