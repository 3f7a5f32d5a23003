//! Every Tonel file of this repository is read and every method in it parsed: the packages for
//! Pharo, which no Pharo has to be there for, and the class library of the embedded image.
//!
//! What a method sends is not looked at here: that needs Pharo's own classes.
#![allow(clippy::unwrap_used)] // a file that cannot be read is a finding

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stui_smalltalk::parse_method;
use stui_smalltalk::tonel::{self, Definition, TonelFile};

/// Lines of a method's source, pattern included, beyond which it should be parted.
const LONGEST_METHOD: usize = 30;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Tonel files below a folder of the repository.
fn files(folder: &str) -> Vec<(PathBuf, TonelFile)> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "st") {
                let text = fs::read_to_string(&path).unwrap();
                let file = tonel::read(&text).unwrap_or_else(|wrong| {
                    panic!("{}:{}: {}", path.display(), wrong.line, wrong.message)
                });
                files.push((path, file));
            }
        }
    }
    files
}

/// Parses every method; answers how many there are.
fn parse_all(folder: &str) -> usize {
    let mut count = 0;
    for (path, file) in files(folder) {
        for method in &file.methods {
            let parsed = parse_method(&method.source);
            let name = format!(
                "{}: {}>>{}",
                path.display(),
                method.class_name,
                method.selector
            );
            let parsed = parsed.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            assert_eq!(parsed.selector, method.selector, "{name}");
            count += 1;
        }
    }
    count
}

#[test]
fn every_method_for_pharo_parses() {
    assert!(parse_all("pharo-server/src") > 1000);
}

#[test]
fn every_method_of_the_class_library_parses() {
    assert!(parse_all("crates/stui-embedded/image") > 2000);
}

#[test]
fn every_class_for_pharo_is_commented_and_stands_once() {
    let mut names = BTreeSet::new();
    for (path, file) in files("pharo-server/src") {
        if let Definition::Class(class) = &file.definition {
            let comment = file.comment.unwrap_or_default();
            assert!(comment.len() > 20, "{} has no comment", path.display());
            assert!(
                names.insert(class.name.clone()),
                "{} stands twice",
                class.name
            );
        }
    }
    assert!(names.contains("STUIServer"));
}

#[test]
fn methods_for_pharo_are_short() {
    for (path, file) in files("pharo-server/src") {
        for method in file.methods {
            let lines = method
                .source
                .lines()
                .filter(|line| !line.trim().is_empty())
                .count();
            let name = format!("{}: {}", path.display(), method.selector);
            assert!(lines <= LONGEST_METHOD, "{name} has {lines} lines");
        }
    }
}
