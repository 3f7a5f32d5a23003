//! Commands to `stui` itself, which begin with a colon: no Smalltalk expression does.

use std::fmt::Write as _;
use std::io::Write as _;

use stui_protocol::daemon::ListSessions;
use stui_protocol::image::{BrowseClass, GetContextSummary, Inspect};
use stui_protocol::limits::DEFAULT_FIELD_LIMIT;

use super::Next;
use super::live::{Live, Shared};
use crate::commands::{self, Context};
use crate::exit::Problem;
use crate::render::{Palette, sessions::sessions, source, table::table};

/// One of the commands.
pub(super) struct Meta {
    pub(super) name: &'static str,
    pub(super) argument: &'static str,
    pub(super) what: &'static str,
}

/// All of them, as `:help` lists them.
pub(super) const COMMANDS: [Meta; 8] = [
    meta("help", "", "show this"),
    meta("inspect", "EXPRESSION", "show the parts of an object"),
    meta("browse", "CLASS", "show a class and its selectors"),
    meta("method", "CLASS>>SELECTOR", "show the source of a method"),
    meta("vars", "", "list the variables of the session"),
    meta("ls", "", "list the sessions"),
    meta("steal", "", "take the session back from who took it over"),
    meta("detach", "", "leave; what runs goes on (as Ctrl-D)"),
];

const fn meta(name: &'static str, argument: &'static str, what: &'static str) -> Meta {
    Meta {
        name,
        argument,
        what,
    }
}

/// Does one of the commands, given without its colon. A unique beginning of a name will do.
///
/// # Errors
/// What the request answers.
pub(super) fn run(
    command: &str,
    live: &Shared,
    context: &mut Context<'_>,
) -> Result<Next, Problem> {
    let (name, argument) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    let argument = argument.trim();
    let (columns, palette) = (live.lock().scribe.columns, context.terminal.out.palette);
    let text = match resolve(name) {
        Some("help") => help(palette),
        Some("detach") => return Ok(Next::Leave),
        Some(needy) if argument.is_empty() && needs_argument(needy) => live
            .lock()
            .scribe
            .note(&format!(":{needy} needs something to look at")),
        Some("inspect") => inspect(argument, &mut live.lock(), columns, palette)?,
        Some("browse") => browse(argument, &mut live.lock(), columns, palette)?,
        Some("method") => method(argument, &mut live.lock(), palette)?,
        Some("vars") => variables(&mut live.lock(), columns, palette)?,
        Some("steal") => {
            live.lock().steal()?;
            live.lock().scribe.note("this terminal drives the session")
        }
        Some("ls") => {
            let found = live.lock().connection.call(&ListSessions {}, None)?;
            sessions(&found.sessions, Some(columns), palette)
        }
        _ => live
            .lock()
            .scribe
            .note(&format!("there is no :{name}; :help lists what there is")),
    };
    context.terminal.out.write_all(text.as_bytes())?;
    Ok(Next::Prompt)
}

fn needs_argument(name: &str) -> bool {
    COMMANDS
        .iter()
        .any(|meta| meta.name == name && !meta.argument.is_empty())
}

fn resolve(name: &str) -> Option<&'static str> {
    let mut fitting = COMMANDS.iter().filter(|meta| meta.name.starts_with(name));
    let first = fitting.next()?;
    (first.name == name || fitting.next().is_none()).then_some(first.name)
}

fn help(palette: Palette) -> String {
    let mut text = String::from(
        "Enter evaluates when the code is complete, Alt-Enter begins a new line, Tab completes.\n\
         Ctrl-C interrupts what runs, or clears the line. Ctrl-D on an empty line detaches,\n\
         Ctrl-\\ detaches while something runs. Ctrl-R searches what was typed before.\n\n",
    );
    for meta in &COMMANDS {
        let usage = format!(":{} {}", meta.name, meta.argument);
        let _ = writeln!(
            text,
            "  {} {}",
            palette.strong(&format!("{usage:<26}")),
            meta.what
        );
    }
    text
}

fn inspect(
    expression: &str,
    live: &mut Live,
    columns: usize,
    palette: Palette,
) -> Result<String, Problem> {
    let inspect = Inspect {
        target: Some(expression.to_owned()),
        object_id: None,
        session_id: None,
        path: Vec::new(),
        depth: 1,
        offset: 0,
        limit: DEFAULT_FIELD_LIMIT,
        include_private: false,
    };
    let session = live.scribe.session_id.clone();
    let found = live.connection.call(&inspect, Some(&session))?;
    Ok(commands::inspection(&found, 0, Some(columns), palette))
}

fn browse(
    class: &str,
    live: &mut Live,
    columns: usize,
    palette: Palette,
) -> Result<String, Problem> {
    let browse: BrowseClass = commands::browse(class);
    let found = live.connection.call(&browse, None)?;
    Ok(commands::class(&found, columns, palette))
}

fn method(reference: &str, live: &mut Live, palette: Palette) -> Result<String, Problem> {
    let Some(method) = commands::parse_method(reference) else {
        return Ok(live.scribe.note("write :method Class>>selector"));
    };
    let found = live.connection.call(&method, None)?;
    let text = source::method(&found.method.source, palette);
    Ok(format!("{}\n", text.trim_end()))
}

fn variables(live: &mut Live, columns: usize, palette: Palette) -> Result<String, Problem> {
    let session_id = live.scribe.session_id.clone();
    let ask = GetContextSummary {
        session_id: session_id.clone(),
    };
    let found = live.connection.call(&ask, Some(&session_id))?;
    if found.variables.is_empty() {
        return Ok(live.scribe.note("no variables yet"));
    }
    let rows: Vec<_> = found
        .variables
        .into_iter()
        .map(|variable| {
            [
                variable.name,
                variable.class_name,
                variable.string_representation,
            ]
        })
        .collect();
    let headings = ["VARIABLE", "CLASS", "VALUE"];
    Ok(table(headings, &rows, Some(columns), palette))
}
