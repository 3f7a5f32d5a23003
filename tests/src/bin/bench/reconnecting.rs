//! An image that goes away and comes back: how soon everybody is told.

use stui_tests::{Daemon, Scripted};

use crate::numbers::Times;
use crate::plan::Plan;
use crate::report::Report;
use crate::watcher::Watcher;

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let image = Scripted::start();
    let events = image.events_endpoint();
    let daemon = Daemon::quiet(&["--image", image.endpoint(), "--image-events", events]);
    let mut watcher = Watcher::subscribe(&daemon.socket());
    let (mut down, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..plan.returns {
        let began = std::time::Instant::now();
        image.vanish();
        down.push(watcher.wait_for("\"state\":\"down\"") - began);
        image.come_back(true);
        // Its socket has been bound a moment ago.
        let bound = std::time::Instant::now();
        let told = watcher.wait_for("\"state\":\"ready\"");
        ready.push(told.saturating_duration_since(bound));
    }
    report.table("Reconnection", &["from … to", "times", "p50", "longest"]);
    for (what, times) in [
        ("the image goes away … a client is told `down`", down),
        ("the image binds again … a client is told `ready`", ready),
    ] {
        let [count, p50, _, longest] = Times::new(times).cells();
        report.row(vec![what.to_owned(), count, p50, longest]);
    }
}
