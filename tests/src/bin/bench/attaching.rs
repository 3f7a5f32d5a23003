//! From nothing to an attached client.

use std::time::Instant;

use serde_json::json;
use stui_tests::asking::new_id;
use stui_tests::{Daemon, Image};

use crate::numbers::Times;
use crate::plan::Plan;
use crate::report::Report;
use crate::speaker::Speaker;

pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let image = Image::embedded();
    let events = image.events_endpoint().expect("an event link");
    let daemon = Daemon::quiet(&["--image", image.endpoint(), "--image-events", &events]);
    let socket = daemon.socket();
    let attach = |name: &str| {
        let began = Instant::now();
        let mut speaker = Speaker::line(&socket);
        let greeted = began.elapsed();
        speaker.result("attach", &json!({"session": name, "create": true}));
        (greeted, began.elapsed(), speaker)
    };
    let (mut greeted, mut attached, mut made) = (Vec::new(), Vec::new(), Vec::new());
    // Kept: a session of its own is made for each.
    let known = attach("known").2;
    drop(known);
    for _ in 0..plan.attachments {
        let (hello, whole, speaker) = attach("known");
        greeted.push(hello);
        attached.push(whole);
        drop(speaker);
        let name = new_id("new");
        let (_, whole, mut speaker) = attach(&name);
        made.push(whole);
        speaker.result("kill_session", &json!({"session": name}));
    }
    report.table(
        "Attaching",
        &["from connecting to …", "times", "p50", "p99"],
    );
    for (what, times) in [
        ("the daemon's hello", greeted),
        ("attached to a session that is there", attached),
        ("attached to a session that is made for it", made),
    ] {
        let [count, p50, p99, _] = Times::new(times).cells();
        report.row(vec![what.to_owned(), count, p50, p99]);
    }
}
