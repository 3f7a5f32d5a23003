//! What is read from Tonel files.

use proptest::prelude::*;

use super::*;
use crate::parser::parse_method;

const VERSION_3: &str = r#""
I count ""things"".

"
Class {
	#name : 'Counter',
	#superclass : 'Object',
	#instVars : [
		'count',
		'#limit => WeakSlot'
	],
	#classVars : [ 'Default' ],
	#classInstVars : [ 'only' ],
	#type : 'variable',
	#category : 'Demo-Core',
	#package : 'Demo',
	#tag : 'Core'
}

{ #category : 'instance creation' }
Counter class >> startingAt: anInteger [

	^ self new
		  setCount: anInteger;
		  yourself
]

{ #category : 'accessing' }
Counter >> count [
	"a ] in a comment"

	#( ] #[ 1 ] ').]' $] ).
	^ [ [ count ] value + ']' size + $] asInteger + #[ 1 ] size ] value
]

{ #category : 'comparing' }
Counter >> < other [

	^ count < other count
]
"#;

fn methods(source: &str) -> Vec<(bool, String, Option<String>, String)> {
    let file = read(source).unwrap();
    let parts = |method: TonelMethod| {
        (
            method.is_class_side,
            method.selector,
            method.category,
            method.source,
        )
    };
    file.methods.into_iter().map(parts).collect()
}

fn error(source: &str) -> String {
    read(source).unwrap_err().to_string()
}

#[test]
fn a_class_of_version_3_is_read_whole() {
    let file = read(VERSION_3).unwrap();

    assert_eq!(file.comment.as_deref(), Some("I count \"things\".\n"));
    let Definition::Class(class) = &file.definition else {
        panic!("{:?}", file.definition)
    };
    assert_eq!(
        *class,
        ClassDefinition {
            name: "Counter".to_owned(),
            superclass: Some("Object".to_owned()),
            layout: "variable".to_owned(),
            instance_variables: vec!["count".to_owned(), "#limit => WeakSlot".to_owned()],
            class_variables: vec!["Default".to_owned()],
            class_instance_variables: vec!["only".to_owned()],
            category: Some("Demo-Core".to_owned()),
            package: Some("Demo".to_owned()),
            tag: Some("Core".to_owned()),
            ..ClassDefinition::default()
        }
    );
}

#[test]
fn methods_are_cut_at_their_own_bracket() {
    let methods = methods(VERSION_3);

    let heads: Vec<_> = methods
        .iter()
        .map(|method| (method.0, method.1.as_str()))
        .collect();
    assert_eq!(
        heads,
        [(true, "startingAt:"), (false, "count"), (false, "<")]
    );
    assert_eq!(methods[2].2.as_deref(), Some("comparing"));
    assert_eq!(methods[2].3, "< other\n\n\t^ count < other count");
    assert!(methods.iter().all(|method| parse_method(&method.3).is_ok()));
}

#[test]
fn a_place_in_a_method_is_found_again_in_the_file() {
    let file = read(VERSION_3).unwrap();

    for method in &file.methods {
        for (at, character) in method.source.char_indices() {
            assert!(VERSION_3[method.file_offset(at)..].starts_with(character));
        }
        assert!(VERSION_3[method.span.range()].starts_with("{ #category"));
        assert!(VERSION_3[method.span.range()].ends_with(']'));
    }
}

#[test]
fn older_versions_write_symbols() {
    let source = "Class {\n\t#name : #Foo,\n\t#superclass : #nil,\n\t#category : #'Foo-Bar'\n}\n\n\
                  { #category : #'as yet unclassified' }\nFoo >> bar [ ^ 1 ]\n";

    let file = read(source).unwrap();

    let Definition::Class(class) = &file.definition else {
        panic!()
    };
    assert_eq!((class.name.as_str(), &class.superclass), ("Foo", &None));
    assert_eq!(class.category.as_deref(), Some("Foo-Bar"));
    assert_eq!(
        file.methods[0].category.as_deref(),
        Some("as yet unclassified")
    );
    assert_eq!(file.methods[0].source, "bar ^ 1");
}

#[test]
fn packages_extensions_and_traits_are_told_apart() {
    let package = read("Package { #name : 'Demo' }").unwrap();
    let extension =
        read("Extension { #name : 'Object' }\n{ #category : '*Demo' }\nObject >> foo [ ]").unwrap();
    let with_traits = read(
        "Trait { #name : 'TFoo', #traits : 'TA + TB', #classTraits : '{}' }\n\
                            TFoo classSide >> foo [ ]",
    )
    .unwrap();

    assert_eq!(
        package.definition,
        Definition::Package {
            name: "Demo".to_owned()
        }
    );
    assert_eq!(extension.definition.name(), "Object");
    assert_eq!(extension.methods[0].category.as_deref(), Some("*Demo"));
    let Definition::Trait(definition) = with_traits.definition else {
        panic!()
    };
    assert_eq!(definition.traits.as_deref(), Some("TA + TB"));
    assert_eq!(definition.class_traits, None);
    assert!(with_traits.methods[0].is_class_side);
    assert_eq!(with_traits.methods[0].category, None);
}

#[test]
fn pattern_and_body_never_run_into_each_other() {
    let source = |method: &str| {
        methods(&format!("Class {{ #name : 'Foo' }}\n{method}"))[0]
            .3
            .clone()
    };

    assert_eq!(source("Foo >> bar [baz]"), "bar baz");
    assert_eq!(source("Foo >> bar[ baz ]"), "bar baz");
    assert_eq!(source("Foo >> bar\n[\n\tbaz\n]"), "bar\n\n\tbaz");
    assert_eq!(source("Foo >> bar []"), "bar");
}

/// Found by fuzzing: the source of this method was that of `bar:baz:`.
#[test]
fn a_body_cannot_go_on_with_the_pattern() {
    let file = |method: &str| format!("Class {{ #name : 'Foo' }}\n{method}");

    let message = error(&file("Foo >> bar: x [ \"c\" baz: y ]"));

    assert_eq!(message, "line 2, column 21: the body begins with a keyword");
    assert_eq!(methods(&file("Foo >> bar [ baz: y ]"))[0].1, "bar");
}

#[test]
fn strings_may_have_escapes() {
    let file = read(r"Package { #name : 'a\tb\'\u00e9\ud83d\ude00\\' }").unwrap();

    assert_eq!(file.definition.name(), "a\tb'é😀\\");
}

#[test]
fn line_ends_of_other_systems_are_kept_in_sources() {
    let source = VERSION_3.replace('\n', "\r\n");

    assert_eq!(
        methods(&source)[2].3,
        "< other\r\n\r\n\t^ count < other count"
    );
    assert_eq!(
        read(&source).unwrap().comment.as_deref(),
        Some("I count \"things\".\r\n")
    );
}

#[test]
fn errors_name_line_and_column() {
    let head = "Class { #name : 'Foo' }\n\n";
    for (source, expected) in [
        (
            "",
            "line 1, column 1: expected Class, Trait, Extension or Package, found the end of the file",
        ),
        (
            "Klass { }",
            "line 1, column 1: expected Class, Trait, Extension or Package, found 'K'",
        ),
        ("Class { }", "line 1, column 1: #name of Class is missing"),
        (
            "Class { #name : 'Foo'",
            "line 1, column 22: expected ',' or '}', found the end of the file",
        ),
        (
            "Class { #name : 'Foo }",
            "line 1, column 17: the string has no closing quote",
        ),
        (
            "Class { #name : [ ] }",
            "line 1, column 1: #name of Class has to be a string",
        ),
        (
            "Class { #name : 'F', #instVars : 'a' }",
            "line 1, column 1: #instVars of Class has to be a list",
        ),
        (
            "\"abc",
            "line 1, column 1: the comment has no closing quote",
        ),
        (
            &format!("{head}Foo bar [ ]"),
            "line 3, column 5: expected 'class' or '>>', found 'b'",
        ),
        (
            &format!("{head}Foo >> bar"),
            "line 3, column 8: the method has no '['",
        ),
        (
            &format!("{head}Foo >> bar ["),
            "line 3, column 12: the '[' of this method is never closed",
        ),
        (
            &format!("{head}Foo >> bar [ 'a ]"),
            "line 3, column 14: Unmatched ' in string literal.",
        ),
        (
            &format!("{head}Foo >> bar: [ ]"),
            "line 3, column 12: this is no method pattern: Variable name expected",
        ),
        (
            &format!("{head}Foo >> bar [ ] ]"),
            "line 3, column 16: expected a method such as Foo >> bar [ ], found ']'",
        ),
    ] {
        assert_eq!(error(source), expected, "{source}");
    }
}

#[test]
fn definitions_may_not_nest_for_ever() {
    let source = format!("Class {{ #name : {}", "[".repeat(100_000));

    assert!(error(&source).contains("nested more than"));
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    assert!(error(&" ".repeat(MAX_FILE_BYTES + 1)).contains("longer than"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(source in any::<String>()) {
        let _ = read(&source);
    }

    #[test]
    fn any_bodies_are_cut_or_refused(
        body in crate::lexer::tests::smalltalk_like(),
        pattern in crate::lexer::tests::smalltalk_like(),
    ) {
        let source = format!("Class {{ #name : 'Foo' }}\n\nFoo >> foo [{body}]\n\nFoo >> {pattern} [ ]");
        if let Err(error) = read(&source) {
            prop_assert!(source.is_char_boundary(error.offset));
        }
    }

    #[test]
    fn a_valid_body_comes_back_as_it_was(body in crate::source_samples::script()) {
        let source = format!("Class {{ #name : 'Foo' }}\n\n{{ #category : 'x' }}\nFoo >> foo [\n{body}\n]\n");
        let file = read(&source).unwrap();
        let expected = format!("foo\n{body}");
        prop_assert_eq!(&file.methods[0].source, &expected);
    }
}
