//! Reading and changing code: classes, methods, search, completion, syntax, loading.

mod finding;

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::image::{
    BrowseClass, CheckSyntax, CompileMethod, DefineClass, FileIn, GetMethod, RemoveMethod, Syntax,
};
use stui_tests::asking::new_id;
use stui_tests::{Asking, Image};

use super::{PACKAGE, compile, new_class};

#[test]
fn a_class_is_defined_in_the_older_form_and_used() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let name = new_id("StuiStory");
    let definition = format!(
        "Object subclass: #{name} instanceVariableNames: 'a b' classVariableNames: 'Count' \
         package: '{PACKAGE}'"
    );

    let info = client
        .ask::<DefineClass>(json!({"definition": definition}))
        .class_info;
    let browsed = client.ask::<BrowseClass>(json!({"class_name": name}));

    assert_eq!(info.name, name);
    assert_eq!(info.superclass.as_deref(), Some("Object"));
    assert_eq!(info.package, PACKAGE);
    assert!(!info.is_system);
    assert_eq!(browsed.class_info, info);
    assert_eq!(browsed.instance_vars, ["a", "b"]);
    assert_eq!(browsed.class_vars, ["Count"]);
    assert_eq!(session.value(&format!("{name} new class")), name);
}

#[test]
fn a_class_is_defined_in_the_fluid_form_and_changed_with_its_instances() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let name = new_id("StuiStory");
    let define = |slots: &str| {
        let definition = format!(
            "Object << #{name} slots: {{ {slots} }}; sharedVariables: {{ #Shared }}; \
             package: '{PACKAGE}'"
        );
        client.ask::<DefineClass>(json!({"definition": definition}));
    };

    define("#x");
    compile(&session, &name, "x: n x := n");
    compile(&session, &name, "x ^ x");
    session.value(&format!("old := {name} new. old x: 3"));
    define("#y. #x");

    let browsed = client.ask::<BrowseClass>(json!({"class_name": name}));
    assert_eq!(browsed.instance_vars, ["y", "x"]);
    assert_eq!(browsed.class_vars, ["Shared"]);
    assert_eq!(
        session.value("old x"),
        "3",
        "what the instance held is where it belongs"
    );
    assert_eq!(session.value("old instVarNamed: 'y'"), "nil");
}

#[test]
fn a_definition_that_is_none_is_refused() {
    let image = Image::shared();
    let client = image.client();

    let wrong = client.refused::<DefineClass>(json!({"definition": "Object subclass: #"}));
    let no_class = client.refused::<DefineClass>(json!({"definition": "3 + 4"}));
    let orphan = format!(
        "NoSuchClassAtAll subclass: #{} instanceVariableNames: '' classVariableNames: '' \
         package: '{PACKAGE}'",
        new_id("StuiStory")
    );
    let orphan = client.refused::<DefineClass>(json!({"definition": orphan}));

    assert_eq!(wrong.error_type, ErrorType::SyntaxError);
    assert_eq!(no_class.error_type, ErrorType::InvalidParameter);
    // An image may look for the superclass itself, let the compiler do so, or the message fail.
    let allowed = [
        ErrorType::ClassNotFound,
        ErrorType::EvaluationError,
        ErrorType::SyntaxError,
    ];
    assert!(allowed.contains(&orphan.error_type), "{orphan:?}");
}

#[test]
fn a_method_is_compiled_read_replaced_and_removed() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "", &[]);
    let source = "plus: aNumber\n\t\"I add.\"\n\t^ 3 + aNumber";
    let parameters = json!({"class_name": class, "source": source, "category": "arithmetic"});
    let method = json!({"class_name": class, "method_name": "plus:"});

    let compiled = client.ask::<CompileMethod>(parameters).method;
    let read = client.ask::<GetMethod>(method.clone()).method;

    assert_eq!(read, compiled);
    assert_eq!(read.name, "plus:");
    assert_eq!(read.class_name, class);
    assert_eq!(read.source, source);
    assert_eq!(read.category, "arithmetic");
    assert_eq!(read.arguments, ["aNumber"]);
    assert_eq!(read.comment, "I add.");
    assert_eq!(session.value(&format!("{class} new plus: 4")), "7");

    compile(&session, &class, "plus: n ^ 4 + n");
    assert_eq!(session.value(&format!("{class} new plus: 4")), "8");

    assert!(client.ask::<RemoveMethod>(method.clone()).removed);
    assert_eq!(
        client.refused::<GetMethod>(method.clone()).error_type,
        ErrorType::MethodNotFound
    );
    assert_eq!(
        client.refused::<RemoveMethod>(method).error_type,
        ErrorType::MethodNotFound
    );
    assert_eq!(
        session.failure(&format!("{class} new plus: 4")).error_type,
        ErrorType::EvaluationError
    );
}

#[test]
fn the_class_side_has_methods_of_its_own() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "", &["kind ^ #instance"]);

    client.ask::<CompileMethod>(
        json!({"class_name": class, "source": "kind ^ #class", "is_class_method": true}),
    );

    let side = |is_class_method| {
        let parameters =
            json!({"class_name": class, "method_name": "kind", "is_class_method": is_class_method});
        client.ask::<GetMethod>(parameters).method
    };
    assert!(side(true).is_class_method && side(true).source.contains("#class"));
    assert!(!side(false).is_class_method && side(false).source.contains("#instance"));
    assert_eq!(session.value(&format!("{class} kind")), "#class");
    assert_eq!(session.value(&format!("{class} new kind")), "#instance");
    let browsed = client.ask::<BrowseClass>(json!({"class_name": class}));
    assert_eq!(
        (browsed.instance_methods.len(), browsed.class_methods.len()),
        (1, 1)
    );
}

#[test]
fn a_method_with_a_syntax_error_is_refused_and_the_old_one_stays() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "", &["answer ^ 42"]);

    let failure =
        client.refused::<CompileMethod>(json!({"class_name": class, "source": "answer\n\t^ 43 +"}));

    assert_eq!(failure.error_type, ErrorType::SyntaxError);
    assert_eq!(failure.syntax_error().expect("a spot").line, 2);
    assert_eq!(session.value(&format!("{class} new answer")), "42");
}

#[test]
fn code_is_complete_incomplete_or_wrong() {
    let image = Image::shared();
    let client = image.client();
    let check = |source: &str| client.ask::<CheckSyntax>(json!({"source": source}));

    for complete in [
        "3 + 4",
        "",
        "x := 5. x foo: [:a | a]",
        "#(1 2) do: [:e | e]. ^ 3",
    ] {
        assert_eq!(check(complete).syntax, Syntax::Complete, "{complete:?}");
    }
    for incomplete in [
        "3 +",
        "[:a | a",
        "'open",
        "#(1 2",
        "\"a comment",
        "{ 3. 4",
        "(3 + 4",
    ] {
        assert_eq!(
            check(incomplete).syntax,
            Syntax::Incomplete,
            "{incomplete:?}"
        );
    }
    for wrong in ["3 + )", "a := ]", "x } y"] {
        let checked = check(wrong);
        assert_eq!(checked.syntax, Syntax::Error, "{wrong:?}");
        assert!(
            checked.error.is_some_and(|error| error.position >= 1),
            "{wrong:?}"
        );
    }
}

#[test]
fn chunks_are_loaded() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let name = new_id("StuiStory");
    let source = format!(
        "Object subclass: #{name}\n\tinstanceVariableNames: 'a'\n\tclassVariableNames: ''\n\t\
         package: '{PACKAGE}'!\n\n!{name} methodsFor: 'accessing'!\na\n\t^ a ifNil: ['it''s!!']! \
         !\n\n!{name} class methodsFor: 'making'!\nmake\n\t^ self new! !\n\nSmalltalk at: \
         #{name}Loaded put: 7!\n"
    );

    let loaded = client.ask::<FileIn>(json!({"source": source}));

    assert!(loaded.classes.contains(&name), "{loaded:?}");
    assert_eq!(
        loaded.methods,
        [format!("{name}>>a"), format!("{name} class>>make")]
    );
    assert!(loaded.expressions >= 1);
    assert_eq!(session.value(&format!("{name} make a")), "'it''s!'");
    assert_eq!(session.value(&format!("Smalltalk at: #{name}Loaded")), "7");
}

#[test]
fn a_tonel_class_file_is_loaded() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let name = new_id("StuiStory");
    let source = format!(
        "\"\nI count.\n\"\nClass {{\n\t#name : '{name}',\n\t#superclass : 'Object',\n\t#instVars : \
         [\n\t\t'count'\n\t],\n\t#category : '{PACKAGE}',\n\t#package : '{PACKAGE}'\n}}\n\n\
         {{ #category : 'counting' }}\n{name} >> next [\n\n\t^ count := (count ifNil: [ 0 ]) + 1\n]\n\n\
         {{ #category : 'making' }}\n{name} class >> started [\n\n\t^ self new next; yourself\n]\n"
    );

    let loaded = client.ask::<FileIn>(json!({"source": source}));

    assert_eq!(loaded.classes, [name.as_str()]);
    assert_eq!(loaded.methods.len(), 2, "{loaded:?}");
    assert_eq!(session.value(&format!("{name} started next")), "2");
    let browsed = client.ask::<BrowseClass>(json!({"class_name": name}));
    assert_eq!(browsed.class_info.comment, "I count.");
    assert_eq!(browsed.instance_vars, ["count"]);
}

#[test]
fn source_with_a_syntax_error_is_answered_as_one() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "", &[]);

    let source = format!("!{class} methodsFor: 'x'!\nbroken\n\t^ 3 + )! !\n");
    let failure = client.refused::<FileIn>(json!({"source": source}));

    assert_eq!(failure.error_type, ErrorType::SyntaxError);
    assert_eq!(
        client.refused::<FileIn>(json!({})).error_type,
        ErrorType::MissingParameter
    );
}
