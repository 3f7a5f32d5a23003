//! `stui method`: the source of one method.

use stui_protocol::image::GetMethod;

use super::Context;
use crate::exit::{Exit, Problem};
use crate::render::source;

/// Prints the source of a method.
pub(crate) fn run(reference: &str, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let method = parse(reference).ok_or_else(|| {
        Problem::Usage(format!(
            "{reference:?} names no method; write 'Class>>selector' or 'Class class>>selector'"
        ))
    })?;
    let mut connection = context.connect()?;
    context.answer(&mut connection, &method, None, |found, terminal| {
        let text = source::method(&found.method.source, terminal.out.palette);
        format!("{}\n", text.trim_end())
    })
}

/// Reads `Class>>selector` and `Class class>>selector`; the selector may be written as a symbol.
pub(crate) fn parse(reference: &str) -> Option<GetMethod> {
    let (class, selector) = reference.split_once(">>")?;
    let (class, selector) = (class.trim(), selector.trim().trim_start_matches('#'));
    let (class_name, is_class_method) = match class.strip_suffix(" class") {
        Some(class) => (class.trim_end(), true),
        None => (class, false),
    };
    (!class_name.is_empty() && !selector.is_empty()).then(|| GetMethod {
        class_name: class_name.to_owned(),
        method_name: selector.to_owned(),
        is_class_method,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_both_sides_can_be_named() {
        let read = |text: &str| {
            parse(text).map(|method| {
                (
                    method.class_name,
                    method.method_name,
                    method.is_class_method,
                )
            })
        };
        let some =
            |class: &str, selector: &str, side| Some((class.to_owned(), selector.to_owned(), side));
        assert_eq!(read("Set>>add:"), some("Set", "add:", false));
        assert_eq!(read("Set class >> #new"), some("Set", "new", true));
        assert_eq!(read("SmallInteger>>>>"), some("SmallInteger", ">>", false));
        for wrong in ["Set", "Set>>", ">>add:", "Set add:", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
