//! What the image has done, against what the clients were told.
//!
//! Each evaluation adds a number of its own to a collection in the image, or is a code that the
//! scripted image writes down. So whatever was done can be asked for afterwards, and every answer
//! that a client got can be held against it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use stui_protocol::{ErrorType, Failure};

use crate::asking::Asking;
use crate::patience::{self, PATIENCE};
use crate::scripted::Executed;

/// What the evaluations of a load are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Smalltalk, for the embedded image: a collection for each client.
    Smalltalk,
    /// Whatever a scripted image writes down.
    Codes,
}

/// An evaluation that leaves a trace of its own.
#[derive(Clone, Debug)]
pub struct Task {
    /// How its trace is called in the ledger.
    pub mark: String,
    /// What is evaluated.
    pub code: String,
    /// What a true reply has as its result.
    pub result: String,
}

/// What a client was told about a task.
#[derive(Clone, Debug)]
pub struct Told {
    /// Whose trace it is.
    pub mark: String,
    /// What was told.
    pub verdict: Verdict,
    /// Which life of the image said so; empty when none did.
    pub life: String,
    /// From the question to the answer.
    pub took: Duration,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was done, once.
    Done,
    /// It was not done and will not be.
    NotDone,
    /// Nobody knows, and that was said; or the daemon went away before it said anything.
    Unknown,
    /// Nothing was said in time.
    Hang,
    /// What was said cannot be true.
    Wrong(String),
}

/// What an image has done.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Traces in their order, each with the life of the image that left it.
    pub executed: Executed,
    /// The lives whose traces are all here; none when those of all lives are.
    pub lives: Option<Vec<String>>,
    /// The image could not be asked.
    pub is_silent: bool,
}

/// What is false in what was told.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Replies that belong to somebody else, deny what was done, or make no sense.
    pub wrong: Vec<String>,
    /// What was done more than once.
    pub twice: Vec<String>,
    /// What was acknowledged and never done.
    pub lost: Vec<String>,
    /// What nobody answered in time.
    pub hangs: Vec<String>,
}

impl Language {
    /// The task of that number of a client.
    #[must_use]
    pub fn task(self, client: usize, number: u64) -> Task {
        match self {
            Self::Smalltalk => Task {
                mark: number.to_string(),
                code: format!(
                    "(Smalltalk at: #Told{client} ifAbsentPut: [OrderedCollection new]) add: {number}"
                ),
                result: number.to_string(),
            },
            Self::Codes => Task {
                mark: format!("{client}-{number}"),
                code: format!("{client}-{number}"),
                result: format!("{client}-{number}"),
            },
        }
    }
}

impl Ledger {
    /// Asks an image that understands Smalltalk what that many clients have done in its present
    /// life.
    #[must_use]
    pub fn of(image: &impl Asking, clients: usize) -> Self {
        let life = image.reply("ping", json!({})).instance;
        let mut executed = Vec::new();
        for client in 0..clients {
            let code = format!(
                "String streamContents: [:all | (Smalltalk at: #Told{client} ifAbsent: [#()]) \
                 do: [:each | all print: each; space]]"
            );
            let parameters = json!({"code": code, "print_limit": 4_000_000});
            let mut ask = || image.evaluate(parameters.clone()).ok();
            let Some(told) = patience::until_within(PATIENCE, &mut ask) else {
                return Self {
                    executed,
                    lives: Some(Vec::new()),
                    is_silent: true,
                };
            };
            let numbers = told.result.trim_matches('\'').split_whitespace();
            executed.extend(numbers.map(|number| (life.clone(), number.to_owned())));
        }
        Self {
            executed,
            lives: Some(vec![life]),
            is_silent: false,
        }
    }

    /// Holds what was told against what was done.
    #[must_use]
    pub fn judge(&self, told: &[Told]) -> Findings {
        let mut times: HashMap<&str, usize> = HashMap::new();
        for (_, mark) in &self.executed {
            *times.entry(mark).or_default() += 1;
        }
        let mut findings = Findings {
            twice: times
                .iter()
                .filter(|(_, times)| **times > 1)
                .map(|(mark, times)| format!("{mark} was done {times} times"))
                .collect(),
            ..Findings::default()
        };
        if self.is_silent {
            let silent = "the image did not tell what it has done";
            findings.hangs.push(silent.to_owned());
        }
        let known: Option<HashSet<&str>> = self
            .lives
            .as_ref()
            .map(|lives| lives.iter().map(String::as_str).collect());
        let is_known = |life: &str| known.as_ref().is_none_or(|known| known.contains(life));
        for each in told {
            let done = times.contains_key(each.mark.as_str());
            let mark = &each.mark;
            match &each.verdict {
                Verdict::Done if !done && is_known(&each.life) => {
                    findings
                        .lost
                        .push(format!("{mark} was acknowledged by {}", each.life));
                }
                Verdict::NotDone if done => {
                    findings
                        .wrong
                        .push(format!("{mark} was denied, and was done"));
                }
                Verdict::Wrong(why) => findings.wrong.push(format!("{mark}: {why}")),
                Verdict::Hang => findings.hangs.push(format!("{mark} after {:?}", each.took)),
                Verdict::Done | Verdict::NotDone | Verdict::Unknown => {}
            }
        }
        findings
    }
}

/// What a failure says about a task that cannot fail by itself.
#[must_use]
pub fn verdict_of(failure: &Failure) -> Verdict {
    let sent = failure.details.get("sent").and_then(Value::as_bool);
    match (failure.error_type, sent) {
        (ErrorType::OutcomeUnknown, _) | (_, Some(true)) => Verdict::Unknown,
        (
            ErrorType::ImageUnavailable
            | ErrorType::QueueFull
            | ErrorType::Overloaded
            | ErrorType::SessionNotFound
            | ErrorType::SessionExpired
            | ErrorType::SessionBusy,
            _,
        )
        | (ErrorType::Timeout | ErrorType::ShuttingDown, Some(false)) => Verdict::NotDone,
        // It does not say how far the evaluation was.
        (ErrorType::ShuttingDown, None) => Verdict::Unknown,
        _ => Verdict::Wrong(format!("{}: {}", failure.error_type, failure.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mark: &str, verdict: Verdict) -> Told {
        Told {
            mark: mark.to_owned(),
            verdict,
            life: "a".to_owned(),
            took: Duration::ZERO,
        }
    }

    fn ledger(marks: &[&str]) -> Ledger {
        Ledger {
            executed: marks
                .iter()
                .map(|mark| ("a".to_owned(), (*mark).to_owned()))
                .collect(),
            ..Ledger::default()
        }
    }

    #[test]
    fn the_truth_has_no_findings() {
        let told = [
            told("1", Verdict::Done),
            told("2", Verdict::NotDone),
            told("3", Verdict::Unknown),
            told("4", Verdict::Unknown),
        ];
        let findings = ledger(&["1", "3"]).judge(&told);
        assert!(findings.wrong.is_empty() && findings.twice.is_empty());
        assert!(findings.lost.is_empty() && findings.hangs.is_empty());
    }

    #[test]
    fn each_lie_is_found() {
        let lies = [
            told("1", Verdict::Done),
            told("2", Verdict::NotDone),
            told("4", Verdict::Hang),
            told("5", Verdict::Wrong("7".to_owned())),
        ];
        let findings = ledger(&["2", "3", "3"]).judge(&lies);
        assert_eq!(findings.lost.len(), 1, "{findings:?}");
        assert_eq!(findings.wrong.len(), 2, "{findings:?}");
        assert_eq!(findings.hangs.len(), 1, "{findings:?}");
        assert_eq!(findings.twice.len(), 1, "{findings:?}");
    }

    #[test]
    fn what_died_with_its_image_is_not_missed() {
        let mut ledger = ledger(&[]);
        ledger.lives = Some(vec!["b".to_owned()]);
        let findings = ledger.judge(&[told("1", Verdict::Done)]);
        assert!(findings.lost.is_empty(), "{findings:?}");
    }
}
