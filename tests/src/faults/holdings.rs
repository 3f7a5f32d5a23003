//! What the processes of a row hold before the faults and must have given back after them.

use serde_json::json;
use stui_protocol::daemon::{Admin, Shown, Status};

use super::ledger::Language;
use super::scene::Scene;
use crate::asking::Asking;
use crate::daemon::Daemon;
use crate::footprint::Footprint;
use crate::patience;

/// Memory of a daemon that may come and go: the logs and histories of the load, which have bounds.
const DAEMON_SLACK_KIB: u64 = 24 * 1024;

/// Memory of an image that may come and go: it collects its garbage when there are 32 MiB of it.
const IMAGE_SLACK_KIB: u64 = 96 * 1024;

/// Bytes that a number of the ledger takes in the image, at most.
const LEDGER_BYTES: u64 = 64;

/// Bytes of live objects that may come and go: histories, which have bounds.
const HEAP_SLACK_BYTES: u64 = 1024 * 1024;

/// What is held at one moment, while one client looks.
#[derive(Debug)]
pub(super) struct Holdings {
    daemon: Footprint,
    others: Vec<Footprint>,
    heap_bytes: Option<u64>,
}

impl Holdings {
    /// What a scene holds when its load is gone.
    pub(super) fn of(scene: &mut impl Scene) -> Self {
        let looking = scene.daemon().client();
        patience::until("the end of the other clients", || {
            (looking.ask::<Status>(json!({})).clients == 1).then_some(())
        });
        // Its connections are all there, too: one that came later would be taken for a leak.
        patience::until("the event link", || {
            let question = json!({"operation": "show", "what": "image"});
            let shown = looking.ask::<Admin>(question).shown;
            matches!(shown, Some(Shown::Image(image)) if image.events).then_some(())
        });
        let heap_bytes = heap_bytes(scene.language(), scene.daemon());
        Self {
            heap_bytes,
            daemon: Footprint::of(scene.daemon().process().pid()),
            others: scene.processes().into_iter().map(Footprint::of).collect(),
        }
    }

    /// Waits until the scene holds no more than this; answers what it does not give back after so
    /// many requests.
    pub(super) fn left_over(&self, scene: &mut impl Scene, requests: usize) -> Vec<String> {
        let _looking = scene.daemon().client();
        let daemon = scene.daemon().process().pid();
        // The image is inside of the daemon when nobody else is it.
        let is_alone = self.others.is_empty() && scene.language() == Language::Smalltalk;
        let inside = if is_alone { IMAGE_SLACK_KIB } else { 0 };
        let kept = self.daemon.left_over(daemon, DAEMON_SLACK_KIB + inside);
        let mut leaks = named("daemon", kept);
        for (pid, before) in scene.processes().into_iter().zip(&self.others) {
            leaks.extend(named("image", before.left_over(pid, IMAGE_SLACK_KIB)));
        }
        let heap_bytes = heap_bytes(scene.language(), scene.daemon());
        if let (Some(before), Some(now)) = (self.heap_bytes, heap_bytes)
            && now > before + HEAP_SLACK_BYTES + requests as u64 * LEDGER_BYTES
        {
            leaks.push(format!(
                "the image keeps {now} bytes of objects, before {before}"
            ));
        }
        leaks
    }
}

fn named(who: &str, leaks: Vec<String>) -> Vec<String> {
    let name = |leak| format!("the {who} keeps {leak}");
    leaks.into_iter().map(name).collect()
}

/// Bytes of the objects that live in an image; none for one that has no objects.
fn heap_bytes(language: Language, daemon: &Daemon) -> Option<u64> {
    if language == Language::Codes {
        return None;
    }
    let collected = daemon
        .client()
        .evaluate(json!({"code": "Smalltalk garbageCollect"}));
    let bytes = collected.expect("a collection of garbage").result;
    Some(bytes.parse().expect("a number of bytes"))
}
