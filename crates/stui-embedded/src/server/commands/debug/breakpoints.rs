//! Breakpoints at the start of methods. They are the image's, not a session's, and stop
//! evaluations that are run with `on_error` debug.

use stui_protocol::Failure;
use stui_protocol::image::{Breakpoint, Debug, DebugOperation};

use super::super::Done;
use super::super::browse::find;
use super::super::methods::method_not_found;
use super::{about_breakpoints, refused};
use crate::server::image::Image;

/// Most breakpoints at a time.
const MAX_BREAKPOINTS: usize = 1000;

const CLASS_SIDE: &str = " class";

/// Does an operation on breakpoints; none for the others.
pub(super) fn run(image: &mut Image, command: &Debug) -> Option<Done> {
    let done = match command.operation {
        DebugOperation::SetBreakpoint => set(image, command),
        DebugOperation::RemoveBreakpoint => remove(image, command),
        DebugOperation::ListBreakpoints => Ok(()),
        _ => return None,
    };
    Some(done.and_then(|()| about_breakpoints(image, command)))
}

fn set(image: &mut Image, command: &Debug) -> Result<(), Failure> {
    let (class, method) = target(image, command)?;
    let there = image.vm.breakpoints();
    if there
        .iter()
        .any(|one| one.class == class && one.selector == method)
    {
        return Ok(());
    }
    if there.len() >= MAX_BREAKPOINTS {
        let why = format!("there are {MAX_BREAKPOINTS} breakpoints already: remove some");
        return Err(Failure::invalid("method_name", why));
    }
    image
        .vm
        .set_breakpoint(&class, &method)
        .map_err(|error| refused(&error))?;
    Ok(())
}

fn remove(image: &mut Image, command: &Debug) -> Result<(), Failure> {
    let (class, method) = target(image, command)?;
    for one in image.vm.breakpoints() {
        if one.class == class && one.selector == method {
            image.vm.remove_breakpoint(one.id);
        }
    }
    Ok(())
}

/// The class, with its side, and the method that is named.
fn target(image: &Image, command: &Debug) -> Result<(String, String), Failure> {
    let missing = |name| Failure::missing("debug", name);
    let name = command
        .class_name
        .as_ref()
        .ok_or_else(|| missing("class_name"))?;
    let method = command
        .method_name
        .as_ref()
        .ok_or_else(|| missing("method_name"))?;
    let class = find(image, name)?;
    if image
        .vm
        .method(class, command.is_class_method, method)
        .is_none()
    {
        return Err(method_not_found(name, method));
    }
    let side = if command.is_class_method {
        CLASS_SIDE
    } else {
        ""
    };
    Ok((format!("{name}{side}"), method.clone()))
}

/// All breakpoints on the wire.
pub(super) fn all(image: &Image) -> Vec<Breakpoint> {
    image
        .vm
        .breakpoints()
        .into_iter()
        .map(|one| {
            let name = one.class.strip_suffix(CLASS_SIDE);
            Breakpoint {
                class_name: name.unwrap_or(&one.class).to_owned(),
                method_name: one.selector,
                is_class_method: name.is_some(),
            }
        })
        .collect()
}
