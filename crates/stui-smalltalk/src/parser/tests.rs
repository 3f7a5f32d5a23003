//! What the parser makes of sources.

use proptest::prelude::*;

use super::*;
use outline::{outline_method, outline_script};

mod checker;
mod limits;
mod outline;
mod spans;
mod zoo;

fn script(source: &str) -> String {
    match parse_script(source) {
        Ok(script) => outline_script(&script),
        Err(error) => format!("{} at {}", error.message, error.offset + 1),
    }
}

fn method(source: &str) -> String {
    match parse_method(source) {
        Ok(method) => outline_method(&method),
        Err(error) => format!("{} at {}", error.message, error.offset + 1),
    }
}

#[test]
fn unary_binds_before_binary_before_keyword() {
    assert_eq!(
        script("a foo + b bar at: c - d negated put: e"),
        "(((a foo) + (b bar)) at:put: (c - (d negated)) e)"
    );
}

#[test]
fn binary_sends_go_from_left_to_right() {
    assert_eq!(script("1 + 2 * 3"), "((1 + 2) * 3)");
}

#[test]
fn parentheses_group_and_leave_no_node() {
    assert_eq!(script("1 + (2 * 3)"), "(1 + (2 * 3))");
    assert_eq!(script("((3))"), "3");
}

#[test]
fn a_cascade_goes_to_the_receiver_of_its_first_message() {
    assert_eq!(
        script("a b foo: 1; bar; + 2; yourself"),
        "((a b) ; foo: 1 ; bar ; + 2 ; yourself)"
    );
    assert_eq!(script("x foo; -1"), "(x ; foo ; - 1)");
}

#[test]
fn a_cascade_needs_a_message_before_it() {
    assert_eq!(script("x; foo"), "Message expected at 2");
    assert_eq!(script("(x foo); bar"), "Message expected at 8");
    assert_eq!(script("x foo; ;"), "Cascade message expected at 8");
    assert_eq!(script("x foo; bar baz"), "End of statement expected at 12");
}

#[test]
fn a_minus_before_digits_is_an_operator_where_one_is_due() {
    assert_eq!(script("3-4"), "(3 - 4)");
    assert_eq!(script("3 -4"), "(3 - 4)");
    assert_eq!(script("3 - -4"), "(3 - -4)");
    assert_eq!(script("x foo -16r1F"), "((x foo) - 31)");
    assert_eq!(script("#(3 -4 3-4)"), "#(3 -4 3 -4)");
    assert_eq!(script("-3 abs"), "(-3 abs)");
}

#[test]
fn assignments_chain_and_returns_hold_everything_after_them() {
    assert_eq!(
        script("a := b := 3. ^ a foo"),
        "(a := (b := 3)) . (^ (a foo))"
    );
}

#[test]
fn blocks_have_arguments_and_temporaries() {
    assert_eq!(script("[ ]"), "[]");
    assert_eq!(
        script("[ :a :b | | t | t := a. b ]"),
        "[:a :b | |t| (t := a) . b]"
    );
    assert_eq!(script("[:a||t|t]"), "[:a | |t| t]");
    assert_eq!(script("[ :a ]"), "[:a | ]");
    assert_eq!(script("[ || 3 ]"), "[3]");
}

#[test]
fn periods_may_stand_anywhere_between_statements() {
    assert_eq!(script(".. 1 . . 2 .."), "1 . 2");
    assert_eq!(script("{ . 1. . 2 . }"), "{1 . 2}");
}

#[test]
fn literals_of_every_kind_are_read() {
    assert_eq!(
        script("{ 16r1F. 1.5. 1.50s2. $a. $ . 'it''s' }"),
        "{31 . 1.5 . 150/10^2s2 . $a . $  . 'it''s'}"
    );
    assert_eq!(
        script("#(1 $a foo #bar at:put: 'x' (1 2) #(3) true nil + #[1] { . := )"),
        "#(1 $a #foo #bar #at:put: 'x' #(1 2) #(3) true nil #+ #[1] #{ #. #:=)"
    );
    assert_eq!(script("#[0 255 16rFF 1e2]"), "#[0 255 255 100]");
    assert_eq!(script("#[256]"), "8-bit integer expected at 3");
    assert_eq!(script("#[1.0]"), "8-bit integer expected at 3");
    assert_eq!(script("#[x]"), "8-bit integer expected at 3");
}

#[test]
fn nil_true_and_false_can_be_selectors_but_not_variables() {
    assert_eq!(script("x nil true"), "((x nil) true)");
    assert_eq!(script("nil := 3"), "Assignment to read-only variable at 1");
    assert_eq!(script("self := 3"), "Assignment to read-only variable at 1");
    assert_eq!(script("| nil | 3"), "'|' or variable expected at 3");
    assert_eq!(
        script("[ :self | ]"),
        "Variable name expected, this one is reserved at 4"
    );
}

#[test]
fn a_method_has_a_pattern_of_any_form() {
    assert_eq!(method("foo"), "foo => ");
    assert_eq!(method("+ other ^ other"), "+ (other) => (^ other)");
    assert_eq!(method("| other"), "| (other) => ");
    assert_eq!(method("at: a put: b \"c\" ^ a"), "at:put: (a b) => (^ a)");
    assert_eq!(method("at: 3"), "Variable name expected at 5");
    assert_eq!(method(""), "Message pattern expected at 1");
    assert_eq!(method("3"), "Message pattern expected at 1");
}

#[test]
fn pragmas_stand_before_or_after_the_temporaries() {
    assert_eq!(
        method("foo <primitive: #intAdd> <script> | a | <foo: 1 bar: #(x $y)> < + 'a' > ^ a"),
        "foo <primitive: #intAdd> <script> <foo:bar: 1 #(#x $y)> <+ 'a'> => |a| (^ a)"
    );
    assert_eq!(
        method("foo <primitive: 60 error: code>"),
        "foo <primitive:error: 60 #code> => "
    );
    assert_eq!(method("foo <bar: code>"), "Literal constant expected at 11");
    assert_eq!(method("foo <bar: 1"), "'>' expected at 12");
    assert_eq!(script("<foo> 3"), "3");
}

#[test]
fn only_the_pattern_matters_for_the_selector() {
    assert_eq!(parse_pattern("at: a put: b ] (").unwrap(), "at:put:");
}

#[test]
fn errors_stand_where_pharo_shows_them() {
    for (source, expected) in [
        ("3 + ", "Variable or expression expected at 5"),
        ("3 4", "End of statement expected at 3"),
        ("foo bar baz:", "Variable or expression expected at 13"),
        ("x foo bar: ]", "Variable or expression expected at 12"),
        ("a ] b", "Missing opener for closer: ] at 3"),
        (") x", "Missing opener for closer: ) at 1"),
        ("[ 3 )", "Missing opener for closer: ) at 5"),
        ("x := := 3", "variable expected in assignment at 6"),
        ("2r12", "End of statement expected at 4"),
        ("(1. 2)", "')' expected at 3"),
        ("()", "Variable or expression expected at 2"),
        ("(1", "')' expected at 3"),
        ("[ 1", "']' expected at 4"),
        ("{ 1.", "'}' expected at 5"),
        ("#(1 (2)", "')' expected at 8"),
        ("| a b", "'|' or variable expected at 6"),
        ("[ :a", "'|' or parameter expected at 5"),
        ("[ :a b", "'|' or parameter expected at 6"),
        ("[ : 3", "Variable name expected at 5"),
        (":a", "Unexpected block parameter at 1"),
        ("'abc", "Unmatched ' in string literal. at 5"),
        ("3 \"abc", "Unmatched \" in comment. at 7"),
        ("x → y", "Unknown character at 3"),
        ("é := 3", "Unknown character at 1"),
        ("16r", "a digit between 0 and F expected at 4"),
        ("#", "Literal expected at 2"),
        ("x foo: $", "Character expected at 9"),
    ] {
        assert_eq!(script(source), expected, "{source}");
    }
}

#[test]
fn an_error_knows_its_line_and_column() {
    let source = "'é'.\nx foo ].";
    let error = parse_script(source).unwrap_err();

    let position = error.position(source);

    assert_eq!(
        (position.character, position.line, position.column),
        (12, 2, 7)
    );
}

#[test]
fn comments_are_kept_by_their_place() {
    let source = "foo \"one\" ^ 3 \"two\"";

    let method = parse_method(source).unwrap();

    let comments: Vec<_> = method
        .comments
        .iter()
        .map(|span| span.text(source))
        .collect();
    assert_eq!(comments, ["\"one\"", "\"two\""]);
}
