//! `complete`: what may follow the beginning of a word.
//!
//! By prefix, the kind that fits the place first: after a value stands a selector, elsewhere a
//! variable or global. When the receiver is a plain name whose object is known, only what it
//! understands is offered.

use std::time::Instant;

use stui_protocol::Failure;
use stui_protocol::image::{Candidate, Complete, CompleteResult};

use super::{Done, answer};
use crate::server::image::Image;
use crate::vm::ClassRef;

/// Most candidates of an answer.
const MAX_CANDIDATES: usize = 100;

/// Names that are always there.
const PSEUDO_VARIABLES: [&str; 6] = ["self", "super", "nil", "true", "false", "thisContext"];

/// `complete`.
pub(super) fn run(image: &mut Image, command: &Complete) -> Done {
    let variables = match &command.session_id {
        Some(id) => {
            let workspace = image.sessions.using(id, Instant::now())?.workspace;
            image.vm.variables(workspace)
        }
        None => Vec::new(),
    };
    let cursor = byte_offset(&command.source, command.position)
        .ok_or_else(|| Failure::invalid("position", "it lies beyond the end of the source"))?;
    let word = Word::before(&command.source[..cursor]);
    let mut candidates = Candidates::new(word.text);
    if !word.text.is_empty() {
        let known = word.receiver.and_then(|name| {
            let value = variables.iter().find(|(other, _)| other == name);
            value.map(|(_, value)| image.vm.class_of(*value))
        });
        let names = variables.iter().map(|(name, _)| name.as_str());
        if word.after_value {
            candidates.add_selectors(image, known);
            candidates.add_names(image, names);
        } else {
            candidates.add_names(image, names);
            candidates.add_selectors(image, None);
        }
    }
    answer::<Complete>(&CompleteResult {
        candidates: candidates.found,
        start: command.position - word.text.chars().count(),
    })
}

fn byte_offset(source: &str, characters: usize) -> Option<usize> {
    let ends = source.char_indices().map(|(at, _)| at);
    ends.chain([source.len()]).nth(characters)
}

/// The word before the cursor and what stands before it.
#[derive(Debug, PartialEq, Eq)]
struct Word<'a> {
    text: &'a str,
    /// Whether a value ends before it, so that a selector may follow.
    after_value: bool,
    /// The name right before it, when it is one.
    receiver: Option<&'a str>,
}

impl<'a> Word<'a> {
    fn before(source: &'a str) -> Self {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let start = source.trim_end_matches(is_part).len();
        let text = &source[start..];
        let before = source[..start].trim_end();
        let name = &before[before.trim_end_matches(is_part).len()..];
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        Self {
            text,
            after_value: start > before.len() && !name.ends_with(':') && !name.is_empty()
                || before.ends_with([')', ']', '}', '\'', ';']),
            receiver: Some(name).filter(|name| is_name && !name.ends_with(':')),
        }
    }
}

/// Candidates in the order of their likelihood, each once.
struct Candidates<'a> {
    prefix: &'a str,
    found: Vec<Candidate>,
}

impl<'a> Candidates<'a> {
    fn new(prefix: &'a str) -> Self {
        Self {
            prefix,
            found: Vec::new(),
        }
    }

    fn add<'n>(&mut self, kind: &str, names: impl Iterator<Item = &'n str>) {
        for name in names {
            if self.found.len() >= MAX_CANDIDATES {
                return;
            }
            let fits = name.starts_with(self.prefix) && name != self.prefix;
            if fits && self.found.iter().all(|other| other.text != name) {
                self.found.push(Candidate {
                    text: name.to_owned(),
                    kind: kind.to_owned(),
                });
            }
        }
    }

    fn add_names<'n>(&mut self, image: &Image, variables: impl Iterator<Item = &'n str>) {
        self.add("variable", variables);
        self.add("variable", PSEUDO_VARIABLES.into_iter());
        let globals = image.vm.globals();
        self.add("global", globals.iter().map(String::as_str));
    }

    /// Shorter selectors first: they are what one begins with.
    fn add_selectors(&mut self, image: &Image, class: Option<ClassRef>) {
        let mut selectors = match class {
            Some(class) => image.vm.selectors_of(class),
            None => image.vm.selectors(),
        };
        selectors.retain(|selector| selector.starts_with(self.prefix));
        selectors.sort_by_key(String::len);
        self.add("selector", selectors.iter().map(String::as_str));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(source: &str) -> (&str, bool, Option<&str>) {
        let word = Word::before(source);
        (word.text, word.after_value, word.receiver)
    }

    #[test]
    fn the_place_of_a_word_says_what_it_may_be() {
        assert_eq!(word("Tran"), ("Tran", false, None));
        assert_eq!(word("3 + won"), ("won", false, None));
        assert_eq!(word("x := won"), ("won", false, None));
        assert_eq!(word("x printStr"), ("printStr", true, Some("x")));
        assert_eq!(word("x at: in"), ("in", false, None));
        assert_eq!(word("(x foo) ba"), ("ba", true, None));
        assert_eq!(word("3 fac"), ("fac", true, None));
        assert_eq!(word("x foo; ba"), ("ba", true, None));
        assert_eq!(word("x foo. ba"), ("ba", false, None));
        assert_eq!(word("x "), ("", true, Some("x")));
        assert_eq!(word("x at:pu"), ("at:pu", true, Some("x")));
        assert_eq!(word(""), ("", false, None));
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(byte_offset("äö", 0), Some(0));
        assert_eq!(byte_offset("äö", 2), Some(4));
        assert_eq!(byte_offset("äö", 3), None);
    }
}
