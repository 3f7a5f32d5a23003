//! What a process holds: descriptors, threads, memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;

use crate::patience::{self, PATIENCE};

/// What a process held at one moment, as /proc tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Open descriptors: how many of each kind. A file is a kind of its own, all sockets are one.
    pub descriptors: BTreeMap<String, usize>,
    /// Threads.
    pub threads: usize,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
}

impl Footprint {
    /// That of a running process.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let digits = line.and_then(|line| line.split_whitespace().next());
            digits.and_then(|digits| digits.parse().ok()).expect(key)
        };
        let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors");
        let mut descriptors = BTreeMap::new();
        for entry in entries.flatten() {
            // One that is closed meanwhile is none.
            let Ok(target) = fs::read_link(entry.path()) else {
                continue;
            };
            let target = target.to_string_lossy();
            // Such as socket:[4711].
            let kind = target.split(":[").next().unwrap_or_default();
            *descriptors.entry(kind.to_owned()).or_insert(0) += 1;
        }
        Self {
            descriptors,
            threads: usize::try_from(number("Threads:")).expect("a small number"),
            resident_kib: number("VmRSS:"),
        }
    }

    /// How many descriptors are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.descriptors.values().sum()
    }

    /// Waits until a process holds no more than it did before; answers what it does not give back.
    /// `slack_kib` of memory may come and go: bounded logs that fill up, what an allocator keeps.
    #[must_use]
    pub fn left_over(&self, pid: u32, slack_kib: u64) -> Vec<String> {
        let mut now = Self::of(pid);
        let settled = patience::until_within(PATIENCE, &mut || {
            now = Self::of(pid);
            self.leaks(&now, slack_kib).is_empty().then_some(())
        });
        match settled {
            Some(()) => Vec::new(),
            None => self.leaks(&now, slack_kib),
        }
    }

    /// The kinds of descriptors of which there are more or fewer than before.
    fn changes(&self, now: &Self) -> String {
        let count = |of: &Self, kind: &str| of.descriptors.get(kind).copied().unwrap_or_default();
        let kinds: BTreeSet<_> = self
            .descriptors
            .keys()
            .chain(now.descriptors.keys())
            .collect();
        let changed = kinds.into_iter().filter_map(|kind| {
            let (before, after) = (count(self, kind), count(now, kind));
            (before != after).then(|| format!(" {kind} {before} -> {after}"))
        });
        changed.collect()
    }

    fn leaks(&self, now: &Self, slack_kib: u64) -> Vec<String> {
        let mut leaks = Vec::new();
        if now.open() > self.open() {
            leaks.push(format!(
                "{} descriptors of {}:{}",
                now.open(),
                self.open(),
                self.changes(now)
            ));
        }
        if now.threads > self.threads {
            leaks.push(format!("{} threads of {}", now.threads, self.threads));
        }
        if now.resident_kib > self.resident_kib + slack_kib {
            leaks.push(format!("{now}, before {self}"));
        }
        leaks
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib: u64| kib as f64 / 1024.0;
        write!(f, "{:.1} MiB", mib(self.resident_kib))
    }
}
