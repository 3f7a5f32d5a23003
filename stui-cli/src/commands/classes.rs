//! `stui classes`.

use std::fmt::Write;

use stui_protocol::image::{ListClasses, ListClassesResult};

use super::{Context, Shown};
use crate::exit::{Exit, Problem};
use crate::render::{Palette, table::table};

/// Lists classes by name; exit code 1 when none matches.
pub(crate) fn run(
    pattern: Option<&str>,
    limit: Option<usize>,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    let mut connection = context.connect()?;
    let list = ListClasses {
        pattern: pattern.map(glob),
        include_system: true,
        limit,
        offset: 0,
    };
    context.answer(&mut connection, &list, None, |found, terminal| {
        let text = classes(found, terminal.out.width, terminal.out.palette);
        Shown::found(text, !found.classes.is_empty())
    })
}

/// A text without wildcards may stand anywhere in a name.
fn glob(pattern: &str) -> String {
    if pattern.contains(['*', '?']) {
        pattern.to_owned()
    } else {
        format!("*{pattern}*")
    }
}

fn classes(found: &ListClassesResult, columns: Option<usize>, palette: Palette) -> String {
    if found.classes.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = found
        .classes
        .iter()
        .map(|class| {
            [
                class.name.clone(),
                class.superclass.clone().unwrap_or_default(),
                class.package.clone(),
                class.comment.clone(),
            ]
        })
        .collect();
    let headings = ["CLASS", "SUPERCLASS", "PACKAGE", "COMMENT"];
    // A comment is a hint here: one line of it, also in a pipe.
    let columns = columns.or(Some(160));
    let mut text = table(headings, &rows, columns, palette);
    if let Some(more) = found.total_count.checked_sub(rows.len() as u64 + 1) {
        let _ = writeln!(text, "{}", palette.dim(&format!("… {} more", more + 1)));
    }
    text
}
