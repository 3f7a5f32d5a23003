//! Every node lies where its text is.

use super::checker::{check_method, check_script};
use super::*;
use crate::ast::*;
use crate::lexer::tests::smalltalk_like;

#[test]
fn a_send_knows_its_selector_parts() {
    let source = "d at: (1 + 2) put: x";
    let script = parse_script(source).unwrap();

    let Expression::Send(send) = script.body.statements[0].expression() else {
        panic!()
    };

    let parts: Vec<_> = send
        .message
        .selector_parts
        .iter()
        .map(|s| s.text(source))
        .collect();
    assert_eq!(parts, ["at:", "put:"]);
    assert_eq!(send.message.span.text(source), "at: (1 + 2) put: x");
    assert_eq!(send.message.arguments[0].span().text(source), "1 + 2");
    assert_eq!(send.span.text(source), source);
}

#[test]
fn a_send_covers_the_parentheses_of_its_receiver() {
    let source = " (a + b) foo. ^ (c)";
    let script = parse_script(source).unwrap();

    let spans: Vec<_> = script
        .body
        .statements
        .iter()
        .map(|s| s.span().text(source))
        .collect();

    assert_eq!(spans, ["(a + b) foo", "^ (c)"]);
}

#[test]
fn a_split_number_and_split_bars_have_their_own_places() {
    let source = "[:a||t|a-3]";
    let script = parse_script(source).unwrap();

    let Expression::Block(block) = script.body.statements[0].expression() else {
        panic!()
    };
    let Expression::Send(send) = block.body.statements[0].expression() else {
        panic!()
    };

    assert_eq!(block.body.span.text(source), "|t|a-3");
    assert_eq!(send.message.selector_parts[0].text(source), "-");
    assert_eq!(send.message.arguments[0].span().text(source), "3");
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(source in any::<String>()) {
        let _ = parse_script(&source);
        let _ = parse_method(&source);
        let _ = parse_pattern(&source);
    }

    #[test]
    fn the_spans_of_smalltalk_like_text_nest(source in smalltalk_like()) {
        match parse_script(&source) {
            Ok(script) => check_script(&source, &script),
            Err(error) => prop_assert!(source.is_char_boundary(error.offset)),
        }
        let source = format!("foo: x {source}");
        if let Ok(method) = parse_method(&source) {
            check_method(&source, &method);
        }
    }

    #[test]
    fn the_spans_of_valid_sources_nest(source in crate::source_samples::script()) {
        let script = parse_script(&source);
        prop_assert!(script.is_ok(), "{source}: {:?}", script.err());
        check_script(&source, &script.unwrap());
    }
}
