//! Completion on Tab: the image knows the names, and is asked for them with little patience.

use std::time::Duration;

use reedline::{Completer, CompletionResult, Span, Suggestion};
use stui_protocol::image::{Candidate, Complete};

use super::live::Shared;
use super::meta;
use crate::connection::{request, result};

/// How long the user is kept waiting for candidates.
const PATIENCE: Duration = Duration::from_millis(500);

/// Candidates that are offered at once.
const MOST: usize = 200;

/// Asks the image for the endings of what stands before the cursor.
pub(super) struct ImageCompleter {
    pub(super) live: Shared,
}

impl Completer for ImageCompleter {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let before = line.get(..position).unwrap_or(line);
        let suggestions = match before.strip_prefix(':') {
            Some(command) if !command.contains(' ') => meta_names(command, before.len()),
            Some(command) => {
                let argument = command.find(' ').map_or(before.len(), |at| at + 2);
                self.candidates(line, argument, before.len())
            }
            None => self.candidates(line, 0, before.len()),
        };
        CompletionResult::fresh(suggestions)
    }
}

impl ImageCompleter {
    /// Candidates for the code that begins at the byte `from`, with the cursor at the byte `to`.
    fn candidates(&self, line: &str, from: usize, to: usize) -> Vec<Suggestion> {
        let (Some(source), Some(before)) = (line.get(from..), line.get(from..to)) else {
            return Vec::new();
        };
        let complete = Complete {
            source: source.to_owned(),
            position: before.chars().count(),
            session_id: None,
        };
        let mut live = self.live.lock();
        let ask = request(&complete, Some(&live.scribe.session_id));
        // No candidates is all there is to say: the next line tells what is wrong.
        let Ok(found) = live
            .connection
            .ask_within(&ask, PATIENCE)
            .and_then(result::<Complete>)
        else {
            return Vec::new();
        };
        let start = before
            .char_indices()
            .nth(found.start)
            .map_or(before.len(), |(at, _)| at);
        found
            .candidates
            .into_iter()
            .take(MOST)
            .map(|candidate| suggestion(candidate, from + start, to))
            .collect()
    }
}

fn suggestion(candidate: Candidate, start: usize, end: usize) -> Suggestion {
    Suggestion {
        value: candidate.text,
        span: Span { start, end },
        ..Suggestion::default()
    }
}

fn meta_names(typed: &str, end: usize) -> Vec<Suggestion> {
    meta::COMMANDS
        .iter()
        .filter(|command| command.name.starts_with(typed))
        .map(|command| Suggestion {
            value: command.name.to_owned(),
            description: Some(command.what.to_owned()),
            span: Span { start: 1, end },
            append_whitespace: !command.argument.is_empty(),
            ..Suggestion::default()
        })
        .collect()
}
