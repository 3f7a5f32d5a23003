//! `stui senders`, `stui implementors`, `stui references`.

use std::fmt::Write;

use stui_protocol::image::{Search, SearchKind};

use super::{Context, Shown};
use crate::exit::{Exit, Problem};

/// Lists methods, one a line as `stui method` takes them; exit code 1 when there are none.
pub(crate) fn run(
    kind: SearchKind,
    text: &str,
    context: &mut Context<'_>,
) -> Result<Exit, Problem> {
    let mut connection = context.connect()?;
    let search = Search {
        kind,
        text: text.trim_start_matches('#').to_owned(),
        limit: None,
        offset: 0,
    };
    context.answer(&mut connection, &search, None, |found, terminal| {
        let mut lines = String::new();
        for method in &found.methods {
            let side = if method.is_class_method { " class" } else { "" };
            let _ = writeln!(lines, "{}{side}>>{}", method.class_name, method.name);
        }
        if let Some(more) = found
            .total_count
            .checked_sub(found.methods.len() as u64 + 1)
        {
            let more = format!("… {} more", more + 1);
            let _ = writeln!(lines, "{}", terminal.out.palette.dim(&more));
        }
        Shown::found(lines, !found.methods.is_empty())
    })
}
