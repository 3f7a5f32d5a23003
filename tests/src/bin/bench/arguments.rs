//! The command line.

use std::path::PathBuf;

use crate::plan::{self, Plan};

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    quick: bool,
    only: Option<String>,
    /// Where the tables go as JSON.
    pub(crate) json: Option<PathBuf>,
}

impl Arguments {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let mut arguments = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} what?"));
            match word.as_str() {
                "--quick" => arguments.quick = true,
                "--only" => arguments.only = Some(value()),
                "--json" => arguments.json = Some(value().into()),
                _ => panic!("not {word}: there are --quick, --only PART and --json FILE"),
            }
        }
        arguments
    }

    pub(crate) fn plan(&self) -> Plan {
        match self.quick {
            true => plan::QUICK,
            false => plan::WHOLE,
        }
    }

    /// Whether a part is to be measured.
    pub(crate) fn wants(&self, part: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|word| part.starts_with(word))
    }
}
