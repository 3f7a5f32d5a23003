//! What the daemon's own account means.

use std::time::Duration;

use stui_protocol::Timestamp;
use stui_protocol::daemon::{ImageState, ImageStatus, Level, StatusResult, StoreState};

use super::finding::Finding;
use crate::exit::Problem;
use crate::render::{image, store, time};

/// The version of this client.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What waits for longer than this is worth a look.
const LONG_MS: u64 = 60_000;

/// Whether client and daemon are of one version.
pub(super) fn versions(daemon: &str) -> Finding {
    if daemon == OWN_VERSION {
        return Finding::well("versions", format!("stui and stuid are {OWN_VERSION}"));
    }
    Finding::doubt(
        "versions",
        format!("stui is {OWN_VERSION}, the daemon that runs is {daemon}"),
        "restart the daemon after an upgrade; its sessions live in the image",
    )
}

/// Everything that `status` tells, from the daemon to the image.
pub(super) fn status(status: &StatusResult, now: Timestamp) -> Vec<Finding> {
    let mut findings = vec![daemon(status), clock(status, now)];
    findings.extend(kept(status));
    findings.extend(levels(&status.image));
    findings.extend(paused(status, now));
    findings.push(queue(status));
    findings.extend(clients(status));
    findings
}

fn daemon(status: &StatusResult) -> Finding {
    let daemon = &status.daemon;
    Finding::well("daemon", format!("process {} answers", daemon.pid))
}

fn clock(status: &StatusResult, now: Timestamp) -> Finding {
    if status.daemon.started_at > now {
        return Finding::doubt(
            "clock",
            format!(
                "it is {now}, and the daemon started at {}: the clock was set back",
                status.daemon.started_at
            ),
            "`timedatectl` shows whether it is kept right; times in logs are out of order",
        );
    }
    Finding::well("clock", "runs forward")
}

fn kept(status: &StatusResult) -> Option<Finding> {
    let kept = status.store.as_ref()?;
    let place = kept.path.as_deref().unwrap_or("memory");
    Some(match (kept.state, &kept.set_aside) {
        (StoreState::Degraded, _) => Finding::wrong(
            "store",
            store::state(kept),
            &format!("make room for {place} (`df -h`), or let the daemon write there"),
        ),
        (StoreState::Memory, _) => Finding::doubt(
            "store",
            store::state(kept),
            "name a directory with state.dir or --state-dir",
        ),
        (StoreState::Ok, Some(set_aside)) => Finding::doubt(
            "store",
            format!("something was damaged and set aside: {set_aside}"),
            "look whether the disk is sound; remove it when nobody needs it",
        ),
        (StoreState::Ok, None) => Finding::well("store", format!("all is on disk at {place}")),
    })
}

/// Each level rests on the one before.
fn levels(status: &ImageStatus) -> Vec<Finding> {
    let endpoint = &status.endpoint;
    if status.state == ImageState::Saving {
        let says = "the image saves itself and will answer later";
        return vec![Finding::unseen("listener", says)];
    }
    let link = match status.levels.link {
        Level::Up => Finding::well("link", format!("connected to {}", image::summary(status))),
        Level::Down => link_down(status),
        Level::Unknown => Finding::unseen("link", format!("connecting to {endpoint}")),
    };
    let why = status.reason.as_deref().unwrap_or("it does not answer");
    let listener = match status.levels.listener {
        Level::Up => Finding::well("listener", "answers"),
        Level::Down => Finding::wrong(
            "listener",
            why,
            "its process is stopped (`kill -CONT`), swaps, or runs code of high priority: `ps -o \
             stat,pcpu,rss -p PID`; at last stop the image and start it",
        ),
        Level::Unknown => Finding::unseen("listener", "not known while the link is not up"),
    };
    let lag = status.levels.evaluator_lag_ms.unwrap_or(0.0);
    let evaluator = match status.levels.evaluator {
        Level::Up => Finding::well("evaluator", format!("makes progress, {lag:.1} ms late")),
        Level::Down => Finding::wrong(
            "evaluator",
            why,
            "`stui admin show queue` names what runs, `stui interrupt SESSION` ends it",
        ),
        Level::Unknown => Finding::unseen("evaluator", "not known while the listener is not up"),
    };
    vec![link, listener, evaluator]
}

fn link_down(status: &ImageStatus) -> Finding {
    let nobody = format!("nobody is at {}", status.endpoint);
    match &status.reason {
        Some(refused) if *refused != nobody => Finding::wrong(
            "link",
            refused.clone(),
            "put the keys of both ends right: docs/security.md; the daemon asks again each second",
        ),
        _ => Finding::wrong(
            "link",
            nobody,
            "start the image (`systemctl status stui-image`), or set image.endpoint to where it is",
        ),
    }
}

fn paused(status: &StatusResult, now: Timestamp) -> Option<Finding> {
    let paused = status.paused.as_ref()?;
    Some(Finding::doubt(
        "pause",
        format!(
            "user {} (process {}) holds new work back since {}, {} requests wait",
            paused.uid,
            paused.pid,
            time::ago(paused.since, now),
            paused.waiting
        ),
        "`stui admin resume` lets it go on",
    ))
}

fn queue(status: &StatusResult) -> Finding {
    let queue = &status.queue;
    let says = format!(
        "{} evaluations run, {} wait",
        queue.running, queue.evaluations
    );
    if queue.evaluations + queue.requests > 0 && queue.oldest_ms > LONG_MS {
        let oldest = time::duration(Duration::from_millis(queue.oldest_ms));
        return Finding::doubt(
            "queue",
            format!("{says}, the oldest for {oldest}"),
            "`stui admin show queue` names it, `stui interrupt SESSION` ends it",
        );
    }
    Finding::well("queue", says)
}

fn clients(status: &StatusResult) -> Option<Finding> {
    (status.lagging > 0).then(|| {
        Finding::doubt(
            "clients",
            format!(
                "{} clients do not read what is there for them",
                status.lagging
            ),
            "`stui ls` shows where; nobody else is hurt, and they are disconnected after \
             clients.stall_timeout_ms",
        )
    })
}

/// Whether the image's events arrive.
pub(super) fn events(seen: Result<Option<bool>, Problem>) -> Finding {
    match seen {
        Ok(Some(true)) => Finding::well("events", "arrive"),
        Ok(Some(false)) => Finding::doubt(
            "events",
            "the image's events do not arrive: results are asked for, output comes with them",
            "set image.events_endpoint to where the image publishes, and let it be reached",
        ),
        Ok(None) => Finding::unseen("events", "only operators may see that"),
        Err(problem) => Finding::wrong("events", problem.to_string(), "look at the daemon's log"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::finding::State;
    use super::*;

    /// What a daemon answers when all is well.
    fn healthy() -> Value {
        let golden = include_str!("../../../../tests/golden/client/status.json");
        let golden: Value = serde_json::from_str(golden).unwrap();
        let mut status = golden["reply"]["result"].clone();
        status["store"]["set_aside"] = Value::Null;
        status
    }

    fn judged(status: &Value) -> Vec<Finding> {
        let status: StatusResult = serde_json::from_value(status.clone()).unwrap();
        super::status(&status, "2026-11-20T11:00:00Z".parse().unwrap())
    }

    #[test]
    fn nothing_is_said_against_a_daemon_that_is_well() {
        for finding in judged(&healthy()) {
            assert_eq!(finding.state, State::Well, "{finding:?}");
        }
    }

    #[test]
    fn each_ailment_is_named_where_it_is() {
        let at = "2026-11-20T10:59:00Z";
        let paused = json!({"operation": "pause", "since": at, "uid": 0, "pid": 7, "client": 1});
        let cases: [(&str, Value, &str, State, &str); 11] = [
            (
                "/daemon/started_at",
                json!("2026-11-20T12:00:00Z"),
                "clock",
                State::Doubt,
                "set back",
            ),
            (
                "/store/state",
                json!("degraded"),
                "store",
                State::Wrong,
                "CANNOT BE WRITTEN",
            ),
            (
                "/store/state",
                json!("memory"),
                "store",
                State::Doubt,
                "in memory",
            ),
            (
                "/store/set_aside",
                json!("/x.damaged"),
                "store",
                State::Doubt,
                "/x.damaged",
            ),
            (
                "/image/levels/link",
                json!("down"),
                "link",
                State::Wrong,
                "nobody is at tcp",
            ),
            (
                "/image/levels/listener",
                json!("down"),
                "listener",
                State::Wrong,
                "not answer",
            ),
            (
                "/image/levels/evaluator",
                json!("down"),
                "evaluator",
                State::Wrong,
                "",
            ),
            (
                "/image/state",
                json!("saving"),
                "listener",
                State::Unseen,
                "saves itself",
            ),
            ("/paused", paused, "pause", State::Doubt, "process 7"),
            (
                "/queue/oldest_ms",
                json!(90_000),
                "queue",
                State::Doubt,
                "1 m 30 s",
            ),
            ("/lagging", json!(2), "clients", State::Doubt, "2 clients"),
        ];
        for (place, value, part, state, says) in cases {
            let mut status = healthy();
            status["paused"] = Value::Null;
            *status.pointer_mut(place).unwrap() = value;
            let findings = judged(&status);
            let found = findings.iter().find(|finding| finding.part == part);
            let found = found.unwrap_or_else(|| panic!("{place}: {findings:?}"));
            assert_eq!(found.state, state, "{place}: {found:?}");
            assert!(found.says.contains(says), "{place}: {found:?}");
            assert_eq!(found.advice.is_some(), state != State::Unseen, "{place}");
            let ill = |each: &&Finding| each.state != State::Well;
            assert_eq!(
                findings.iter().filter(ill).count(),
                1,
                "{place}: {findings:?}"
            );
        }
    }

    #[test]
    fn another_version_and_missing_events_are_worth_a_note() {
        assert_eq!(versions(OWN_VERSION).state, State::Well);
        assert_eq!(versions("9.9.9").state, State::Doubt);
        assert_eq!(events(Ok(Some(false))).state, State::Doubt);
        assert_eq!(events(Ok(None)).state, State::Unseen);
    }
}
