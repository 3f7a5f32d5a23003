//! The counts of a row, and the table of all rows.

use std::fmt;
use std::time::Duration;

use super::ledger::{Findings, Told, Verdict};

/// What became of one row.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Which row.
    pub row: &'static str,
    /// Faults that were injected.
    pub faults: u64,
    /// Requests of the load.
    pub requests: usize,
    /// How many of them were told that nobody knows.
    pub unknown: usize,
    /// How many of them were told that nothing was done.
    pub not_done: usize,
    /// What was false.
    pub findings: Findings,
    /// What was not given back.
    pub leaks: Vec<String>,
    /// The longest time to an outcome.
    pub worst: Duration,
}

impl Tally {
    /// Counts what was told.
    #[must_use]
    pub fn new(row: &'static str, faults: u64, told: &[Told], findings: Findings) -> Self {
        let count = |verdict: &Verdict| told.iter().filter(|each| each.verdict == *verdict).count();
        Self {
            row,
            faults,
            requests: told.len(),
            unknown: count(&Verdict::Unknown),
            not_done: count(&Verdict::NotDone),
            findings,
            leaks: Vec::new(),
            worst: told.iter().map(|each| each.took).max().unwrap_or_default(),
        }
    }

    /// Every forbidden thing that happened, in words.
    #[must_use]
    pub fn forbidden(&self) -> Vec<String> {
        let Findings {
            wrong,
            twice,
            lost,
            hangs,
        } = &self.findings;
        let kinds = [
            ("wrong reply", wrong),
            ("executed twice", twice),
            ("acknowledged and lost", lost),
            ("hang", hangs),
            ("leak", &self.leaks),
        ];
        let words = |(kind, all): (&str, &Vec<String>)| {
            let tell = |each| format!("{}: {kind}: {each}", self.row);
            all.iter().map(tell).collect::<Vec<_>>()
        };
        kinds.into_iter().flat_map(words).collect()
    }
}

/// The head of the table.
pub const HEAD: &str = "\
| row | faults | requests | wrong replies | executed twice | acknowledged and lost | unknown told | \
not done told | hangs | leaks | worst time |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2} s |",
            self.row,
            self.faults,
            self.requests,
            self.findings.wrong.len(),
            self.findings.twice.len(),
            self.findings.lost.len(),
            self.unknown,
            self.not_done,
            self.findings.hangs.len(),
            self.leaks.len(),
            self.worst.as_secs_f64(),
        )
    }
}
