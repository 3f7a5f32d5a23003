//! One method with everything in it.

use super::*;

const ZOO: &str = include_str!("zoo.st");

#[test]
fn the_syntax_zoo_parses_as_it_always_did() {
    insta::assert_snapshot!(method(ZOO).replace(" . ", "\n. "));
}

#[test]
fn the_spans_of_the_syntax_zoo_nest() {
    checker::check_method(ZOO, &parse_method(ZOO).unwrap());
}
