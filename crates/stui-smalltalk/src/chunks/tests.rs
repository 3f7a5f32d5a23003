//! How texts are split.

use proptest::prelude::*;

use super::*;

const FILED_OUT: &str = "'From Pharo'!

Object subclass: #Foo
	instanceVariableNames: 'bar'
	package: 'Demo'!

!Foo commentStamp: '<historical>' prior: 0!
I shout \"hey!!\".!
]style[(14)!

!Foo methodsFor: 'accessing'!
bar
	^ bar! !

!Foo class methodsFor: 'instance creation' stamp: 'me 1/1/2020'!
new
	\"a !! in a comment\"
	^ super new!

on: x
	^ self new! !
!Foo reorganize!
('accessing' bar)
!

Foo new bar";

fn outline(text: &str) -> Vec<String> {
    let outline = |chunk: Chunk| match chunk {
        Chunk::DoIt { source, .. } => format!("do {source}"),
        Chunk::Comment {
            class_name, text, ..
        } => format!("comment {class_name}: {text}"),
        Chunk::Method {
            class_name,
            is_class_side,
            category,
            source,
            ..
        } => {
            let side = if is_class_side { " class" } else { "" };
            format!("{class_name}{side} >> {source} in {category}")
        }
    };
    split(text).unwrap().into_iter().map(outline).collect()
}

#[test]
fn a_filed_out_class_falls_into_its_pieces() {
    assert_eq!(
        outline(FILED_OUT),
        [
            "do 'From Pharo'",
            "do Object subclass: #Foo\n\tinstanceVariableNames: 'bar'\n\tpackage: 'Demo'",
            "comment Foo: I shout \"hey!\".",
            "Foo >> bar\n\t^ bar in accessing",
            "Foo class >> new\n\t\"a ! in a comment\"\n\t^ super new in instance creation",
            "Foo class >> on: x\n\t^ self new in instance creation",
            "do Foo new bar",
        ]
    );
}

#[test]
fn a_text_without_marks_is_one_do_it() {
    assert_eq!(outline("  3 + 4.\n5\n"), ["do 3 + 4.\n5"]);
    assert!(outline(" \n ").is_empty());
    assert!(outline("! !\n! ! !").is_empty());
}

#[test]
fn a_chunk_knows_its_place() {
    for chunk in split(FILED_OUT).unwrap() {
        let (Chunk::DoIt { source: text, .. }
        | Chunk::Method { source: text, .. }
        | Chunk::Comment { text, .. }) = &chunk;
        assert_eq!(*text, chunk.span().text(FILED_OUT).replace("!!", "!"));
    }
}

#[test]
fn three_marks_are_one_and_an_end() {
    assert_eq!(outline("'a!!!'b'"), ["do 'a!", "do 'b'"]);
}

#[test]
fn what_is_announced_has_to_be_known() {
    let error = split("3!\n!Foo bar: 3!").unwrap_err();

    assert_eq!(
        error,
        ChunkError::UnknownPreamble {
            span: Span::new(4, 14)
        }
    );
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    assert_eq!(
        split(&" ".repeat(MAX_FILE_BYTES + 1)),
        Err(ChunkError::TooLong)
    );
}

proptest! {
    #[test]
    fn any_text_is_split_or_refused(text in any::<String>()) {
        let _ = split(&text);
    }

    #[test]
    fn what_was_filed_out_comes_back(sources in prop::collection::vec("[a-z!' \n]{0,20}[a-z]", 1..5)) {
        let doubled: Vec<_> = sources.iter().map(|source| source.replace('!', "!!")).collect();
        let text = format!("!Foo methodsFor: 'x'!\n{}! !\n3", doubled.join("!\n\n"));
        // Blanks at both ends of a chunk are not part of it, and an empty one ends the list.
        let expected: Vec<_> = sources.iter().map(|source| source.trim().to_owned()).collect();
        let read: Vec<_> = split(&text).unwrap().into_iter().filter_map(|chunk| match chunk {
            Chunk::Method { source, .. } => Some(source),
            _ => None,
        }).collect();
        prop_assert_eq!(read, expected);
    }
}
