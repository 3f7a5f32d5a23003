//! Code to evaluate, from wherever the arguments say.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use stui_protocol::limits::MAX_MESSAGE_BYTES;

use crate::args::Code;
use crate::exit::Problem;

/// The code for the command `verb`. More than a message may have is not read.
///
/// # Errors
/// `Usage` when there is none, and what keeps a file from being read.
pub(super) fn read(code: &Code, verb: &str) -> Result<String, Problem> {
    match (&code.code, &code.file) {
        (_, Some(path)) if path.as_os_str() != "-" => {
            let what = path.display().to_string();
            let mut file = File::open(path).map_err(Problem::io(format!("opening {what}")))?;
            read_all(&mut file, &what)
        }
        (Some(code), None) if code != "-" => Ok(code.clone()),
        (None, None) if io::stdin().is_terminal() => Err(Problem::Usage(format!(
            "{verb} needs code: `stui {verb} '3 + 4'`, `stui {verb} -f FILE`, or `-` for standard \
             input"
        ))),
        _ => read_all(&mut io::stdin(), "standard input"),
    }
}

fn read_all(reader: &mut dyn Read, what: &str) -> Result<String, Problem> {
    let mut text = String::new();
    reader
        .take(MAX_MESSAGE_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .map_err(Problem::io(format!("reading {what}")))?;
    Ok(text)
}
