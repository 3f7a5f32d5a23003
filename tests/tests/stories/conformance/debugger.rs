//! Failed evaluations that are kept, looked at, stepped through and let go.

use serde_json::{Value, json};
use stui_protocol::ErrorType;
use stui_protocol::image::{Debug, DebugResult, DebugState};
use stui_tests::{Asking, Image, ImageClient, Session, patience};

use super::new_class;

/// A suspended evaluation.
struct Suspended<'a> {
    client: &'a ImageClient,
    id: String,
}

impl<'a> Suspended<'a> {
    /// Runs code that fails and is kept.
    fn by(session: &Session<'a, ImageClient>, code: &str) -> Self {
        let parameters = session.with(json!({"code": code, "on_error": "debug"}));
        let failure = session
            .who
            .evaluate(parameters)
            .expect_err("a suspended evaluation");
        assert_eq!(
            failure.error_type,
            ErrorType::EvaluationError,
            "{failure:?}"
        );
        let id = failure.details["debug_session_id"]
            .as_str()
            .expect("a debug session");
        Self {
            client: session.who,
            id: id.to_owned(),
        }
    }

    /// An operation, and its end: a step may go on for a while.
    fn does(&self, operation: &str) -> DebugResult {
        self.does_with(operation, json!({}))
    }

    fn does_with(&self, operation: &str, more: Value) -> DebugResult {
        let first = self.client.ask::<Debug>(self.parameters(operation, more));
        if first.state != DebugState::Running {
            return first;
        }
        patience::until("the end of a step", || {
            let result = self
                .client
                .ask::<Debug>(self.parameters("GetStackTrace", json!({})));
            (result.state != DebugState::Running).then_some(result)
        })
    }

    fn parameters(&self, operation: &str, mut more: Value) -> Value {
        more["debug_session_id"] = self.id.as_str().into();
        more["operation"] = operation.into();
        more
    }

    /// The innermost frame's method and the values of its variables.
    fn spot(&self) -> (String, Vec<(String, String)>) {
        let result = self.does_with("GetLocalVars", json!({"frame": 0}));
        let frame = result.frame.expect("the innermost frame");
        let locals = frame.locals.unwrap_or_default();
        let values = locals
            .into_iter()
            .map(|v| (v.name, v.string_representation))
            .collect();
        (frame.method, values)
    }
}

/// A class whose `go` stops at a breakpoint of its own.
fn stepping_class(session: &Session<'_, ImageClient>) -> String {
    new_class(
        session,
        "",
        &[
            "go | a b | self halt. a := 1. b := self twice: a + 10. a := b. ^ a",
            "twice: n | t | t := n * 2. ^ t",
        ],
    )
}

#[test]
fn a_failed_evaluation_is_kept_when_asked_for_and_shows_its_stack() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(
        &session,
        "",
        &["fail: n | twice | twice := n * 2. ^ twice / 0"],
    );

    let suspended = Suspended::by(&session, &format!("{class} new fail: 21"));
    let trace = suspended.does("GetStackTrace");
    let place = trace
        .stack
        .iter()
        .position(|f| f.method == format!("{class}>>fail:"));
    let frame = place.expect("the failing method is on the stack");
    let shown = suspended
        .does_with("GetLocalVars", json!({"frame": frame}))
        .frame
        .expect("it");

    assert_eq!(trace.state, DebugState::Suspended);
    assert!(shown.source.expect("source").starts_with("fail: n"));
    let locals = shown.locals.expect("arguments and temporaries");
    let value = |name: &str| {
        let local = locals.iter().find(|local| local.name == name).expect(name);
        local.string_representation.clone()
    };
    assert_eq!(
        (value("n"), value("twice")),
        ("21".to_owned(), "42".to_owned())
    );

    let ended = suspended.does("Terminate");
    assert_eq!(ended.state, DebugState::Finished);
    let gone = client.refused::<Debug>(suspended.parameters("GetStackTrace", json!({})));
    assert_eq!(gone.error_type, ErrorType::DebugSessionNotFound);
    assert_eq!(session.value("3 + 4"), "7");
}

#[test]
fn stepping_over_goes_from_statement_to_statement_of_one_method() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = stepping_class(&session);
    let suspended = Suspended::by(&session, &format!("{class} new go"));
    let go = format!("{class}>>go");

    let mut seen = Vec::new();
    for _ in 0..40 {
        let (method, locals) = suspended.spot();
        if method == go && seen.last() != Some(&locals) {
            seen.push(locals);
        }
        assert_ne!(
            method,
            format!("{class}>>twice:"),
            "stepping over does not step into"
        );
        if suspended.does("StepOver").state == DebugState::Finished {
            break;
        }
    }

    let values: Vec<_> = seen
        .iter()
        .map(|locals| locals.iter().map(|(_, v)| v.as_str()).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        values,
        [["nil", "nil"], ["1", "nil"], ["1", "22"], ["22", "22"]]
    );
}

#[test]
fn stepping_into_enters_the_method_and_stepping_out_leaves_it() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = stepping_class(&session);
    let suspended = Suspended::by(&session, &format!("{class} new go"));
    let (go, twice) = (format!("{class}>>go"), format!("{class}>>twice:"));

    // Out of the halt, then on until the other method is entered.
    patience::until("the frame of the other method", || {
        let (method, _) = suspended.spot();
        if method == twice {
            return Some(());
        }
        suspended.does(if method == go { "StepInto" } else { "StepOut" });
        None
    });
    let left = suspended.does("StepOut");

    assert_eq!(left.state, DebugState::Suspended);
    assert_eq!(suspended.spot().0, go);
    suspended.does("Terminate");
}

#[test]
fn continuing_ends_with_the_value() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = stepping_class(&session);
    let suspended = Suspended::by(&session, &format!("{class} new go"));

    let ended = suspended.does("Continue");

    assert_eq!(ended.state, DebugState::Finished);
    assert_eq!(ended.value.as_deref(), Some("22"));
}

#[test]
fn a_frame_is_restarted_from_its_beginning() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(
        &session,
        "tries",
        &["go tries := (tries ifNil: [0]) + 1. tries = 1 ifTrue: [^ 1/0]. ^ tries * 100"],
    );
    let suspended = Suspended::by(&session, &format!("{class} new go"));
    let stack = suspended.does("GetStackTrace").stack;
    let frame = stack
        .iter()
        .position(|f| f.method == format!("{class}>>go"))
        .expect("go");

    let restarted = suspended.does_with("Restart", json!({"frame": frame}));
    assert_eq!(restarted.state, DebugState::Suspended);
    assert_eq!(suspended.spot().0, format!("{class}>>go"));
    let ended = suspended.does("Continue");

    assert_eq!(ended.value.as_deref(), Some("200"));
}

#[test]
fn a_breakpoint_stops_where_a_method_begins_until_it_is_removed() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "", &["half: n ^ n / 2"]);
    let breakpoint = json!({"class_name": class, "method_name": "half:"});
    let operate = |operation: &str| {
        let mut parameters = session.with(breakpoint.clone());
        parameters["operation"] = operation.into();
        let listed = client
            .ask::<Debug>(parameters)
            .breakpoints
            .unwrap_or_default();
        listed.into_iter().filter(|b| b.class_name == class).count()
    };

    operate("SetBreakpoint");
    assert_eq!(operate("ListBreakpoints"), 1);
    let suspended = Suspended::by(&session, &format!("{class} new half: 12"));
    let (method, locals) = suspended.spot();
    assert_eq!(method, format!("{class}>>half:"));
    assert_eq!(locals, [("n".to_owned(), "12".to_owned())]);
    assert_eq!(suspended.does("Continue").value.as_deref(), Some("6"));

    operate("RemoveBreakpoint");
    assert_eq!(operate("ListBreakpoints"), 0);
    assert_eq!(session.value(&format!("{class} new half: 12")), "6");
}

#[test]
fn the_newest_suspended_evaluation_of_a_session_needs_no_id() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let suspended = Suspended::by(&session, "1/0");

    let trace = session.ask::<Debug>(json!({"operation": "GetStackTrace"}));

    assert_eq!(trace.state, DebugState::Suspended);
    assert!(trace.debug_session_id.is_none_or(|id| id == suspended.id));
    session.ask::<Debug>(json!({"operation": "Terminate"}));
}

#[test]
fn what_goes_on_cannot_be_stepped_until_it_is_ended() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let suspended = Suspended::by(&session, "self halt. [true] whileTrue");

    let goes_on = client.ask::<Debug>(suspended.parameters("Continue", json!({})));
    let failure = client.refused::<Debug>(suspended.parameters("StepInto", json!({})));
    client.ask::<Debug>(suspended.parameters("Terminate", json!({})));

    assert_eq!(goes_on.state, DebugState::Running);
    assert_eq!(failure.error_type, ErrorType::UnsupportedOperation);
    assert_eq!(session.value("3 + 4"), "7");
}

#[test]
fn what_cannot_be_debugged_is_said_so() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let refused = |parameters: Value| client.refused::<Debug>(parameters).error_type;
    let break_in = |class: &str, method: &str| {
        session
            .with(json!({"operation": "SetBreakpoint", "class_name": class, "method_name": method}))
    };

    let unknown = json!({"operation": "StepInto", "debug_session_id": "none such"});
    assert_eq!(refused(unknown), ErrorType::DebugSessionNotFound);
    let nothing_kept = session.with(json!({"operation": "StepInto"}));
    assert_eq!(refused(nothing_kept), ErrorType::DebugSessionNotFound);
    assert_eq!(
        refused(json!({"operation": "Jump", "debug_session_id": "x"})),
        ErrorType::InvalidParameter
    );
    assert_eq!(refused(json!({})), ErrorType::MissingParameter);
    assert_eq!(
        refused(break_in("NoSuchClassAtAll", "foo")),
        ErrorType::ClassNotFound
    );
    assert_eq!(
        refused(break_in("Object", "noSuchMethodAtAll")),
        ErrorType::MethodNotFound
    );
}
