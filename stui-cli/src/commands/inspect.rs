//! `stui inspect`: an object and its parts as a table.

use std::fmt::Write;

use stui_protocol::image::{Inspect, InspectResult, PathStep};
use stui_protocol::limits::DEFAULT_FIELD_LIMIT;

use super::{Context, session_or_main};
use crate::args;
use crate::exit::{Exit, Problem};
use crate::render::{Palette, columns, table::table};

/// Looks into the object of an expression.
pub(crate) fn run(args: &args::Inspect, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect()?;
    let session = context.insist(&mut connection, |connection| {
        session_or_main(connection, args.session.as_deref())
    })?;
    let inspect = Inspect {
        target: Some(args.expression.clone()),
        object_id: None,
        session_id: None,
        path: args.path.as_deref().map(path_steps).unwrap_or_default(),
        depth: 1,
        offset: args.offset,
        limit: args.limit.unwrap_or(DEFAULT_FIELD_LIMIT),
        include_private: false,
    };
    let offset = args.offset;
    context.answer(
        &mut connection,
        &inspect,
        Some(session),
        |found, terminal| {
            let out = &terminal.out;
            inspection(found, offset, out.width, out.palette)
        },
    )
}

/// Reads `3/key`: a number is an index, the rest is a name. A leading or doubled slash counts for
/// nothing.
pub(crate) fn path_steps(path: &str) -> Vec<PathStep> {
    path.split('/')
        .filter(|step| !step.is_empty())
        .map(|step| {
            step.parse()
                .map_or_else(|_| PathStep::Name(step.to_owned()), PathStep::Index)
        })
        .collect()
}

/// An object as text: itself on a line, then its fields.
pub(crate) fn inspection(
    found: &InspectResult,
    offset: usize,
    columns: Option<usize>,
    palette: Palette,
) -> String {
    let info = &found.object_info;
    let mut text = columns::one_line(&info.string_representation);
    if let Some(columns) = columns {
        text = columns::fit(&text, columns);
    }
    text.push('\n');
    let size = match info.size {
        0 => String::new(),
        size => format!(", size {size}"),
    };
    let facts = format!("{}{size}, hash {}", info.class_name, info.hash);
    let _ = writeln!(text, "{}", palette.dim(&facts));
    if found.fields.is_empty() {
        return text;
    }
    text.push('\n');
    let rows: Vec<_> = found
        .fields
        .iter()
        .map(|field| {
            [
                field.name.clone(),
                field.class_name.clone(),
                field.string_representation.clone(),
            ]
        })
        .collect();
    text.push_str(&table(["FIELD", "CLASS", "VALUE"], &rows, columns, palette));
    let shown = offset as u64 + found.fields.len() as u64;
    if shown < found.total_fields {
        let more = format!(
            "… {} more of {}",
            found.total_fields - shown,
            found.total_fields
        );
        let _ = writeln!(text, "{}", palette.dim(&more));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_indexes_and_names() {
        let name = |text: &str| PathStep::Name(text.to_owned());
        assert_eq!(
            path_steps("/elements//3/#a b"),
            [name("elements"), PathStep::Index(3), name("#a b")]
        );
        assert_eq!(path_steps("-1"), [name("-1")]);
        assert!(path_steps("").is_empty());
    }
}
