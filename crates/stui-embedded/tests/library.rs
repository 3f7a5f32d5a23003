//! The files of the class library as texts: what the VM would pass over without a word.
#![allow(clippy::unwrap_used)] // a file that cannot be read is a finding

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use stui_smalltalk::tonel::{self, Definition, TonelFile};

fn files() -> Vec<(PathBuf, TonelFile)> {
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("image");
    let mut files = Vec::new();
    for package in image.read_dir().unwrap() {
        let package = package.unwrap().path();
        if !package.is_dir() {
            continue;
        }
        for file in package.read_dir().unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path, tonel::read(&text).unwrap()));
        }
    }
    assert!(!files.is_empty(), "there is no class library");
    files
}

#[test]
fn no_method_is_defined_twice() {
    let mut seen: HashMap<(String, bool, String), PathBuf> = HashMap::new();
    for (path, file) in files() {
        for method in file.methods {
            let key = (method.class_name, method.is_class_side, method.selector);
            let name = format!("{}>>{}", key.0, key.2);
            if let Some(first) = seen.insert(key, path.clone()) {
                panic!(
                    "{name} stands in {} and in {}",
                    first.display(),
                    path.display()
                );
            }
        }
    }
}

#[test]
fn files_stand_where_their_names_say() {
    for (path, file) in files() {
        let folder = path
            .parent()
            .and_then(Path::file_name)
            .unwrap()
            .to_string_lossy();
        let (stem, package) = match &file.definition {
            Definition::Package { name } => ("package".to_owned(), Some(name.clone())),
            Definition::Class(class) => (format!("{}.class", class.name), class.package.clone()),
            Definition::Trait(class) => (format!("{}.trait", class.name), class.package.clone()),
            Definition::Extension { name } => (format!("{name}.extension"), None),
        };
        assert_eq!(
            path.file_name().unwrap().to_string_lossy(),
            format!("{stem}.st")
        );
        if let Some(package) = package {
            assert_eq!(package, folder, "{}", path.display());
        } else {
            let own = format!("*{folder}");
            for method in &file.methods {
                assert_eq!(method.category.as_ref(), Some(&own), "{}", path.display());
            }
        }
    }
}
