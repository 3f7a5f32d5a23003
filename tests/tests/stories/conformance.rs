//! What the protocol page promises of an image, told by a plain REQ client.
//!
//! The stories hold for every image: class names and print strings are Pharo's, and nothing here
//! looks behind the link. Stories that must end the image or look at its files need an embedded
//! one of their own and say so loudly when another image is under test.
//!
//! Every command of the three tables and every error type of an image has a story, but for two:
//! `InternalError` is a defect that nobody can ask for, and nothing that an image does by itself
//! is forbidden to a client that may talk to it, so there is no `PermissionDenied`.

mod code;
mod contexts;
mod core;
mod debugger;
mod evaluations;
mod events;
mod idempotence;
mod inspecting;
mod interrupting;
mod limits;
mod messages;
mod saving;
mod sessions;
mod smalltalk;
mod sunit;

use serde_json::json;
use stui_protocol::image::{CompileMethod, DefineClass};
use stui_tests::asking::new_id;
use stui_tests::{Asking, Session};

/// Package of all classes that stories define. In an image that outlives the stories they stay.
const PACKAGE: &str = "StuiStories";

/// Defines a subclass of Object whose name nobody has used; answers the name.
fn new_class(session: &Session<'_, impl Asking>, slots: &str, methods: &[&str]) -> String {
    let name = new_id("StuiStory");
    let definition = format!(
        "Object subclass: #{name} instanceVariableNames: '{slots}' classVariableNames: '' \
         package: '{PACKAGE}'"
    );
    session
        .who
        .ask::<DefineClass>(json!({"definition": definition}));
    for source in methods {
        compile(session, &name, source);
    }
    name
}

/// Compiles a method of the instance side.
fn compile(session: &Session<'_, impl Asking>, class_name: &str, source: &str) {
    let parameters = json!({"class_name": class_name, "source": source, "category": "stories"});
    session.who.ask::<CompileMethod>(parameters);
}
