//! Print strings for answers that show many values at once.
//!
//! Printing runs Smalltalk code while everything else waits, so all values of one answer share a
//! small budget of time. When it is used up, the rest is shown by class name.

use std::time::{Duration, Instant};

use super::Image;
use crate::value::Value;

/// Time for all prints of one answer.
const ANSWER_BUDGET: Duration = Duration::from_millis(50);

/// Time for one print.
const VALUE_BUDGET: Duration = Duration::from_millis(10);

/// Characters of a value shown among others.
pub(in crate::server) const SHORT_PRINT: usize = 200;

/// Prints values within a budget.
#[derive(Debug)]
pub(in crate::server) struct Printer {
    deadline: Instant,
}

impl Printer {
    /// A fresh budget.
    pub(in crate::server) fn new() -> Self {
        Self {
            deadline: Instant::now() + ANSWER_BUDGET,
        }
    }

    /// The print string of a value, at most `limit` characters.
    pub(in crate::server) fn print(&self, image: &mut Image, value: Value, limit: usize) -> String {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return plain(&class_name(image, value));
        }
        let printed = image.vm.print_string(value, limit, left.min(VALUE_BUDGET));
        printed.text
    }
}

/// The name of a value's class.
pub(in crate::server) fn class_name(image: &Image, value: Value) -> String {
    image.vm.class_name(image.vm.class_of(value))
}

/// `an OrderedCollection`: what can be said of an object without asking it.
fn plain(class_name: &str) -> String {
    let vowel = class_name.starts_with(['A', 'E', 'I', 'O', 'U']);
    format!("{} {class_name}", if vowel { "an" } else { "a" })
}
