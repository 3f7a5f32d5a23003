//! The steps of a `file_in`, as the fuzz targets see them.

use stui_protocol::Failure;

use super::steps::{self, Step};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FiledIn {
    /// An expression to evaluate.
    Expression(String),
    /// A class to define, by name.
    Class(String),
    /// A class to comment, by name.
    Comment(String),
    /// A method to compile: its class and source.
    Method(String, String),
}

/// Reads a text in either format.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(text: &str) -> Result<Vec<FiledIn>, Failure> {
    let told = |step| match step {
        Step::Expression { source, .. } => FiledIn::Expression(source),
        Step::Class { definition, .. } => FiledIn::Class(definition.name),
        Step::Comment { class_name, .. } => FiledIn::Comment(class_name),
        Step::Method(method) => FiledIn::Method(method.class_name, method.source),
    };
    Ok(steps::read(text)?.into_iter().map(told).collect())
}
