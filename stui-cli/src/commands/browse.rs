//! `stui browse`: a class, its variables and the selectors of its methods.

use std::collections::BTreeMap;
use std::fmt::Write;

use stui_protocol::image::{BrowseClass, BrowseClassResult, MethodInfo};

use super::Context;
use crate::exit::{Exit, Problem};
use crate::render::{Palette, columns};

/// Where the selectors of a protocol begin.
const INDENT: &str = "    ";

/// Shows a class.
pub(crate) fn run(class_name: &str, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let mut connection = context.connect()?;
    let browse = browse(class_name);
    context.answer(&mut connection, &browse, None, |found, terminal| {
        class(found, terminal.out.columns(), terminal.out.palette)
    })
}

/// The command that asks for all of a class.
pub(crate) fn browse(class_name: &str) -> BrowseClass {
    BrowseClass {
        class_name: class_name.to_owned(),
        include_methods: true,
        include_instance_vars: true,
        include_class_vars: true,
    }
}

/// A class as text.
pub(crate) fn class(found: &BrowseClassResult, width: usize, palette: Palette) -> String {
    let info = &found.class_info;
    let mut text = String::new();
    let parent = info.superclass.as_deref().unwrap_or("nil");
    let _ = writeln!(
        text,
        "{} {}",
        palette.strong(&info.name),
        palette.dim(&format!("< {parent}, package {}", info.package))
    );
    for line in info.comment.replace('\r', "\n").trim().lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    for (name, values) in [
        ("instance variables", &found.instance_vars),
        ("class variables", &found.class_vars),
        ("traits", &found.traits),
        ("subclasses", &found.subclasses),
    ] {
        if !values.is_empty() {
            let _ = writeln!(text, "{}", palette.strong(name));
            text.push_str(&wrapped(values, width));
        }
    }
    text.push_str(&side("methods", &found.instance_methods, width, palette));
    text.push_str(&side("class methods", &found.class_methods, width, palette));
    text
}

fn side(name: &str, methods: &[MethodInfo], width: usize, palette: Palette) -> String {
    if methods.is_empty() {
        return String::new();
    }
    let mut protocols: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for method in methods {
        protocols
            .entry(&method.category)
            .or_default()
            .push(method.name.clone());
    }
    let mut text = format!("{}\n", palette.strong(name));
    for (protocol, mut selectors) in protocols {
        selectors.sort_unstable();
        let _ = writeln!(text, "  {}", palette.dim(&columns::one_line(protocol)));
        text.push_str(&wrapped(&selectors, width));
    }
    text
}

/// Words, two blanks between them, on as many lines as it takes.
fn wrapped(words: &[String], width: usize) -> String {
    let mut text = String::new();
    let mut line = String::from(INDENT);
    for word in words {
        let word = columns::one_line(word);
        if line.len() > INDENT.len() {
            if columns::width(&line) + 2 + columns::width(&word) > width {
                let _ = writeln!(text, "{line}");
                line.truncate(INDENT.len());
            } else {
                line.push_str("  ");
            }
        }
        line.push_str(&word);
    }
    let _ = writeln!(text, "{line}");
    text
}
