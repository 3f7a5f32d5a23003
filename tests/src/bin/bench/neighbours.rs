//! Noisy neighbours: one session loops for ever, one prints without end, and a client that is
//! attached to that one is stopped. What do ten others notice of it?
//!
//! *The daemon's share* of a request is the time that its client waits, less the time that it is
//! in the image: from its arrival at the image's end of the link to the moment when its outcome
//! leaves there ([`crate::relay`]). Waiting for others in the daemon is in it, and so are both
//! ways between client and daemon and between daemon and image.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use stui_tests::asking::new_id;
use stui_tests::process::Process;
use stui_tests::{Daemon, Image, binaries, patience};

use crate::numbers::{Times, shown};
use crate::plan::Plan;
use crate::relay::Relay;
use crate::report::Report;
use crate::speaker::{Question, Speaker};

/// Sessions that work beside the noise.
const OTHERS: usize = 10;

/// What the others ask for, in turns.
const COMMANDS: [&str; 3] = ["ping", "list_sessions", "evaluate"];

/// How long one request took.
struct Took {
    command: &'static str,
    whole: Duration,
    /// Without the time in the image.
    share: Duration,
}

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let relay = Relay::start(image.endpoint(), &events);
    let daemon = Daemon::quiet(&[
        "--image",
        &relay.endpoint,
        "--image-events",
        &relay.events_endpoint,
    ]);
    report.table(
        "Noisy neighbours",
        &[
            "neighbours",
            "request",
            "times",
            "p50",
            "p99",
            "daemon's share p50",
            "p99",
            "longest",
        ],
    );
    tell("none", &work(plan, &daemon, &relay), report);

    let _noise = Noise::begin(&daemon);
    let took = work(plan, &daemon, &relay);
    tell("a loop, a printer, a stopped client", &took, report);
}

/// The neighbours, as long as it lives.
struct Noise {
    _stopped: Process,
}

impl Noise {
    fn begin(daemon: &Daemon) -> Self {
        let mut speaker = Speaker::line(&daemon.socket());
        for (name, code) in [
            ("looping", "[true] whileTrue"),
            (
                "printing",
                "[Transcript show: 'all work and no play'; cr. true] whileTrue",
            ),
        ] {
            speaker.session(name);
            speaker.result("submit", &json!({"session": name, "code": code}));
        }
        let mut command = Command::new(binaries::stui());
        command
            .arg("--socket")
            .arg(daemon.socket())
            .args(["attach", "printing", "--watch", "--json"]);
        let mut watching = Process::start("watcher", &mut command, daemon.dir());
        patience::until("a client that gets the output", || {
            watching.log().contains("no play").then_some(())
        });
        watching.signal(Signal::STOP);
        Self { _stopped: watching }
    }
}

/// Ten clients work for a while, each in a session of its own.
fn work(plan: &Plan, daemon: &Daemon, relay: &Relay) -> Vec<Took> {
    thread::scope(|scope| {
        let others: Vec<_> = (0..OTHERS)
            .map(|_| scope.spawn(|| work_alone(plan, daemon, relay)))
            .collect();
        let took = others.into_iter().map(|other| other.join());
        took.flat_map(|took| took.expect("a client that got its answers"))
            .collect()
    })
}

fn work_alone(plan: &Plan, daemon: &Daemon, relay: &Relay) -> Vec<Took> {
    let mut speaker = Speaker::line(&daemon.socket());
    let mut evaluation = speaker.session(&new_id("other"));
    evaluation["code"] = "3 + 4".into();
    let began = Instant::now();
    let mut took = Vec::new();
    while began.elapsed() < plan.noise {
        for command in COMMANDS {
            let id = new_id("n");
            let parameters = match command {
                "ping" => json!({ "message": id }),
                "evaluate" => evaluation.clone(),
                _ => json!({}),
            };
            let question = Question::new(&id, command, &parameters);
            let began = Instant::now();
            speaker.ask(&question);
            let ended = Instant::now();
            took.push(Took {
                command,
                whole: ended - began,
                share: share(relay, &id, began, ended),
            });
        }
    }
    took
}

fn share(relay: &Relay, key: &str, began: Instant, ended: Instant) -> Duration {
    let Some(stay) = relay.take(key) else {
        // The daemon answers `list_sessions` alone.
        return ended - began;
    };
    let left = stay.left.expect("an outcome that came from the image");
    (stay.came - began) + ended.saturating_duration_since(left)
}

fn tell(neighbours: &str, took: &[Took], report: &mut Report) {
    for command in COMMANDS {
        let of = |time: fn(&Took) -> Duration| {
            let mine = took.iter().filter(|took| took.command == command);
            Times::new(mine.map(time).collect())
        };
        let (whole, share) = (of(|took| took.whole), of(|took| took.share));
        report.row(vec![
            neighbours.to_owned(),
            command.to_owned(),
            whole.count().to_string(),
            shown(whole.p50()),
            shown(whole.p99()),
            shown(share.p50()),
            shown(share.p99()),
            shown(share.longest()),
        ]);
    }
}
