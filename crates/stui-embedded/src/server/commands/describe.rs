//! `describe`.

use serde_json::{Map, Value, json};
use stui_protocol::image::{Describe, DescribeResult, ImageCommand, ImageDescription};
use stui_protocol::{Version, limits};

use super::{Done, answer, contexts, session_state};
use crate::server::image::MAX_WAIT;
use crate::server::image::{BEAT, Image};
use crate::server::{debuggers, evaluations, history, objects};

/// What this image is, as `describe` and `system_info` say it.
pub(super) const KIND: &str = "embedded";

/// `describe`.
pub(super) fn run(image: &Image) -> Done {
    let mut features = vec!["evaluations", "debugger", "inspector", "tests", "code"];
    if image.publisher.endpoint().is_some() {
        features.push("events");
    }
    if image.store.is_some() {
        features.extend(["contexts", "snapshot"]);
    }
    answer::<Describe>(&DescribeResult {
        versions: Version::SPOKEN.to_vec(),
        commands: ImageCommand::NAMES
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        features: features.into_iter().map(str::to_owned).collect(),
        instance: image.instance.clone(),
        image: ImageDescription {
            kind: KIND.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: image.name.clone(),
        },
        limits: announced(image),
        event_endpoint: image.publisher.endpoint().map(str::to_owned),
        more: Map::new(),
    })
}

fn announced(image: &Image) -> Map<String, Value> {
    let bounds = &image.bounds;
    let all = json!({
        "message_bytes": limits::MAX_MESSAGE_BYTES,
        "sessions": bounds.sessions,
        "sessions_per_client": bounds.sessions_per_client,
        "session_timeout_s": bounds.session_timeout_s,
        "session_state_bytes": session_state::MAX_STATE_BYTES,
        "cleanup_interval_s": BEAT.as_secs(),
        "evaluations_running": evaluations::MAX_RUNNING,
        "timeout_ms": bounds.timeout_ms,
        "wait_ms": MAX_WAIT.as_millis() as u64,
        "output_bytes": bounds.output_bytes,
        "print_limit": super::evaluate::MAX_PRINT_LIMIT,
        "history_entries": history::MAX_ENTRIES,
        "objects_per_session": objects::MAX_OBJECTS,
        "debug_sessions": debuggers::MAX_DEBUG_SESSIONS,
        "contexts_per_session": contexts::MAX_CONTEXTS,
        "context_bytes": contexts::MAX_CONTEXT_BYTES,
        "heap_bytes": bounds.vm.heap_bytes,
        "frames": bounds.vm.frames,
        "processes": bounds.vm.processes,
    });
    match all {
        Value::Object(limits) => limits,
        _ => Map::new(),
    }
}
