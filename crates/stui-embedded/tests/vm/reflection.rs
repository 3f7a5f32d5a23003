//! What inspectors, browsers and completion ask for.

use stui_embedded::vm::{FieldKind, Search};

use crate::cast::Image;

fn fields(image: &Image, variable: &str) -> Vec<(String, FieldKind, String)> {
    let value = image.variable(variable);
    let (fields, total) = image.vm.fields(value, 0, 100);
    assert_eq!(fields.len(), total);
    fields
        .into_iter()
        .map(|field| {
            (
                field.name,
                field.kind,
                image.vm.class_name(image.vm.class_of(field.value)),
            )
        })
        .collect()
}

#[test]
fn the_fields_of_objects_and_collections_are_named() {
    let mut image = Image::new();
    image.eval("p := 3 @ 4. a := #(1 $a). o := OrderedCollection with: 'x'. d := Dictionary new at: #k put: 2.5; yourself");

    let names = |variable| -> Vec<String> {
        fields(&image, variable)
            .into_iter()
            .map(|(name, ..)| name)
            .collect()
    };
    assert_eq!(names("p"), ["x", "y"]);
    assert_eq!(names("a"), ["1", "2"]);
    assert_eq!(names("o"), ["array", "firstIndex", "lastIndex", "1"]);
    assert_eq!(names("d"), ["tally", "array", "#k"]);
    assert_eq!(fields(&image, "d")[2].1, FieldKind::Key);
    assert_eq!(fields(&image, "d")[2].2, "SmallFloat64");
    let (some, total) = image.vm.fields(image.variable("o"), 3, 5);
    assert_eq!((some.len(), total), (1, 4));
    assert!(image.vm.field(image.variable("d"), "#k").is_some());
    assert_eq!(image.vm.size(image.variable("o")), 1);
}

#[test]
fn classes_and_methods_are_told_with_their_source() {
    let image = Image::new();
    let class = image.vm.find_class("Object").unwrap();

    let info = image.vm.class_info(class);
    let method = image.vm.method(class, false, "respondsTo:").unwrap();

    assert_eq!(info.superclass.as_deref(), Some("ProtoObject"));
    assert!(info.is_system);
    assert!(info.subclasses.contains(&"Collection".to_owned()));
    assert!(!info.comment.is_empty());
    assert!(method.source.starts_with("respondsTo: aSymbol"));
    assert_eq!(method.arguments, ["aSymbol"]);
    assert_eq!(method.category, "class membership");
    assert!(image.vm.classes().len() > 100);
    assert!(image.vm.methods(class, false).len() > 50);
}

#[test]
fn searches_find_senders_implementors_references_and_text() {
    let image = Image::new();
    let found = |search: &Search| image.vm.search(search, 1000);

    assert!(found(&Search::Implementors("printOn:".to_owned())).len() > 10);
    assert!(
        found(&Search::Senders("handleBelow:".to_owned()))
            .iter()
            .any(|m| m.selector == "signal")
    );
    let references = found(&Search::References("BlockCannotReturn".to_owned()));
    assert!(
        references
            .iter()
            .any(|method| method.selector == "cannotReturn:")
    );
    assert!(!found(&Search::Source("runHandler".to_owned())).is_empty());
    assert!(found(&Search::Senders("noSuchSelectorAnywhere".to_owned())).is_empty());
    assert_eq!(image.vm.search(&Search::Source("^".to_owned()), 3).len(), 3);
}

#[test]
fn completion_knows_globals_and_selectors() {
    let mut image = Image::new();
    image.eval("c := OrderedCollection new");
    let class = image.vm.class_of(image.variable("c"));

    assert!(image.vm.globals().contains(&"Transcript".to_owned()));
    assert!(image.vm.selectors().contains(&"printOn:".to_owned()));
    assert!(
        image
            .vm
            .selectors_of(class)
            .contains(&"addFirst:".to_owned())
    );
}

#[test]
fn every_primitive_that_the_library_names_exists() {
    let image = Image::new();
    assert_eq!(image.vm.unknown_primitives(), Vec::<String>::new());
}
