//! Random valid sources for the tests.

use proptest::prelude::*;

/// A do-it that parses: up to three statements over temporaries.
pub(crate) fn script() -> impl Strategy<Value = String> {
    (prop::bool::ANY, prop::collection::vec(statement(), 0..4)).prop_map(|(temporaries, parts)| {
        format!(
            "{}{}",
            if temporaries { "| a b |\n" } else { "" },
            parts.join(". ")
        )
    })
}

fn statement() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => expression(),
        1 => expression().prop_map(|value| format!("^ {value}")),
        1 => expression().prop_map(|value| format!("a := {value}")),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|value| format!("({value})")),
            inner.clone().prop_map(|value| format!("({value}) foo")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) + ({b})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("({a}) at: ({b}) foo put: 'it''s'")),
            inner
                .clone()
                .prop_map(|value| format!("b foo: ({value}); bar; - 3")),
            inner
                .clone()
                .prop_map(|value| format!("[ :x :y | | t | t := ({value}). x ]")),
            prop::collection::vec(inner, 0..3).prop_map(|all| format!("{{ {} }}", all.join(". "))),
        ]
    })
}

fn leaf() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "b",
        "self",
        "nil",
        "Object",
        "3",
        "-4",
        "16r1F",
        "1.5e-3",
        "1.5s2",
        "$a",
        "$'",
        "$]",
        "'it''s'",
        "'ü\n→'",
        "#foo:bar:",
        "#'x y'",
        "#+",
        "#(1 $a foo (2) true)",
        "#[1 2]",
        "a \"comment ] ' \"",
        "3-4",
        "thisContext",
    ])
    .prop_map(str::to_owned)
}
