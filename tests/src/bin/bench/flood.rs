//! A client is stopped while its session is flooded: what others notice of it.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use stui_protocol::daemon::ListSessions;
use stui_tests::footprint::Footprint;
use stui_tests::{Asking, Daemon, Image, patience};

use crate::numbers::Times;
use crate::plan::Plan;
use crate::report::Report;

/// Bytes that one evaluation writes.
const AT_ONCE: usize = 900_000;

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let mut daemon = Daemon::quiet(&["--image", image.endpoint(), "--image-events", &events]);
    let pid = daemon.process().pid();
    report.table(
        &format!(
            "A stopped client's session gets {} MB",
            plan.flood / 1_000_000
        ),
        &[
            "while …",
            "`stui ls`",
            "p50",
            "p99",
            "longest",
            "stuid, most",
        ],
    );
    let looking = || look(&daemon, pid, plan.looks, &AtomicBool::new(false));
    tell("nothing else happens", looking(), report);

    let user = daemon.user();
    let mut stopped = user
        .command(&["attach", "--watch", "--create"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("stui");
    let observer = daemon.client();
    patience::until("somebody who watches", || {
        let sessions = observer.ask::<ListSessions>(json!({})).sessions;
        sessions
            .iter()
            .find(|each| !each.attached.is_empty())
            .map(drop)
    });
    let stopped_pid = Pid::from_child(&stopped);
    kill_process(stopped_pid, Signal::STOP).expect("stopping it");
    let flooded = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        scope.spawn(|| {
            let client = daemon.client();
            let session = client.attach("main");
            let code = "| s | s := String new: 999 withAll: $x. \
                        900 timesRepeat: [Transcript show: s; cr]. 42";
            for _ in 0..plan.flood.div_ceil(AT_ONCE) {
                assert_eq!(session.value(code), "42");
            }
            flooded.store(true, Ordering::Relaxed);
        });
        look(&daemon, pid, usize::MAX, &flooded)
    });
    tell("it is flooded", seen, report);
    stopped.kill().expect("killing a stopped client");
    stopped.wait().expect("its end");
}

/// Lists the sessions so many times, or until it is enough; answers how long that took and the
/// most memory that the daemon had.
fn look(daemon: &Daemon, pid: u32, times: usize, enough: &AtomicBool) -> (Vec<Duration>, u64) {
    let user = daemon.user();
    let (mut took, mut most) = (Vec::new(), 0);
    while took.len() < times && !enough.load(Ordering::Relaxed) {
        let began = Instant::now();
        let listed = user.run(&["ls"]);
        took.push(began.elapsed());
        assert_eq!(listed.code, Some(0), "{listed:?}");
        most = most.max(Footprint::of(pid).resident_kib);
    }
    (took, most)
}

fn tell(what: &str, (took, most_kib): (Vec<Duration>, u64), report: &mut Report) {
    let [count, p50, p99, longest] = Times::new(took).cells();
    let most = format!("{:.1} MiB", most_kib as f64 / 1024.0);
    report.row(vec![what.to_owned(), count, p50, p99, longest, most]);
}
