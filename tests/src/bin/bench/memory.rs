//! What the daemon keeps resident, from `/proc`, without the image.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::json;
use stui_protocol::daemon::Attach;
use stui_tests::asking::new_id;
use stui_tests::footprint::Footprint;
use stui_tests::{Asking, Client, Daemon, Image, patience};

use crate::plan::Plan;
use crate::report::Report;

/// Sessions that evaluate.
const EVALUATING: usize = 20;

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let mut daemon = Daemon::quiet(&["--image", image.endpoint(), "--image-events", &events]);
    let pid = daemon.process().pid();
    report.table("Memory", &["stuid", "resident", "for each"]);
    let count = plan.idle;
    let started = tell("just started", None, pid, report);

    let idle: Vec<Client> = (0..count).map(|_| daemon.client()).collect();
    let what = format!("{count} clients that do nothing");
    let connected = tell(&what, Some((started, count)), pid, report);

    for (number, client) in idle.iter().enumerate() {
        let session = format!("idle{number}");
        client.ask::<Attach>(json!({"session": session, "create": true}));
    }
    let what = "… each attached to a session of its own";
    let attached = tell(what, Some((connected, count)), pid, report);

    let running: Vec<Client> = (0..EVALUATING).map(|_| with_a_job(&daemon)).collect();
    patience::until_within(plan.evaluating, &mut || None::<()>);
    let what = format!("… and {EVALUATING} more, each with an evaluation that prints");
    let printing = tell(&what, Some((attached, EVALUATING)), pid, report);
    drop(running);

    let evaluations = evaluate_beside(plan, &daemon, || {
        let what = format!("… and {EVALUATING} that evaluate without a pause");
        tell(&what, Some((printing, EVALUATING)), pid, report);
    });
    println!("\n{evaluations} evaluations meanwhile.");
}

/// A client whose session evaluates something that writes 20 lines in a second.
fn with_a_job(daemon: &Daemon) -> Client {
    let client = daemon.client();
    let session = client.attach(&new_id("job"));
    let code = "[Transcript show: 'working'; cr. (Delay forMilliseconds: 50) wait. true] whileTrue";
    session.start(code);
    client
}

/// Lets clients evaluate one after another for a while, then looks; answers how often they did.
fn evaluate_beside(plan: &Plan, daemon: &Daemon, look: impl FnOnce()) -> u64 {
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
        for _ in 0..EVALUATING {
            scope.spawn(evaluate);
        }
        patience::until_within(plan.evaluating, &mut || None::<()>);
        look();
        stop.store(true, Ordering::Relaxed);
    });
    done.into_inner()
}

/// A row with the resident set of a process, and what that is more for each of those that were
/// added. Answers it in KiB.
fn tell(what: &str, more: Option<(f64, usize)>, pid: u32, report: &mut Report) -> f64 {
    let resident = Footprint::of(pid).resident_kib as f64;
    let each = more.map(|(before, count)| format!("{:.1} KiB", (resident - before) / count as f64));
    report.row(vec![
        what.to_owned(),
        format!("{:.1} MiB", resident / 1024.0),
        each.unwrap_or_default(),
    ]);
    resident
}
