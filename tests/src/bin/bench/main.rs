//! What `stuid` costs, as the Markdown tables of docs/performance.md.
//!
//! `cargo run --release -p stui-tests --bin bench` measures what the page shows, `-- --quick`
//! whether the numbers still look as they did, in seconds. `-- --only WORD` runs the parts whose
//! name begins with the word; `-- --json FILE` also writes the tables as JSON.
//!
//! Ways that are compared are measured in turns in one run, and what counts is the median of the
//! ratios of neighbouring turns: a machine that is slow for a while is slow for all of them.

#![allow(clippy::unwrap_used, clippy::expect_used)] // as the cast: whatever goes wrong ends it
#![allow(clippy::print_stdout)] // the tables are the result

mod arguments;
mod plan;

mod numbers;
mod report;

mod load;
mod proxy;
mod speaker;
mod watcher;

mod attaching;
mod control;
mod flood;
mod memory;
mod neighbours;
mod reconnecting;
mod relay;
mod round_trips;
mod store;

use std::thread;

use arguments::Arguments;
use plan::Plan;
use report::Report;

/// Files that the largest part has open at once, about: clients, and sockets of ZeroMQ.
const FILES: u64 = 16_384;

/// A part of the bench: its name, and what it does.
type Part = (&'static str, fn(&Plan, &mut Report));

const PARTS: [Part; 8] = [
    ("round-trips", round_trips::measure),
    ("reconnection", reconnecting::measure),
    ("attaching", attaching::measure),
    ("control", control::measure),
    ("neighbours", neighbours::measure),
    ("memory", memory::measure),
    ("store", store::measure),
    ("flood", flood::measure),
];

fn main() {
    let arguments = Arguments::of_process();
    let plan = arguments.plan();
    raise_file_limit();
    let mut report = Report::new(machine());
    for (name, measure) in PARTS {
        if arguments.wants(name) {
            measure(&plan, &mut report);
        }
    }
    if let Some(path) = &arguments.json {
        report.write(path);
    }
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
    let profile = match cfg!(debug_assertions) {
        true => "debug",
        false => "release",
    };
    format!("{cpus} × {model}, {profile} build, image in another process, ipc between them.")
}

/// Many systems allow a process 1,024 files at first and more when it asks. The image and the
/// daemon are started from here and may have as many.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).expect("raising the number of files");
    }
}
