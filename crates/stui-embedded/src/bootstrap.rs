//! From nothing to an image: the VM's own classes, then the class library's Tonel files.

use include_dir::{Dir, File, include_dir};
use stui_smalltalk::tonel::{self, Definition as Tonel, TonelFile};

use crate::object::{Format, Object};
use crate::value::{Oid, Value};
use crate::vm::{BootstrapError, Definition, NATIVE, Vm};

/// The class library.
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/image");

/// Makes the VM's classes and reads the library.
pub(crate) fn load_library(vm: &mut Vm) -> Result<(), BootstrapError> {
    let mut files = Vec::new();
    for file in tonel_files(&LIBRARY) {
        files.push(read(file)?);
    }
    vm.make_native_classes();
    vm.load_files(&files)
}

fn tonel_files<'d>(directory: &'d Dir<'d>) -> Vec<&'d File<'d>> {
    let mut files: Vec<_> = directory.files().collect();
    for inner in directory.dirs() {
        files.extend(tonel_files(inner));
    }
    files.retain(|file| {
        let name = file.path().to_string_lossy();
        name.ends_with(".class.st") || name.ends_with(".extension.st")
    });
    files
}

fn read(file: &File<'_>) -> Result<TonelFile, BootstrapError> {
    let path = file.path().display();
    let text = file
        .contents_utf8()
        .ok_or_else(|| BootstrapError(format!("{path} is not UTF-8")))?;
    tonel::read(text).map_err(|error| BootstrapError(format!("{path}: {error}")))
}

impl Vm {
    /// The classes that the VM itself speaks of. First bare ones, so that each can be an instance
    /// of its metaclass and symbols have a class; then their shapes and names.
    pub(crate) fn make_native_classes(&mut self) {
        let classes: Vec<Oid> = NATIVE
            .iter()
            .map(|native| self.new_class(native.name, true))
            .collect();
        for (native, class) in NATIVE.iter().zip(&classes) {
            self.known.set(native.name, *class);
        }
        self.set_native_slots(&classes);
        for class in &classes {
            let metaclass = self.heap.get(*class).class;
            self.heap.get_mut(metaclass).class = self.known.metaclass;
        }
        for (native, class) in NATIVE.iter().zip(&classes) {
            self.set_global(native.name, Value::Obj(*class));
        }
        self.known.does_not_understand = self.symbol("doesNotUnderstand:");
        self.known.must_be_boolean = self.symbol("mustBeBoolean");
        self.known.cannot_return = self.symbol("cannotReturn:");
        for native in NATIVE {
            self.build_class(Definition {
                name: native.name.to_owned(),
                superclass: self.class_named(native.superclass),
                format: Some(native.format),
                slots: native.slots.iter().map(|slot| (*slot).to_owned()).collect(),
                package: Some("Kernel".to_owned()),
                is_system: true,
                ..Definition::default()
            });
        }
    }

    /// The slots must be right before there are instances: bindings are made for every name.
    fn set_native_slots(&mut self, classes: &[Oid]) {
        for (native, class) in NATIVE.iter().zip(classes) {
            let above = NATIVE
                .iter()
                .position(|other| other.name == native.superclass);
            let inherited = above.and_then(|above| self.heap.class(classes[above]));
            let mut slots = inherited
                .map(|class| class.all_slots.clone())
                .unwrap_or_default();
            slots.extend(native.slots.iter().map(|slot| (*slot).to_owned()));
            if let Some(body) = self.heap.class_mut(*class) {
                body.all_slots = slots;
            }
        }
    }

    /// Defines the classes of the files, superclasses first, and compiles their methods.
    pub(crate) fn load_files(&mut self, files: &[TonelFile]) -> Result<(), BootstrapError> {
        let mut waiting: Vec<&TonelFile> = files
            .iter()
            .filter(|file| matches!(file.definition, Tonel::Class(_)))
            .collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|file| !self.define_if_ready(file));
            if waiting.len() == before {
                let names: Vec<_> = waiting.iter().map(|file| file.definition.name()).collect();
                let names = names.join(", ");
                return Err(BootstrapError(format!("no superclass for {names}")));
            }
        }
        for file in files {
            self.compile_methods(file)?;
        }
        self.flush_cache();
        self.set_singletons();
        Ok(())
    }

    /// The globals that are no classes: each the only instance of its class.
    fn set_singletons(&mut self) {
        const SINGLETONS: [(&str, &str); 3] = [
            ("Smalltalk", "SmalltalkImage"),
            ("Transcript", "TranscriptStream"),
            ("Processor", "ProcessorScheduler"),
        ];
        for (name, class) in SINGLETONS {
            if let Some(class) = self.class_named(class) {
                let slots = self
                    .heap
                    .class(class)
                    .map_or(0, |class| class.all_slots.len());
                let instance = self.allocate(Object::plain(class, slots));
                self.set_global(name, Value::Obj(instance));
            }
        }
    }

    /// Defines the class of a file when its superclass is there; says whether it was.
    fn define_if_ready(&mut self, file: &TonelFile) -> bool {
        let Tonel::Class(class) = &file.definition else {
            return true;
        };
        let superclass = class
            .superclass
            .as_deref()
            .filter(|name| *name != "nil")
            .map(|name| self.class_named(name));
        if superclass == Some(None) {
            return false;
        }
        let native = NATIVE.iter().find(|native| native.name == class.name);
        let format = match (native, class.layout.as_str()) {
            (Some(native), _) => Some(native.format),
            (None, "variable") => Some(Format::Values),
            (None, "bytes") => Some(Format::Bytes),
            _ => None,
        };
        let oid = self.build_class(Definition {
            name: class.name.clone(),
            superclass: superclass.flatten(),
            format,
            slots: class.instance_variables.clone(),
            class_vars: class.class_variables.clone(),
            class_slots: Some(class.class_instance_variables.clone()),
            package: class.package.clone().or_else(|| class.category.clone()),
            tag: class.tag.clone().unwrap_or_default(),
            is_system: true,
        });
        if let (Some(comment), Some(body)) = (&file.comment, self.heap.class_mut(oid)) {
            body.comment.clone_from(comment);
        }
        true
    }

    fn compile_methods(&mut self, file: &TonelFile) -> Result<(), BootstrapError> {
        for method in &file.methods {
            let named = || format!("{}>>{}", method.class_name, method.selector);
            let class = self
                .class_named(&method.class_name)
                .ok_or_else(|| BootstrapError(format!("{}: there is no such class", named())))?;
            let side = if method.is_class_side {
                self.heap.get(class).class
            } else {
                class
            };
            let category = method.category.as_deref().unwrap_or("as yet unclassified");
            self.install_method(side, &method.source, category)
                .map_err(|error| {
                    let (line, column) = (error.line, error.column);
                    BootstrapError(format!("{}:{line}:{column}: {error}", named()))
                })?;
        }
        Ok(())
    }
}
