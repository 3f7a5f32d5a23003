//! Saying loudly that a story was not told.

use std::io::Write;

/// Prints `SKIPPED: <story> needs <what>` past the capture of the test harness, so that it is
/// seen although the story counts as passed.
pub fn skipped(story: &str, needs: &str) {
    // The harness captures the print macros only.
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED: {story} needs {needs}");
}
