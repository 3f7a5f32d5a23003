//! What a scripted image has executed, kept outside of it when it may be killed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Code that was executed, in order, with the life of the image that did it.
pub type Executed = Vec<(String, String)>;

/// Notes what is executed, before anybody is told.
#[derive(Clone, Debug)]
pub(super) enum Record {
    /// For an image that lives in the process of its story.
    Memory(Arc<Mutex<Executed>>),
    /// For one that may be killed: a line for each, of its life and the code.
    Disk(Arc<File>),
}

impl Record {
    pub(super) fn at(path: &Path) -> Self {
        let file = File::options().create(true).append(true).open(path);
        Self::Disk(Arc::new(file.expect("opening the record of an image")))
    }

    pub(super) fn note(&self, life: &str, code: &str) {
        match self {
            Self::Memory(executed) => {
                let mut executed = executed.lock().unwrap_or_else(PoisonError::into_inner);
                executed.push((life.to_owned(), code.to_owned()));
            }
            // One write, so that a kill leaves it whole or not at all.
            Self::Disk(file) => (&**file)
                .write_all(format!("{life} {code}\n").as_bytes())
                .expect("writing the record of an image"),
        }
    }
}

/// Reads what an image that may be dead has written down.
#[must_use]
pub fn read_record(path: &Path) -> Executed {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs
        .map(|(life, code)| (life.to_owned(), code.to_owned()))
        .collect()
}
