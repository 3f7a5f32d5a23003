//! What the lexer makes of sources.

use proptest::prelude::*;

use super::*;

fn kinds(source: &str) -> Vec<(TokenKind, &str)> {
    Lexer::new(source)
        .filter(|token| token.kind != TokenKind::Blank)
        .map(|token| (token.kind, token.span.text(source)))
        .collect()
}

fn error_of(source: &str) -> LexicalError {
    match Lexer::new(source).last().map(|token| token.kind) {
        Some(TokenKind::Error(error)) => error,
        other => panic!("{source} ends with {other:?}"),
    }
}

#[test]
fn a_statement_falls_into_its_tokens() {
    assert_eq!(
        kinds("x := self at: 1 put: $'. \"done\""),
        [
            (TokenKind::Identifier, "x"),
            (TokenKind::Assignment, ":="),
            (TokenKind::Identifier, "self"),
            (TokenKind::Keyword, "at:"),
            (TokenKind::Number, "1"),
            (TokenKind::Keyword, "put:"),
            (TokenKind::Character, "$'"),
            (TokenKind::Period, "."),
            (TokenKind::Comment, "\"done\""),
        ]
    );
}

#[test]
fn an_assignment_needs_no_blanks() {
    assert_eq!(
        kinds("x:=-3"),
        [
            (TokenKind::Identifier, "x"),
            (TokenKind::Assignment, ":="),
            (TokenKind::Number, "-3"),
        ]
    );
}

#[test]
fn every_form_of_symbol_is_one_token() {
    for source in [
        "#foo",
        "#foo:bar:",
        "#'foo bar'",
        "#'it''s'",
        "#+",
        "#->",
        "##foo",
        "#a1:b_:",
    ] {
        assert_eq!(kinds(source), [(TokenKind::Symbol, source)]);
    }
}

#[test]
fn operators_may_use_all_of_pharos_characters() {
    for source in ["->", ">=", "\\\\", "~~", "?!", "·", "÷", "±×", "||", "@"] {
        assert_eq!(kinds(source), [(TokenKind::Binary, source)]);
    }
}

#[test]
fn names_and_operators_in_a_literal_array_are_symbols() {
    assert_eq!(
        kinds("#(foo:bar: + -1 (x) é) z:"),
        [
            (TokenKind::OpenLiteralArray, "#("),
            (TokenKind::Symbol, "foo:bar:"),
            (TokenKind::Symbol, "+"),
            (TokenKind::Number, "-1"),
            (TokenKind::OpenParenthesis, "("),
            (TokenKind::Symbol, "x"),
            (TokenKind::CloseParenthesis, ")"),
            (TokenKind::Symbol, "é"),
            (TokenKind::CloseParenthesis, ")"),
            (TokenKind::Keyword, "z:"),
        ]
    );
}

#[test]
fn what_is_unfinished_or_unknown_is_an_error_token() {
    assert_eq!(error_of("x := 'abc"), LexicalError::UnmatchedStringQuote);
    assert_eq!(error_of("'it''s"), LexicalError::UnmatchedStringQuote);
    assert_eq!(error_of("#'abc"), LexicalError::UnmatchedStringQuote);
    assert_eq!(error_of("\"abc"), LexicalError::UnmatchedCommentQuote);
    assert_eq!(error_of("$"), LexicalError::CharacterExpected);
    assert_eq!(error_of("#"), LexicalError::LiteralExpected);
    assert_eq!(error_of("16r"), LexicalError::DigitExpected(16));
    assert_eq!(error_of("→"), LexicalError::UnknownCharacter);
    assert_eq!(error_of("é"), LexicalError::UnknownCharacter);
}

#[test]
fn messages_are_those_of_pharo() {
    assert_eq!(
        LexicalError::DigitExpected(16).message(),
        "a digit between 0 and F expected"
    );
    assert_eq!(
        LexicalError::UnmatchedStringQuote.message(),
        "Unmatched ' in string literal."
    );
}

#[test]
fn quotes_are_undone() {
    assert_eq!(unquoted("'it''s'"), "it's");
    assert_eq!(unquoted("''"), "");
    assert_eq!(unquoted("''''"), "'");
    assert_eq!(unquoted("#'foo bar'"), "foo bar");
    assert_eq!(unquoted("\"say \"\"x\"\"\""), "say \"x\"");
    assert_eq!(unquoted("'"), "");
}

/// Text in which everything the lexer looks at is frequent.
pub(crate) fn smalltalk_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "x",
        "foo:",
        "Bar",
        "self",
        "nil",
        "#",
        "#(",
        "#[",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        ":",
        ":=",
        "^",
        ".",
        ";",
        "'",
        "\"",
        "$",
        " ",
        "\n",
        "-",
        "1",
        "16r",
        "1.5",
        "e",
        "s2",
        "+",
        "<",
        ">",
        "é",
        "→",
        "''",
        "$'",
        "!",
        "#foo:bar:",
        "<primitive: 1>",
        ":a",
        "| b |",
        "3-4",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_tokens_of_any_text_are_the_whole_text(source in any::<String>()) {
        let joined: String = Lexer::new(&source).map(|token| token.span.text(&source)).collect();
        prop_assert_eq!(joined, source);
    }

    #[test]
    fn the_tokens_of_smalltalk_like_text_follow_each_other(source in smalltalk_like()) {
        let mut at = 0;
        for token in Lexer::new(&source) {
            prop_assert_eq!(token.span.start, at);
            prop_assert!(!token.span.is_empty());
            at = token.span.end;
        }
        prop_assert_eq!(at, source.len());
    }
}
