//! Which colour things get.

use proptest::prelude::*;

use super::*;
use crate::lexer::tests::smalltalk_like;

fn pieces(source: &str) -> Vec<(&str, Class)> {
    highlight(source)
        .into_iter()
        .map(|(span, class)| (span.text(source), class))
        .collect()
}

fn classes_of(source: &str, class: Class) -> Vec<&str> {
    pieces(source)
        .into_iter()
        .filter(|piece| piece.1 == class)
        .map(|piece| piece.0)
        .collect()
}

#[test]
fn a_statement_shows_its_parts() {
    assert_eq!(
        pieces("x := self at: 1 put: Foo new \"c\"; bar. ^ $a"),
        [
            ("x", Class::Variable),
            (":=", Class::Assignment),
            ("self", Class::PseudoVariable),
            ("at:", Class::Keyword),
            ("1", Class::Number),
            ("put:", Class::Keyword),
            ("Foo", Class::Global),
            ("new", Class::UnarySelector),
            ("\"c\"", Class::Comment),
            (";", Class::Punctuation),
            ("bar", Class::UnarySelector),
            (".", Class::Punctuation),
            ("^", Class::Return),
            ("$a", Class::Character),
        ]
    );
}

#[test]
fn a_block_shows_arguments_and_temporaries_as_variables() {
    let source = "[ :a :b || t | t := a size ]";

    assert_eq!(
        classes_of(source, Class::Variable),
        ["a", "b", "t", "t", "a"]
    );
    assert_eq!(classes_of(source, Class::UnarySelector), ["size"]);
    assert_eq!(classes_of(source, Class::Bar), ["|", "|", "|"]);
    assert_eq!(classes_of("| a b | a | b", Class::Binary), ["|"]);
}

#[test]
fn elements_of_a_literal_array_are_no_messages() {
    let source = "#(foo bar: #baz nil (x 1) -2) size";

    assert_eq!(
        classes_of(source, Class::Symbol),
        ["foo", "bar:", "#baz", "x"]
    );
    assert_eq!(classes_of(source, Class::UnarySelector), ["size"]);
    assert_eq!(classes_of(source, Class::Number), ["1", "-2"]);
}

#[test]
fn a_sign_after_an_operand_is_an_operator() {
    assert_eq!(
        pieces("3-4"),
        [
            ("3", Class::Number),
            ("-", Class::Binary),
            ("4", Class::Number)
        ]
    );
    assert_eq!(pieces("x + -4").last(), Some(&("-4", Class::Number)));
}

#[test]
fn a_method_begins_with_its_pattern() {
    let source = "at: key put: value <foo> | t | t bar";
    let pieces: Vec<_> = highlight_method(source)
        .into_iter()
        .map(|(s, class)| (s.text(source), class))
        .collect();

    assert_eq!(
        pieces[..4],
        [
            ("at:", Class::Keyword),
            ("key", Class::Variable),
            ("put:", Class::Keyword),
            ("value", Class::Variable),
        ]
    );
    assert_eq!(pieces[5], ("foo", Class::UnarySelector));
    assert_eq!(
        pieces[10..],
        [("t", Class::Variable), ("bar", Class::UnarySelector)]
    );
    assert_eq!(highlight_method("foo bar")[0].1, Class::UnarySelector);
    assert_eq!(highlight_method("foo bar")[1].1, Class::Variable);
}

#[test]
fn what_is_still_being_typed_has_its_colour_already() {
    assert_eq!(pieces("x := 'abc").last(), Some(&("'abc", Class::String)));
    assert_eq!(pieces("x \"abc").last(), Some(&("\"abc", Class::Comment)));
    assert_eq!(pieces("#'abc").last(), Some(&("#'abc", Class::Symbol)));
    assert_eq!(pieces("(1 + [ :a").last(), Some(&("a", Class::Variable)));
}

#[test]
fn what_cannot_be_is_an_error() {
    assert_eq!(classes_of("x → y", Class::Error), ["→"]);
    assert_eq!(classes_of("(1 ] )", Class::Error), ["]"]);
    assert_eq!(classes_of("3 )", Class::Error), [")"]);
}

proptest! {
    #[test]
    fn pieces_are_in_order_and_leave_out_nothing_but_blanks(source in smalltalk_like()) {
        for pieces in [highlight(&source), highlight_method(&source)] {
            let mut at = 0;
            for (span, _) in pieces {
                prop_assert!(source[at..span.start].trim().is_empty());
                prop_assert!(!span.is_empty());
                at = span.end;
            }
            prop_assert!(source[at..].trim().is_empty());
        }
    }

    #[test]
    fn any_text_has_its_pieces(source in any::<String>()) {
        let painted: usize = highlight(&source).iter().map(|(span, _)| span.len()).sum();
        prop_assert!(painted <= source.len());
    }

    #[test]
    fn a_valid_source_has_no_errors(source in crate::source_samples::script()) {
        prop_assert!(highlight(&source).iter().all(|(_, class)| *class != Class::Error));
    }
}
