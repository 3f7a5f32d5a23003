//! The text of a `file_in` as steps, all of them parsed.

use stui_protocol::image::SyntaxErrorDetails;
use stui_protocol::{ErrorType, Failure};
use stui_smalltalk::chunks::{self, Chunk};
use stui_smalltalk::span::LineIndex;
use stui_smalltalk::tonel::{self, Definition, TonelFile, TonelMethod};
use stui_smalltalk::{SyntaxError, parse_method, parse_script};

use crate::server::definitions::Layout;
use crate::vm::ClassDefinition;

/// Longest text that a failure repeats, in bytes.
const MAX_REPEATED: usize = 256 * 1024;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Evaluate an expression, which may define a class.
    Expression { source: String, defines: bool },
    /// Define a class.
    Class {
        definition: ClassDefinition,
        layout: Layout,
        comment: Option<String>,
    },
    /// Set the comment of a class.
    Comment { class_name: String, text: String },
    /// Compile a method.
    Method(Method),
}

/// A method to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) class_name: String,
    pub(super) is_class_side: bool,
    pub(super) category: Option<String>,
    pub(super) source: String,
}

/// Reads a text in either format.
///
/// # Errors
/// `SyntaxError` at the first thing that is wrong, with its place in the whole text.
pub(super) fn read(text: &str) -> Result<Vec<Step>, Failure> {
    if is_tonel(text) {
        read_tonel(text)
    } else {
        read_chunks(text)
    }
}

/// Whether the text begins, after a comment perhaps, as Tonel files do.
fn is_tonel(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix('"') {
        match comment.split_once('"') {
            Some((_, after)) => rest = after.trim_start(),
            None => return false,
        }
    }
    ["Class", "Trait", "Extension", "Package"]
        .iter()
        .filter_map(|kind| rest.strip_prefix(kind))
        .any(|rest| rest.trim_start().starts_with('{'))
}

fn read_tonel(text: &str) -> Result<Vec<Step>, Failure> {
    let file = tonel::read(text).map_err(|error| wrong(text, &error.message, error.offset))?;
    for method in &file.methods {
        parse_method(&method.source)
            .map_err(|error| wrong(text, &error.message, method.file_offset(error.offset)))?;
    }
    let TonelFile {
        comment,
        definition,
        methods,
    } = file;
    let mut steps = Vec::new();
    match definition {
        Definition::Class(definition) => steps.push(Step::Class {
            layout: layout(&definition)?,
            definition: class(definition),
            comment,
        }),
        Definition::Extension { .. } => {}
        Definition::Package { .. } => {}
        Definition::Trait(_) => {
            return Err(Failure::invalid(
                "source",
                "the embedded image has no traits",
            ));
        }
    }
    steps.extend(methods.into_iter().map(method));
    Ok(steps)
}

/// The layout, when the embedded image has it.
fn layout(definition: &tonel::ClassDefinition) -> Result<Layout, Failure> {
    if definition.traits.is_some() || definition.class_traits.is_some() {
        return Err(Failure::invalid(
            "source",
            "the embedded image has no traits",
        ));
    }
    match definition.layout.as_str() {
        "normal" | "" => Ok(Layout::Normal),
        "variable" => Ok(Layout::Variable),
        "bytes" => Ok(Layout::Bytes),
        other => {
            let why = format!("the embedded image has no layout {other}");
            Err(Failure::invalid("source", why))
        }
    }
}

fn class(definition: tonel::ClassDefinition) -> ClassDefinition {
    let plain = |names: Vec<String>| -> Vec<String> {
        names
            .into_iter()
            .map(|name| name.trim_start_matches('#').to_owned())
            .collect()
    };
    ClassDefinition {
        name: definition.name,
        superclass: definition.superclass.unwrap_or_else(|| "Object".to_owned()),
        slots: plain(definition.instance_variables),
        class_vars: plain(definition.class_variables),
        class_slots: plain(definition.class_instance_variables),
        package: definition
            .package
            .or(definition.category)
            .unwrap_or_default(),
    }
}

fn method(method: TonelMethod) -> Step {
    Step::Method(Method {
        class_name: method.class_name,
        is_class_side: method.is_class_side,
        category: method.category,
        source: method.source,
    })
}

fn read_chunks(text: &str) -> Result<Vec<Step>, Failure> {
    let chunks = chunks::split(text).map_err(|error| match error {
        chunks::ChunkError::TooLong => Failure::invalid("source", &error),
        chunks::ChunkError::UnknownPreamble { span } => wrong(text, &error.to_string(), span.start),
    })?;
    let at = |chunk_start: usize, error: &SyntaxError| {
        let offset = offset_in_text(text, chunk_start, error.offset);
        wrong(text, &error.message, offset)
    };
    let mut steps = Vec::new();
    for chunk in chunks {
        let start = chunk.span().start;
        steps.push(match chunk {
            Chunk::DoIt { source, .. } => {
                parse_script(&source).map_err(|error| at(start, &error))?;
                let defines = source.contains("ubclass:") || source.contains("<<");
                Step::Expression { source, defines }
            }
            Chunk::Comment {
                class_name, text, ..
            } => Step::Comment { class_name, text },
            Chunk::Method {
                class_name,
                is_class_side,
                category,
                source,
                ..
            } => {
                parse_method(&source).map_err(|error| at(start, &error))?;
                Step::Method(Method {
                    class_name,
                    is_class_side,
                    category: Some(category),
                    source,
                })
            }
        });
    }
    Ok(steps)
}

/// Where the byte at `offset` of a chunk stands in the text, in which exclamation marks are
/// doubled.
fn offset_in_text(text: &str, chunk_start: usize, offset: usize) -> usize {
    let mut at = chunk_start;
    let mut bytes = text.as_bytes()[chunk_start.min(text.len())..].iter();
    for _ in 0..offset {
        match bytes.next() {
            Some(b'!') => {
                bytes.next();
                at += 2;
            }
            Some(_) => at += 1,
            None => break,
        }
    }
    at.min(text.len())
}

fn wrong(text: &str, message: &str, offset: usize) -> Failure {
    let position = LineIndex::new(text).position(offset);
    let details = SyntaxErrorDetails {
        message: message.to_owned(),
        position: position.character,
        line: position.line,
        column: position.column,
        source: if text.len() <= MAX_REPEATED {
            text.to_owned()
        } else {
            String::new()
        },
    };
    Failure::new(
        ErrorType::SyntaxError,
        format!(
            "{message} (line {}, column {})",
            position.line, position.column
        ),
    )
    .with_details(&details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_become_steps_in_order() {
        let text = "Object subclass: #Foo!\n!Foo methodsFor: 'x'!\na\n\t^ 'b!!'! !\n3 + 4!\n";
        let steps = read(text).unwrap();
        assert_eq!(steps.len(), 3, "{steps:?}");
        assert!(matches!(&steps[0], Step::Expression { defines: true, .. }));
        let Step::Method(method) = &steps[1] else {
            panic!("{steps:?}")
        };
        assert!(method.source.contains("'b!'"));
        assert!(matches!(&steps[2], Step::Expression { defines: false, .. }));
    }

    #[test]
    fn a_tonel_class_becomes_a_definition_and_methods() {
        let text = "\"\nI am.\n\"\nClass {\n\t#name : 'Foo',\n\t#superclass : 'Object',\n\t#instVars : [ 'a' ],\n\t#package : 'P'\n}\n\n{ #category : 'x' }\nFoo >> a [\n\n\t^ a\n]\n";
        let steps = read(text).unwrap();
        let Step::Class {
            definition,
            layout: Layout::Normal,
            comment,
        } = &steps[0]
        else {
            panic!("{steps:?}")
        };
        assert_eq!(definition.slots, ["a"]);
        assert_eq!(comment.as_deref(), Some("I am."));
        assert_eq!(steps.len(), 2);
    }

    #[test]
    fn an_error_is_placed_in_the_whole_text() {
        let failure = read("'!!' foo!\n!Foo methodsFor: 'x'!\na\n\t^ '!!' )! !\n").unwrap_err();
        let error = failure.syntax_error().unwrap();
        assert_eq!((error.line, error.column), (4, 9), "{error:?}");
        let failure = read("Class {\n\t#name : 'Foo'\n}\n\nFoo >> a [\n\t^ )\n]\n").unwrap_err();
        assert_eq!(failure.syntax_error().unwrap().line, 6);
    }
}
