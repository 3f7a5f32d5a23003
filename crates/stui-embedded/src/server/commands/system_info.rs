//! `system_info`: each group of facts is a set of keys; `All` is the union.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value, json};
use stui_protocol::image::{InfoType, SystemInfo, SystemInfoResult};

use super::describe::KIND;
use super::ping::uptime;
use super::{Done, answer};
use crate::server::image::Image;

/// `system_info`.
pub(super) fn run(image: &Image, command: &SystemInfo) -> Done {
    let groups: &[fn(&Image) -> Value] = match command.info_type {
        InfoType::Basic => &[basic],
        InfoType::Memory => &[memory],
        InfoType::Packages => &[packages],
        InfoType::Environment => &[environment],
        InfoType::All => &[basic, memory, packages, environment],
    };
    let mut info = Map::new();
    for group in groups {
        if let Value::Object(facts) = group(image) {
            info.extend(facts);
        }
    }
    answer::<SystemInfo>(&SystemInfoResult { info })
}

fn basic(image: &Image) -> Value {
    json!({
        "kind": KIND,
        "name": image.name,
        "version": env!("CARGO_PKG_VERSION"),
        "instance": image.instance,
        "started_at": image.started_at,
        "uptime": uptime(image, Instant::now()),
        "classes": image.vm.classes().len(),
        "sessions": image.sessions.len(),
        "evaluations_running": image.evaluations.running(),
    })
}

fn memory(image: &Image) -> Value {
    let heap = image.vm.heap_stats();
    json!({
        "heap_bytes": heap.bytes,
        "heap_limit_bytes": heap.limit_bytes,
        "objects": heap.objects,
        "collections": heap.collections,
    })
}

fn packages(image: &Image) -> Value {
    let mut packages: BTreeMap<String, usize> = BTreeMap::new();
    for class in image.vm.classes() {
        *packages.entry(class.package).or_default() += 1;
    }
    let list: Vec<Value> = packages
        .into_iter()
        .map(|(name, classes)| json!({"name": name, "classes": classes}))
        .collect();
    json!({"packages": list})
}

fn environment(image: &Image) -> Value {
    json!({
        "os": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "process_id": std::process::id(),
        "event_endpoint": image.publisher.endpoint(),
        "state_dir": image.store.as_ref().map(|store| store.folder().display().to_string()),
    })
}
