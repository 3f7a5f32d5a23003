//! `get_method`, `compile_method`, `remove_method`.

use stui_protocol::image::{
    CompileMethod, GetMethod, MethodResult, RemoveMethod, RemoveMethodResult,
};
use stui_protocol::{ErrorType, Failure};

use super::browse::{find, method_info};
use super::{Done, answer};
use crate::server::failures;
use crate::server::image::Image;
use crate::vm::ChangeError;

/// The protocol of methods that come without one, as in Pharo.
pub(super) const AS_YET_UNCLASSIFIED: &str = "as yet unclassified";

/// `get_method`.
pub(super) fn get(image: &Image, command: &GetMethod) -> Done {
    let class = find(image, &command.class_name)?;
    let method = image
        .vm
        .method(class, command.is_class_method, &command.method_name)
        .ok_or_else(|| method_not_found(&command.class_name, &command.method_name))?;
    answer::<GetMethod>(&MethodResult {
        method: method_info(method),
    })
}

/// `compile_method`.
pub(super) fn compile(image: &mut Image, command: &CompileMethod) -> Done {
    let class = find(image, &command.class_name)?;
    let meta = command.is_class_method;
    let category = match &command.category {
        Some(category) => category.clone(),
        None => old_category(image, command).unwrap_or_else(|| AS_YET_UNCLASSIFIED.to_owned()),
    };
    let method = image
        .vm
        .compile_method(class, meta, &command.source, &category)
        .map_err(|error| refused(&error, &command.source, "source"))?;
    answer::<CompileMethod>(&MethodResult {
        method: method_info(method),
    })
}

/// A method that is replaced stays in its protocol.
fn old_category(image: &Image, command: &CompileMethod) -> Option<String> {
    let selector = stui_smalltalk::parse_pattern(&command.source).ok()?;
    let class = image.vm.find_class(&command.class_name)?;
    let old = image.vm.method(class, command.is_class_method, &selector)?;
    Some(old.category)
}

/// `remove_method`.
pub(super) fn remove(image: &mut Image, command: &RemoveMethod) -> Done {
    let class = find(image, &command.class_name)?;
    image
        .vm
        .remove_method(class, command.is_class_method, &command.method_name)
        .map_err(|error| refused(&error, "", "method_name"))?;
    answer::<RemoveMethod>(&RemoveMethodResult { removed: true })
}

/// A change that the VM refuses; `parameter` is what it is about.
pub(super) fn refused(error: &ChangeError, source: &str, parameter: &str) -> Failure {
    match error {
        ChangeError::NoSuchClass(name) => Failure::new(ErrorType::ClassNotFound, error.to_string())
            .with("class_name", name.as_str()),
        ChangeError::NoSuchMethod(class, selector) => method_not_found(class, selector),
        ChangeError::Syntax(wrong) => failures::syntax_error(wrong, source),
        ChangeError::Refused(why) => Failure::invalid(parameter, why),
    }
}

/// No such method.
pub(super) fn method_not_found(class: &str, selector: &str) -> Failure {
    Failure::new(
        ErrorType::MethodNotFound,
        format!("{class:.64} itself has no method {selector:.64}"),
    )
    .with("class_name", class)
    .with("method_name", selector)
}
