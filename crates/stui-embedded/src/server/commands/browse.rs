//! `browse_class` and `list_classes`.

use stui_protocol::image::{
    BrowseClass, BrowseClassResult, ClassInfo, ListClasses, ListClassesResult, MethodInfo,
};
use stui_protocol::{ErrorType, Failure};

use super::{Done, answer};
use crate::server::glob::{self, MAX_PATTERN_CHARS};
use crate::server::image::Image;
use crate::vm::{self, ClassRef};

/// `browse_class`.
pub(super) fn browse_class(image: &Image, command: &BrowseClass) -> Done {
    let class = find(image, &command.class_name)?;
    let info = image.vm.class_info(class);
    let side = |meta| match command.include_methods {
        true => image
            .vm
            .methods(class, meta)
            .into_iter()
            .map(method_info)
            .collect(),
        false => Vec::new(),
    };
    let names = |asked: bool, names: &[String]| match asked {
        true => names.to_vec(),
        false => Vec::new(),
    };
    answer::<BrowseClass>(&BrowseClassResult {
        instance_methods: side(false),
        class_methods: side(true),
        instance_vars: names(command.include_instance_vars, &info.instance_vars),
        class_vars: names(command.include_class_vars, &info.class_vars),
        subclasses: info.subclasses.clone(),
        traits: info.traits.clone(),
        class_info: class_info(info),
    })
}

/// `list_classes`.
pub(super) fn list_classes(image: &Image, command: &ListClasses) -> Done {
    let pattern = command.pattern.as_deref().unwrap_or("*");
    check_pattern(pattern)?;
    let mut classes = image.vm.classes();
    classes.retain(|class| {
        (command.include_system || !class.is_system) && glob::matches(pattern, &class.name)
    });
    let total_count = classes.len() as u64;
    let page = classes
        .into_iter()
        .skip(command.offset)
        .take(command.limit.unwrap_or(usize::MAX))
        .map(class_info);
    answer::<ListClasses>(&ListClassesResult {
        classes: page.collect(),
        total_count,
    })
}

/// Refuses a pattern that is longer than any name.
pub(super) fn check_pattern(pattern: &str) -> Result<(), Failure> {
    if pattern.chars().count() > MAX_PATTERN_CHARS {
        let why = format!("it may have {MAX_PATTERN_CHARS} characters");
        return Err(Failure::invalid("pattern", why));
    }
    Ok(())
}

/// The class of this name; `Foo class` is no class of its own here.
///
/// # Errors
/// `ClassNotFound`.
pub(super) fn find(image: &Image, name: &str) -> Result<ClassRef, Failure> {
    image
        .vm
        .find_class(name)
        .ok_or_else(|| class_not_found(name))
}

/// No such class.
pub(super) fn class_not_found(name: &str) -> Failure {
    Failure::new(
        ErrorType::ClassNotFound,
        format!("there is no class {name:.64}"),
    )
    .with("class_name", name)
}

/// A class on the wire.
pub(super) fn class_info(info: vm::ClassInfo) -> ClassInfo {
    ClassInfo {
        name: info.name,
        superclass: info.superclass,
        comment: info.comment,
        package: info.package,
        is_system: info.is_system,
    }
}

/// A method on the wire.
pub(super) fn method_info(info: vm::MethodInfo) -> MethodInfo {
    MethodInfo {
        class_name: info.class_name,
        name: info.selector,
        source: info.source,
        category: info.category,
        is_class_method: info.is_class_method,
        arguments: info.arguments,
        comment: info.comment,
    }
}
