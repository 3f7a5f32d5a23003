//! What a snapshot of the image holds, and how an image resumes from it.
//!
//! Classes and methods that did not come with the image are saved as source, sessions with their
//! variables, history and state. Not saved: what runs, registered objects, values of class
//! variables and of globals that are no classes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use stui_protocol::time;
use tracing::{info, warn};

use super::commands::contexts::{dump, restore};
use super::definitions::{self, Layout};
use super::image::Image;
use super::sessions::Session;
use super::store::snapshot_file::{SavedClass, SavedMethod, SavedSession, Snapshot, SnapshotMeta};
use crate::vm::{ClassDefinition, ClassInfo, Vm};

/// The methods that came with the image, by class, side and selector, each with a hash of its
/// source: what differs from it is the user's.
#[derive(Debug, Default)]
pub(super) struct Baseline(HashMap<(String, bool, String), u64>);

impl Baseline {
    /// Of a VM that has just been made.
    pub(super) fn of(vm: &Vm) -> Self {
        let mut methods = HashMap::new();
        for class in vm.classes() {
            let Some(found) = vm.find_class(&class.name) else {
                continue;
            };
            for meta in [false, true] {
                for method in vm.methods(found, meta) {
                    let key = (class.name.clone(), meta, method.selector);
                    methods.insert(key, hash(&method.source));
                }
            }
        }
        Self(methods)
    }

    fn has(&self, class: &str, meta: bool, selector: &str, source: &str) -> bool {
        let key = (class.to_owned(), meta, selector.to_owned());
        self.0.get(&key) == Some(&hash(source))
    }
}

fn hash(source: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    hasher.finish()
}

/// The image as it is now.
pub(super) fn take(image: &mut Image) -> Snapshot {
    let all = image.vm.classes();
    let mut own: Vec<&ClassInfo> = all.iter().filter(|class| !class.is_system).collect();
    own.sort_by_key(|class| depth(&all, class));
    Snapshot {
        meta: SnapshotMeta {
            saved_at: time::now(),
            instance: image.instance.clone(),
        },
        classes: own
            .into_iter()
            .map(|class| saved_class(&mut image.vm, class))
            .collect(),
        methods: all
            .iter()
            .flat_map(|class| saved_methods(image, class))
            .collect(),
        sessions: image
            .sessions
            .all()
            .into_iter()
            .map(|session| saved_session(image, session))
            .collect(),
    }
}

/// How many superclasses a class has: they are defined before it.
fn depth(all: &[ClassInfo], class: &ClassInfo) -> usize {
    let mut depth = 0;
    let mut above = class.superclass.as_deref();
    // A chain is never longer than there are classes.
    while let Some(name) = above.filter(|_| depth <= all.len()) {
        depth += 1;
        let superclass = all.iter().find(|class| class.name == name);
        above = superclass.and_then(|class| class.superclass.as_deref());
    }
    depth
}

fn saved_class(vm: &mut Vm, class: &ClassInfo) -> SavedClass {
    SavedClass {
        name: class.name.clone(),
        superclass: class.superclass.clone().unwrap_or_default(),
        slots: class.instance_vars.clone(),
        class_vars: class.class_vars.clone(),
        class_slots: class.class_instance_vars.clone(),
        package: class.package.clone(),
        layout: Layout::of(vm, class),
        comment: class.comment.clone(),
    }
}

fn saved_methods(image: &Image, class: &ClassInfo) -> Vec<SavedMethod> {
    let Some(found) = image.vm.find_class(&class.name) else {
        return Vec::new();
    };
    let mut saved = Vec::new();
    for meta in [false, true] {
        for method in image.vm.methods(found, meta) {
            let system = class.is_system
                && image
                    .baseline
                    .has(&class.name, meta, &method.selector, &method.source);
            if !system {
                saved.push(SavedMethod {
                    class_name: class.name.clone(),
                    is_class_method: meta,
                    category: method.category,
                    source: method.source,
                });
            }
        }
    }
    saved
}

fn saved_session(image: &Image, session: &Session) -> SavedSession {
    SavedSession {
        session_id: session.id.clone(),
        client_id: session.client_id.clone(),
        name: session.name.clone(),
        created_at: session.created_at,
        last_modified: session.last_modified,
        timeout: session.timeout,
        evaluations: session.evaluations,
        state: session.state.clone(),
        history: session.history.oldest_first(),
        variables: dump(image, session.workspace),
    }
}

/// Puts a snapshot into an image that has just been made. What cannot be put back is logged and
/// left out.
pub(super) fn resume(image: &mut Image, snapshot: Snapshot) {
    let (classes, sessions) = (snapshot.classes.len(), snapshot.sessions.len());
    for class in snapshot.classes {
        define(image, class);
    }
    for method in &snapshot.methods {
        compile(image, method);
    }
    for session in snapshot.sessions {
        add_session(image, session);
    }
    info!(classes, sessions, saved_at = %snapshot.meta.saved_at, "resumed from a snapshot");
}

fn define(image: &mut Image, class: SavedClass) {
    let definition = ClassDefinition {
        name: class.name,
        superclass: class.superclass,
        slots: class.slots,
        class_vars: class.class_vars,
        class_slots: class.class_slots,
        package: class.package,
    };
    match definitions::define(&mut image.vm, &definition, class.layout) {
        Ok(_) if class.comment.is_empty() => {}
        Ok(defined) => image.vm.set_class_comment(defined, &class.comment),
        Err(error) => warn!(class = definition.name, %error, "resuming a class"),
    }
}

fn compile(image: &mut Image, method: &SavedMethod) {
    let Some(class) = image.vm.find_class(&method.class_name) else {
        warn!(class = method.class_name, "resuming a method: no class");
        return;
    };
    let meta = method.is_class_method;
    let done = image
        .vm
        .compile_method(class, meta, &method.source, &method.category);
    if let Err(error) = done {
        warn!(class = method.class_name, %error, "resuming a method");
    }
}

fn add_session(image: &mut Image, saved: SavedSession) {
    let workspace = image.vm.new_workspace();
    let mut session = Session::new(
        saved.session_id,
        saved.client_id,
        saved.name,
        saved.timeout,
        workspace,
        Instant::now(),
    );
    session.created_at = saved.created_at;
    session.last_modified = saved.last_modified;
    session.evaluations = saved.evaluations;
    session.state = saved.state;
    for entry in saved.history {
        session.history.add(entry);
    }
    for value in &saved.variables {
        let restored = restore(image, workspace, value);
        if let Some(reason) = restored.reason {
            warn!(session = session.id, reason, "resuming a variable");
        }
    }
    image.sessions.add(session);
}
