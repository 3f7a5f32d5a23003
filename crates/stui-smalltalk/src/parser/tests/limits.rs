//! However deep or long a source is, the parser answers, and on a small stack.

use super::*;

/// What a thread of the standard library gets.
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// Parses, prints, copies, compares and drops the tree on a thread with a small stack.
fn on_a_small_stack(source: String) -> Result<(), String> {
    let walk = move || {
        let script = parse_script(&source).map_err(|error| error.message)?;
        assert_eq!(script, script.clone());
        assert!(format!("{script:?}").starts_with("Script"));
        Ok(())
    };
    std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(walk)
        .unwrap()
        .join()
        .unwrap()
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

const BRACKETS: [(&str, &str, &str); 6] = [
    ("(", "3", ")"),
    ("[ :a | ", "3", " ]"),
    ("{ ", "3", " }"),
    ("#(", "3", ")"),
    ("a := ", "3", ""),
    ("x foo: (1 + ", "3", ")"),
];

#[test]
fn nesting_up_to_the_limit_is_parsed() {
    for (open, inner, close) in BRACKETS {
        let source = nested(open, inner, close, MAX_NESTING);
        assert_eq!(on_a_small_stack(source), Ok(()), "{open}");
    }
}

#[test]
fn nesting_beyond_the_limit_is_a_clear_error() {
    for depth in [MAX_NESTING + 1, 50_000] {
        for (open, inner, close) in BRACKETS {
            let answer = on_a_small_stack(nested(open, inner, close, depth));
            assert_eq!(
                answer,
                Err(format!("Nested more than {MAX_NESTING} deep")),
                "{open}"
            );
        }
    }
}

#[test]
fn long_chains_are_parsed_up_to_the_height_of_a_tree() {
    for link in [" foo", " + 1"] {
        // The first receiver is one level.
        let longest = format!("x{}", link.repeat(MAX_TREE_HEIGHT - 1));
        assert_eq!(on_a_small_stack(longest), Ok(()));
        let longer = format!("x{}", link.repeat(MAX_TREE_HEIGHT));
        let answer = on_a_small_stack(longer);
        assert_eq!(
            answer,
            Err(format!(
                "Expression with more than {MAX_TREE_HEIGHT} sends in a row"
            ))
        );
    }
}

#[test]
fn many_statements_and_cascaded_messages_are_no_depth() {
    assert_eq!(on_a_small_stack("x foo. ".repeat(20_000)), Ok(()));
    assert_eq!(
        on_a_small_stack(format!("x foo{}", "; bar".repeat(20_000))),
        Ok(())
    );
}

#[test]
fn a_source_that_is_too_long_is_refused_unread() {
    let error = parse_script(&" ".repeat(MAX_SOURCE_BYTES + 1)).unwrap_err();

    assert_eq!(
        error.message,
        format!("Source is longer than {MAX_SOURCE_BYTES} bytes")
    );
}
