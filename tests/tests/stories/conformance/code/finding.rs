//! Finding code: browsing, lists, search, completion.

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::image::{BrowseClass, Complete, GetMethod, ListClasses, Search};
use stui_tests::asking::new_id;
use stui_tests::{Asking, Image};

use super::super::{PACKAGE, compile, new_class};

#[test]
fn classes_and_methods_that_are_not_there_are_said_so() {
    let image = Image::shared();
    let client = image.client();
    let nobody = json!({"class_name": "NoSuchClassAtAll", "method_name": "foo", "source": "foo"});

    for command in [
        "browse_class",
        "get_method",
        "compile_method",
        "remove_method",
    ] {
        let failure = client
            .reply(command, nobody.clone())
            .outcome
            .expect_err("no class");
        assert_eq!(failure.error_type, ErrorType::ClassNotFound, "{command}");
        let missing = client
            .reply(command, json!({}))
            .outcome
            .expect_err("no class_name");
        assert_eq!(missing.error_type, ErrorType::MissingParameter, "{command}");
    }
    let method = json!({"class_name": "Object", "method_name": "noSuchMethodAtAll"});
    assert_eq!(
        client.refused::<GetMethod>(method).error_type,
        ErrorType::MethodNotFound
    );
}

#[test]
fn a_class_of_the_system_is_browsed_with_real_code() {
    let image = Image::shared();
    let client = image.client();

    let whole = client.ask::<BrowseClass>(json!({"class_name": "OrderedCollection"}));
    let bare = client.ask::<BrowseClass>(json!({
        "class_name": "OrderedCollection", "include_methods": false,
        "include_instance_vars": false, "include_class_vars": false,
    }));

    assert!(whole.class_info.is_system);
    assert_eq!(
        whole.class_info.superclass.as_deref(),
        Some("SequenceableCollection")
    );
    let add = whole
        .instance_methods
        .iter()
        .find(|m| m.name == "addFirst:")
        .expect("addFirst:");
    assert!(add.source.starts_with("addFirst:"));
    assert!(!whole.instance_vars.is_empty());
    assert!(bare.instance_methods.is_empty() && bare.class_methods.is_empty());
    assert!(bare.instance_vars.is_empty());
    assert_eq!(bare.class_info, whole.class_info);
}

#[test]
fn classes_are_listed_by_pattern_sorted_and_in_pages() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let stem = new_id("StuiStory");
    for letter in ["C", "A", "B"] {
        session.value(&format!(
            "Object subclass: #{stem}{letter} instanceVariableNames: '' classVariableNames: '' \
             package: '{PACKAGE}'"
        ));
    }
    let list = |more: serde_json::Value| {
        let mut parameters = json!({"pattern": format!("{stem}?")});
        parameters
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let result = client.ask::<ListClasses>(parameters);
        let letters: String = result
            .classes
            .iter()
            .filter_map(|class| class.name.chars().last())
            .collect();
        (letters, result.total_count)
    };

    assert_eq!(list(json!({})), ("ABC".to_owned(), 3));
    assert_eq!(list(json!({"limit": 2})), ("AB".to_owned(), 3));
    assert_eq!(list(json!({"limit": 2, "offset": 2})), ("C".to_owned(), 3));
    assert_eq!(
        list(json!({"include_system": false})),
        ("ABC".to_owned(), 3)
    );
    let nobody = client.ask::<ListClasses>(json!({"pattern": "NoSuchClass*"}));
    assert_eq!((nobody.classes.len(), nobody.total_count), (0, 0));
    let system = client.ask::<ListClasses>(json!({"pattern": "*Collection"}));
    assert!(
        system
            .classes
            .iter()
            .any(|class| class.name == "OrderedCollection")
    );
    let mine =
        client.ask::<ListClasses>(json!({"pattern": "*Collection", "include_system": false}));
    assert!(mine.classes.iter().all(|class| !class.is_system));
}

#[test]
fn methods_are_found_by_who_sends_implements_names_and_says() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let word = new_id("quux");
    let class = new_class(&session, "", &[]);
    compile(&session, &class, &format!("{word} ^ 'needle {word}'"));
    compile(&session, &class, &format!("sender ^ self {word}"));
    compile(&session, &class, &format!("reference ^ {class}"));
    let search = |kind: &str, text: &str| {
        let result = client.ask::<Search>(json!({"kind": kind, "text": text}));
        assert_eq!(
            result.total_count,
            result.methods.len() as u64,
            "{kind} {text}"
        );
        result
            .methods
            .into_iter()
            .map(|method| method.name)
            .collect::<Vec<_>>()
    };

    assert_eq!(search("senders", &word), ["sender"]);
    assert_eq!(search("implementors", &word), [word.as_str()]);
    assert_eq!(search("references", &class), ["reference"]);
    assert_eq!(search("source", &format!("needle {word}")), [word.as_str()]);
    assert_eq!(
        search("implementors", "noSuchSelectorAtAll"),
        Vec::<String>::new()
    );
}

#[test]
fn a_search_that_finds_much_answers_as_much_as_is_asked_for() {
    let image = Image::shared();
    let client = image.client();
    let search = json!({"kind": "implementors", "text": "printOn:", "limit": 3, "offset": 1});

    let found = client.ask::<Search>(search);

    assert_eq!(found.methods.len(), 3);
    assert!(found.total_count > 3);
    assert!(found.methods.iter().all(|method| method.name == "printOn:"));
    let wrong = client.refused::<Search>(json!({"kind": "weather", "text": "rain"}));
    assert_eq!(wrong.error_type, ErrorType::InvalidParameter);
}

#[test]
fn what_is_being_typed_is_completed_with_variables_globals_and_selectors() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("wonderfulNumber := 3");
    let complete = |source: &str| {
        let parameters = json!({"source": source, "position": source.chars().count()});
        session.ask::<Complete>(parameters)
    };
    let kind = |source: &str, text: &str| {
        let result = complete(source);
        let found = result
            .candidates
            .iter()
            .find(|candidate| candidate.text == text);
        let kind = found.map(|candidate| candidate.kind.clone());
        (
            kind.unwrap_or_else(|| panic!("no {text} in {result:?}")),
            result.start,
        )
    };

    assert_eq!(
        kind("3 + wonder", "wonderfulNumber"),
        ("variable".to_owned(), 4)
    );
    assert_eq!(kind("Transc", "Transcript"), ("global".to_owned(), 0));
    assert_eq!(
        kind("wonderfulNumber printStr", "printString"),
        ("selector".to_owned(), 16)
    );
    assert_eq!(complete("3 + noSuchBeginning").candidates, []);
    // The cursor may stand before the end.
    let middle = client.ask::<Complete>(json!({"source": "Transc show: 3", "position": 6}));
    assert!(
        middle
            .candidates
            .iter()
            .any(|candidate| candidate.text == "Transcript")
    );
}
