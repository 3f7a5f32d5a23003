//! Memory and latency of `stuid` in front of an image in another process, as Markdown for
//! docs/performance.md.
//!
//! `cargo run --release -p stui-tests --bin bench` measures what the page shows,
//! `… --bin bench -- --quick` whether the numbers still look as they did, in seconds.

#![allow(clippy::unwrap_used, clippy::expect_used)] // as the cast: whatever goes wrong ends it
#![allow(clippy::print_stdout)] // the table is the result

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stui_protocol::daemon::Attach;
use stui_tests::asking::{new_id, request};
use stui_tests::{Asking, Client, Daemon, Image, patience};

/// How much is measured.
struct Plan {
    idle: usize,
    evaluating: usize,
    evaluating_for: Duration,
    rounds: usize,
}

const WHOLE: Plan = Plan {
    idle: 200,
    evaluating: 20,
    evaluating_for: Duration::from_secs(10),
    rounds: 5000,
};

const QUICK: Plan = Plan {
    evaluating_for: Duration::from_secs(1),
    rounds: 300,
    ..WHOLE
};

fn main() {
    let plan = match std::env::args().nth(1).as_deref() {
        None => WHOLE,
        Some("--quick") => QUICK,
        Some(other) => panic!("--quick is the only option, not {other}"),
    };
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let mut daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &events]);
    println!("{}\n", machine());
    latency(&plan, &image, &daemon);
    // A daemon that has done nothing yet.
    drop(daemon);
    daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &events]);
    memory(&plan, &mut daemon);
}

/// What it was measured on.
fn machine() -> String {
    let cpus = thread::available_parallelism().map_or(0, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |name| {
        name.trim_start_matches(['\t', ' ', ':'])
    });
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!("{cpus} × {model}, {profile} build, image in another process, ipc between them.")
}

/// Round trips, directly to the image and through the daemon, in turns.
fn latency(plan: &Plan, image: &Image, daemon: &Daemon) {
    let direct = image.client();
    let through = daemon.client();
    let mine = direct.session();
    let theirs = through.session();
    println!("| round trip | direct p50 | p99 | through stuid p50 | p99 | ratio p50 | p99 |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let evaluation = json!({"code": "3 + 4", "wait_ms": 5000, "keep_result": false});
    row(
        "ping",
        plan.rounds,
        [&mut || time(&direct, "ping", &json!({})), &mut || {
            time(&through, "ping", &json!({}))
        }],
    );
    row(
        "evaluate `3 + 4`",
        plan.rounds,
        [
            &mut || time(&direct, "evaluate", &mine.with(evaluation.clone())),
            &mut || time(&through, "evaluate", &theirs.with(evaluation.clone())),
        ],
    );
    println!();
}

fn row(name: &str, rounds: usize, mut ways: [&mut dyn FnMut() -> Duration; 2]) {
    // The first ones warm up.
    let warm_up = rounds / 10;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds + warm_up {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            let time = way();
            if round >= warm_up {
                times.push(time);
            }
        }
    }
    let [direct, through] = times.map(|mut times| {
        times.sort_unstable();
        [times[times.len() / 2], times[times.len() * 99 / 100]].map(|time| time.as_secs_f64() * 1e6)
    });
    println!(
        "| {name} | {:.0} µs | {:.0} µs | {:.0} µs | {:.0} µs | {:.2} × | {:.2} × |",
        direct[0],
        direct[1],
        through[0],
        through[1],
        through[0] / direct[0],
        through[1] / direct[1],
    );
}

fn time(asking: &impl Asking, command: &str, parameters: &Value) -> Duration {
    let request = request(&new_id("bench"), command, parameters);
    let began = Instant::now();
    let reply = asking.exchange(&request);
    let took = began.elapsed();
    assert!(reply.outcome.is_ok(), "{reply:?}");
    took
}

/// What the daemon keeps resident with clients attached and some of them evaluating.
fn memory(plan: &Plan, daemon: &mut Daemon) {
    let pid = daemon.process().pid();
    println!("| stuid | resident | most so far |");
    println!("| --- | --- | --- |");
    resident("just started", pid);

    let idle: Vec<Client> = (0..plan.idle)
        .map(|number| attached(daemon, number))
        .collect();
    resident(
        &format!(
            "{} clients attached, each to a session of its own",
            idle.len()
        ),
        pid,
    );

    let running: Vec<Client> = (0..plan.evaluating).map(|_| with_a_job(daemon)).collect();
    let what = format!(
        "… and {} more, an evaluation under way in each",
        running.len()
    );
    let mut still = || None::<()>;
    patience::until_within(plan.evaluating_for, &mut still);
    resident(&what, pid);
    drop(running);

    let evaluations = evaluate_beside(plan, daemon, pid);
    let seconds = plan.evaluating_for.as_secs_f64();
    println!(
        "\n{:.0} evaluations in a second.",
        evaluations as f64 / seconds
    );
}

fn attached(daemon: &Daemon, number: usize) -> Client {
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": format!("idle{number}"), "create": true}));
    client
}

/// A client whose session evaluates something that writes 20 lines in a second.
fn with_a_job(daemon: &Daemon) -> Client {
    let client = daemon.client();
    let session = client.attach(&new_id("job"));
    let code = "[Transcript show: 'working'; cr. (Delay forMilliseconds: 50) wait. true] whileTrue";
    session.start(code);
    client
}

/// Lets clients evaluate one after another for a while; answers how often they did.
fn evaluate_beside(plan: &Plan, daemon: &Daemon, pid: u32) -> u64 {
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let evaluate = || {
        let client = daemon.client();
        let session = client.attach(&new_id("busy"));
        while !stop.load(Ordering::Relaxed) {
            let code =
                "Transcript show: 'working'; cr. (1 to: 100) inject: 0 into: [:a :b | a + b]";
            let parameters = session.with(json!({"code": code, "wait_ms": 5000}));
            let reply = client.reply("evaluate", parameters);
            assert!(reply.outcome.is_ok(), "{reply:?}");
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..plan.evaluating)
            .map(|_| scope.spawn(evaluate))
            .collect();
        let ended = || {
            running
                .iter()
                .any(|client| client.is_finished())
                .then_some(())
        };
        let broken = patience::until_within(plan.evaluating_for, &mut || ended());
        assert!(broken.is_none(), "a client ended early");
        let what = format!("… and {} that evaluate without a pause", running.len());
        resident(&what, pid);
        stop.store(true, Ordering::Relaxed);
    });
    done.into_inner()
}

/// A row with the resident set of a process now and at its largest, from /proc.
fn resident(what: &str, pid: u32) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running stuid");
    let mib = |key: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .expect(key);
        let kib: f64 = line
            .trim_end_matches("kB")
            .trim()
            .parse()
            .expect("a number of kB");
        kib / 1024.0
    };
    println!(
        "| {what} | {:.1} MiB | {:.1} MiB |",
        mib("VmRSS:"),
        mib("VmHWM:")
    );
}
