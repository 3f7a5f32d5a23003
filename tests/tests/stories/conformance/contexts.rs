//! Contexts: what a session knows, summed up, cleared, saved to disk and loaded again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::image::{ClearContext, GetContextSummary, LoadContext, SaveContext};
use stui_tests::asking::request;
use stui_tests::{Image, ImageClient, Session, skipped};

use super::new_class;

#[test]
fn the_summary_has_variables_and_history_newest_first() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("answer := 6 * 7");
    session.value("who := 'world'");
    session.failure("1/0");

    let summary = session.ask::<GetContextSummary>(json!({}));

    let mut variables: Vec<_> = summary
        .variables
        .iter()
        .map(|v| {
            (
                v.name.as_str(),
                v.class_name.as_str(),
                v.string_representation.as_str(),
            )
        })
        .collect();
    variables.sort_unstable();
    // A literal string is a ByteString in Pharo.
    assert_eq!(variables[0], ("answer", "SmallInteger", "42"));
    assert_eq!((variables[1].0, variables[1].2), ("who", "'world'"));
    let history: Vec<_> = summary
        .history
        .iter()
        .map(|entry| (entry.code.as_str(), entry.has_error))
        .collect();
    assert_eq!(
        history,
        [
            ("1/0", true),
            ("who := 'world'", false),
            ("answer := 6 * 7", false)
        ]
    );
    assert_eq!(summary.history[2].result, "42");
    assert_eq!(summary.history_size, 3);
    assert!(summary.object_registry_size >= 1);
    assert_eq!(summary.saved_contexts, []);
}

#[test]
fn clearing_takes_the_parts_that_are_asked_for_and_counts_them() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("a := 1");
    session.value("b := 2");

    let bindings = session
        .ask::<ClearContext>(json!({"what": ["bindings"]}))
        .cleared;
    assert_eq!((bindings.bindings, bindings.history), (2, 0));
    let summary = session.ask::<GetContextSummary>(json!({}));
    assert_eq!((summary.variables.len(), summary.history_size), (0, 2));

    let rest = session.ask::<ClearContext>(json!({})).cleared;
    assert_eq!((rest.bindings, rest.history), (0, 2));
    let summary = session.ask::<GetContextSummary>(json!({}));
    assert_eq!((summary.history_size, summary.object_registry_size), (0, 0));

    let wrong = session.refused::<ClearContext>(json!({"what": ["everything"]}));
    assert_eq!(wrong.error_type, ErrorType::InvalidParameter);
}

/// Variables of many kinds, and what each prints when it is as it was.
const KINDS: [(&str, &str, &str); 16] = [
    ("small", "42", "42"),
    (
        "large",
        "2 raisedTo: 200",
        "1606938044258990275541962092341162602522202993782792835301376",
    ),
    ("fraction", "3/4", "(3/4)"),
    ("float", "2.5", "2.5"),
    ("character", "$é", "$é"),
    ("string", "'wörld'", "'wörld'"),
    ("symbol", "#foo:bar:", "#foo:bar:"),
    ("nothing", "nil", "nil"),
    ("truth", "true", "true"),
    ("array", "#(1 $a 'b' #c (2 3))", "#(1 $a 'b' #c #(2 3))"),
    ("bytes", "#[1 2 255]", "#[1 2 255]"),
    (
        "ordered",
        "OrderedCollection with: 1 with: 2",
        "an OrderedCollection(1 2)",
    ),
    ("set", "Set with: 7", "a Set(7)"),
    (
        "dictionary",
        "Dictionary new at: #k put: 'v'; yourself",
        "a Dictionary(#k->'v' )",
    ),
    ("point", "3@4", "(3@4)"),
    ("pair", "1->(2->3)", "1->2->3"),
];

fn fill(session: &Session<'_, ImageClient>) {
    for (name, code, _) in KINDS {
        session.value(&format!("{name} := {code}"));
    }
}

fn check(session: &Session<'_, ImageClient>) {
    for (name, code, printed) in KINDS {
        assert_eq!(session.value(name), printed, "{code}");
    }
}

#[test]
fn a_saved_context_brings_its_variables_back() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    fill(&session);

    let saved = session.ask::<SaveContext>(json!({"name": "before lunch"}));
    session.value("small := #changed. string := nil");
    session.ask::<ClearContext>(json!({"what": ["bindings"]}));
    let loaded = session.ask::<LoadContext>(json!({}));

    assert!(
        saved.variables.iter().all(|variable| variable.saved),
        "{saved:#?}"
    );
    assert_eq!(saved.variables.len(), KINDS.len());
    assert!(saved.bytes > 0);
    assert_eq!(loaded.context_id, saved.context_id);
    assert_eq!(loaded.loaded, Some(KINDS.len() as u64));
    check(&session);
    let listed = session.ask::<GetContextSummary>(json!({})).saved_contexts;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name.as_deref(), Some("before lunch"));
    assert_eq!(listed[0].context_id, saved.context_id);
}

#[test]
fn the_newest_context_is_loaded_unless_another_is_asked_for() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("a := 1");
    let first = session.ask::<SaveContext>(json!({}));
    session.value("a := 2");
    session.ask::<SaveContext>(json!({}));
    session.value("a := 3");

    session.ask::<LoadContext>(json!({}));
    assert_eq!(session.value("a"), "2");
    session.ask::<LoadContext>(json!({"context_id": first.context_id}));
    assert_eq!(session.value("a"), "1");
}

#[test]
fn objects_of_ones_own_classes_are_saved_with_what_they_hold() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(
        &session,
        "owner entries",
        &[
            "entries ^ entries",
            "owner: aString owner := aString. entries := OrderedCollection new",
            "owner ^ owner",
        ],
    );
    session.value(&format!(
        "account := {class} new. account owner: 'Ann'. account entries add: 3/4"
    ));

    session.ask::<SaveContext>(json!({}));
    session.ask::<ClearContext>(json!({}));
    session.ask::<LoadContext>(json!({}));

    assert_eq!(session.value("account owner"), "'Ann'");
    assert_eq!(
        session.value("account entries"),
        "an OrderedCollection((3/4))"
    );
}

#[test]
fn one_variable_that_cannot_be_saved_does_not_spoil_the_rest() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("good := 42. bad := Processor activeProcess. also := 'fine'");

    let saved = session.ask::<SaveContext>(json!({}));
    session.ask::<ClearContext>(json!({"what": ["bindings"]}));
    let loaded = session.ask::<LoadContext>(json!({}));

    let bad = saved
        .variables
        .iter()
        .find(|v| v.name == "bad")
        .expect("bad is told");
    assert!(!bad.saved);
    assert!(bad.reason.as_ref().is_some_and(|reason| !reason.is_empty()));
    assert_eq!(saved.variables.iter().filter(|v| v.saved).count(), 2);
    assert_eq!(loaded.loaded, Some(2));
    assert_eq!(session.value("good"), "42");
    assert_eq!(session.value("also"), "'fine'");
}

#[test]
fn a_context_that_was_never_saved_is_not_found() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let none = session.refused::<LoadContext>(json!({}));
    let unknown = session.refused::<LoadContext>(json!({"context_id": "none such"}));
    let outside = session.refused::<LoadContext>(json!({"context_id": "../../../etc/passwd"}));

    assert_eq!(none.error_type, ErrorType::ContextNotFound);
    assert_eq!(unknown.error_type, ErrorType::ContextNotFound);
    // An image may also say that this is no id.
    let allowed = [ErrorType::ContextNotFound, ErrorType::InvalidParameter];
    assert!(allowed.contains(&outside.error_type), "{outside:?}");
}

#[test]
fn a_saved_context_survives_the_crash_of_the_image() {
    let story = "a_saved_context_survives_the_crash_of_the_image";
    if !Image::shared().is_embedded() {
        return skipped(story, "an embedded image that the story may kill");
    }
    let image = Image::embedded();
    let client = image.client();
    let session = client.session();
    fill(&session);
    let saved = session.ask::<SaveContext>(json!({}));

    let image = image.after_a_crash();

    let client = image.client();
    let session = client.session();
    session.ask::<LoadContext>(json!({"context_id": saved.context_id}));
    check(&session);
}

#[test]
fn a_crash_while_saving_leaves_whole_contexts_only() {
    let story = "a_crash_while_saving_leaves_whole_contexts_only";
    if !Image::shared().is_embedded() {
        return skipped(story, "an embedded image that the story may kill");
    }
    let image = Image::embedded();
    let client = image.client();
    let session = client.session();
    session.value("many := (1 to: 20000) asOrderedCollection");
    let mut saved: Vec<_> = (0..3)
        .map(|_| session.ask::<SaveContext>(json!({})).context_id)
        .collect();
    // One more save is on its way when the image is killed: its reply is not waited for.
    let save = session.with(json!({"name": "hasty"}));
    image
        .client()
        .send_and_leave(&request("hasty", "save_context", &save));

    let image = image.after_a_crash();

    let client = image.client();
    let session = client.session();
    saved.reverse();
    for context_id in saved {
        session.ask::<ClearContext>(json!({}));
        session.ask::<LoadContext>(json!({"context_id": context_id}));
        assert_eq!(session.value("many size"), "20000");
    }
}

#[test]
fn a_damaged_context_is_refused_and_harms_nothing() {
    let story = "a_damaged_context_is_refused_and_harms_nothing";
    if !Image::shared().is_embedded() {
        return skipped(story, "an embedded image whose files the story may damage");
    }
    let image = Image::embedded();
    let client = image.client();
    let session = client.session();
    session.value("a := 1");
    let good = session.ask::<SaveContext>(json!({})).context_id;
    session.value("a := 2");
    let bad = session.ask::<SaveContext>(json!({})).context_id;
    let file = file_of(&image.state_dir().expect("a directory"), &bad);
    let whole = fs::read(&file).expect("the saved context");

    for damage in [
        &whole[..whole.len() / 2],
        &flipped(&whole),
        b"",
        b"\xff\x00 garbage",
    ] {
        fs::write(&file, damage).expect("damaging the context");
        let failure = session.refused::<LoadContext>(json!({"context_id": bad}));
        assert_ne!(failure.error_type, ErrorType::InternalError, "{failure:?}");
        assert_eq!(session.value("a"), "2", "nothing of it was loaded");
    }

    session.ask::<LoadContext>(json!({"context_id": good}));
    assert_eq!(session.value("a"), "1");
}

/// The file below `dir` that is named by the context's id.
fn file_of(dir: &Path, context_id: &str) -> PathBuf {
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a directory").map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.to_string_lossy().contains(context_id) {
                return path;
            }
        }
    }
    panic!("no file for {context_id} below {}", dir.display());
}

/// The same bytes with one bit of the middle one turned.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[bytes.len() / 2] ^= 1;
    flipped
}
