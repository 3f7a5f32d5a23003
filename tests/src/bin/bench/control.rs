//! What one needs when an image is busy: does it answer, and can a loop be stopped?

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use stui_tests::asking::new_id;
use stui_tests::{Daemon, Image};

use crate::load::Client;
use crate::numbers::Times;
use crate::plan::Plan;
use crate::report::Report;
use crate::speaker::Speaker;

/// Sessions that loop for ever.
const LOOPING: usize = 20;
/// Clients that evaluate without a pause.
const EVALUATING: usize = 10;

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let daemon = Daemon::quiet(&["--image", image.endpoint(), "--image-events", &events]);
    report.table("Control", &["while …", "what", "times", "p50", "p99"]);
    tell(plan, &daemon, "nothing else happens", report);

    let mut speaker = Speaker::line(&daemon.socket());
    for _ in 0..LOOPING {
        start_loop(&mut speaker, &new_id("loop"));
    }
    let load = format!("{LOOPING} sessions loop");
    tell(plan, &daemon, &load, report);

    let stop = AtomicBool::new(false);
    let evaluate = || {
        let mut speaker = Speaker::line(&daemon.socket());
        let mut parameters = speaker.session(&new_id("busy"));
        parameters["code"] = "3 + 4".into();
        let mut client = Client::new(speaker, "evaluate", parameters);
        while !stop.load(Ordering::Relaxed) {
            client.time();
        }
    };
    thread::scope(|scope| {
        for _ in 0..EVALUATING {
            scope.spawn(evaluate);
        }
        let load = format!("… and {EVALUATING} clients evaluate without a pause");
        tell(plan, &daemon, &load, report);
        stop.store(true, Ordering::Relaxed);
    });
}

/// Starts a loop in a session of that name, which is made.
fn start_loop(speaker: &mut Speaker, name: &str) {
    speaker.session(name);
    let code = "[true] whileTrue";
    speaker.result("submit", &json!({"session": name, "code": code}));
}

fn tell(plan: &Plan, daemon: &Daemon, load: &str, report: &mut Report) {
    let mut pings = Client::new(Speaker::line(&daemon.socket()), "ping", json!({}));
    let pings = (0..plan.interrupts).map(|_| pings.time()).collect();
    let interrupts = (0..plan.interrupts).map(|_| interrupt(daemon)).collect();
    for (what, times) in [("ping", pings), ("interrupt of a loop", interrupts)] {
        let [count, p50, p99, _] = Times::new(times).cells();
        report.row(vec![load.to_owned(), what.to_owned(), count, p50, p99]);
    }
}

/// From asking for the interrupt of a loop to its evaluation's end.
fn interrupt(daemon: &Daemon) -> Duration {
    let mut speaker = Speaker::line(&daemon.socket());
    let name = new_id("stopped");
    start_loop(&mut speaker, &name);
    let began = Instant::now();
    speaker.result("interrupt", &json!({"session": name}));
    let took = began.elapsed();
    speaker.result("kill_session", &json!({"session": name}));
    took
}
