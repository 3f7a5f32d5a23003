//! The readers of files: any text is read or refused, and what is answered is where it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_smalltalk::{chunks, parse_pattern, tonel};

fuzz_target!(|text: &str| {
    match tonel::read(text) {
        Ok(file) => methods(text, &file),
        Err(error) => assert!(text.is_char_boundary(error.offset) && error.line > 0),
    }
    let mut at = 0;
    for chunk in chunks::split(text).unwrap_or_default() {
        let span = chunk.span();
        assert!(at <= span.start && text.get(span.range()).is_some());
        at = span.end;
    }
});

fn methods(text: &str, file: &tonel::TonelFile) {
    assert!(!file.definition.name().is_empty());
    let mut at = 0;
    for method in &file.methods {
        assert!(at <= method.span.start);
        assert!(method.span.contains(method.pattern) && method.span.contains(method.body));
        assert!(method.pattern.end < method.body.start);
        assert_eq!(parse_pattern(&method.source).as_ref(), Ok(&method.selector));
        for (offset, character) in method.source.char_indices() {
            assert!(text[method.file_offset(offset)..].starts_with(character));
        }
        at = method.span.end;
    }
}
