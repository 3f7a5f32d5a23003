//! The table of expressions: every entry of `tests/expressions/*.st.txt` is evaluated in an image
//! of its own file and compared.
//!
//! An entry is one or more lines of Smalltalk and a last line with the expectation; entries are
//! separated by blank lines, lines that begin with `#` and a space are comments.
//!
//! ```text
//! # what is expected is the print string
//! 3 + 4
//! ==> 7
//!
//! # or class and message of the error
//! 1 / 0
//! !!! ZeroDivide: ZeroDivide
//!
//! # or message and 1-based position of the syntax error
//! Foo bar
//! ??? 1 Undeclared variable
//! ```
//!
//! Variables declared by an entry are there for the following ones of the same file.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use stui_embedded::vm::{Limits, Outcome, SpawnOptions, Vm, VmEvent, WorkspaceId};

/// Longest time one entry may take.
const PATIENCE: Duration = Duration::from_secs(20);

const PRINT_LIMIT: usize = 10_000;

struct Entry {
    line: usize,
    source: String,
    expected: String,
}

fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut source = String::new();
    for (index, line) in text.lines().enumerate() {
        let is_expectation = ["==> ", "!!! ", "??? "]
            .iter()
            .any(|mark| line.starts_with(mark))
            || line == "==>";
        if is_expectation {
            let source = std::mem::take(&mut source).trim_end().to_owned();
            entries.push(Entry {
                line: index + 1,
                source,
                expected: line.trim_end().to_owned(),
            });
        } else if line.starts_with("# ") || (line.is_empty() && source.is_empty()) {
            // Comments, and the lines between entries.
        } else {
            source.push_str(line);
            source.push('\n');
        }
    }
    assert!(
        source.is_empty(),
        "the last entry has no expectation: {source}"
    );
    entries
}

fn evaluate(vm: &mut Vm, workspace: WorkspaceId, source: &str) -> String {
    let code = match vm.compile_expression(Some(workspace), source) {
        Ok(code) => code,
        Err(error) => return format!("??? {} {}", error.position, error.message),
    };
    let options = SpawnOptions {
        print_limit: Some(PRINT_LIMIT),
        ..SpawnOptions::default()
    };
    vm.spawn(&code, options);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        vm.run_slice(Duration::from_millis(20));
        for event in vm.take_events() {
            if let VmEvent::Ended { outcome, .. } = event {
                return match outcome {
                    Outcome::Finished { printed, .. } => {
                        format!("==> {}", printed.replace('\n', "\\n"))
                            .trim_end()
                            .to_owned()
                    }
                    Outcome::Failed(report) => {
                        format!(
                            "!!! {}: {}",
                            report.class,
                            report.message.replace('\n', "\\n")
                        )
                    }
                    other => format!("{other:?}"),
                };
            }
        }
    }
    "no end".to_owned()
}

#[test]
fn every_expression_of_the_table_gives_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expressions");
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut failures = String::new();
    let mut count = 0;
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let mut vm = Vm::new(Limits::default()).unwrap();
        let workspace = vm.new_workspace();
        for entry in entries(&std::fs::read_to_string(&file).unwrap()) {
            count += 1;
            let seen = evaluate(&mut vm, workspace, &entry.source);
            if seen != entry.expected {
                let Entry {
                    line,
                    source,
                    expected,
                } = entry;
                let _ = writeln!(failures, "{name}:{line}: {source}\n  {expected}\n  {seen}");
            }
        }
    }
    assert!(count > 0, "there are no entries");
    assert!(failures.is_empty(), "{failures}");
}

/// The lines of a class comment that stand for themselves: `expression >>> print string`, or an
/// expression that merely has to end well.
fn examples(comment: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let lines = comment.lines().filter_map(|line| line.strip_prefix('\t'));
    lines.map(|line| match line.split_once(" >>> ") {
        Some((source, printed)) => (source, Some(printed)),
        None => (line, None),
    })
}

#[test]
fn every_example_in_a_class_comment_gives_what_it_says() {
    let mut vm = Vm::new(Limits::default()).unwrap();
    let mut failures = String::new();
    let mut count = 0;
    for class in vm.classes() {
        for (source, printed) in examples(&class.comment) {
            count += 1;
            let workspace = vm.new_workspace();
            let seen = evaluate(&mut vm, workspace, source);
            let fits = match printed {
                Some(printed) => seen == format!("==> {printed}"),
                None => seen.starts_with("==>"),
            };
            if !fits {
                let name = &class.name;
                let _ = writeln!(failures, "{name}: {source}\n  {printed:?}\n  {seen}");
            }
        }
    }
    assert!(count > 0, "there are no examples");
    assert!(failures.is_empty(), "{failures}");
}
