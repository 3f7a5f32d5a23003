//! Sessions: made, looked at, changed, closed, counted, expired.

use serde_json::{Value, json};
use stui_protocol::image::{
    CloseSession, CreateSession, Evaluate, GetSessionInfo, GetSessionStatistics,
    ListClientSessions, ListSessions, RestoreSession, UpdateSessionState,
};
use stui_protocol::{Command, ErrorType};
use stui_tests::asking::new_id;
use stui_tests::{Asking, Image, patience, skipped};

#[test]
fn a_new_session_is_its_clients() {
    let image = Image::shared();
    let client = image.client();
    let owner = new_id("client");

    let parameters = json!({"client_id": owner, "name": "work", "timeout": 3600});
    let made = client.ask::<CreateSession>(parameters);
    let listed = client.ask::<ListClientSessions>(json!({"client_id": owner}));

    assert_eq!(made.client_id, owner);
    assert_eq!(made.name.as_deref(), Some("work"));
    assert_eq!(made.timeout, 3600);
    assert!(made.is_active);
    assert_eq!(
        (listed.client_id.as_str(), listed.session_count),
        (owner.as_str(), 1)
    );
    assert_eq!(listed.sessions[0].session, made);
}

#[test]
fn every_session_is_listed_for_whoever_looks_for_lost_ones() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("a := 1");

    let all = client.ask::<ListSessions>(json!({})).sessions;

    let mine = all
        .iter()
        .find(|info| info.session.session_id == session.id)
        .expect("mine");
    assert_eq!(mine.session.name.as_deref(), Some("story"));
    assert_eq!(mine.variables, 1);
}

#[test]
fn session_info_counts_variables_and_evaluations_and_tells_what_runs() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("a := 1. b := 2");
    session.failure("1/0");

    let idle = session.ask::<GetSessionInfo>(json!({}));
    let id = session.start("(Delay forSeconds: 1) wait");
    let busy = session.ask::<GetSessionInfo>(json!({}));
    client.outcome_of(&id).expect("the end");

    assert_eq!((idle.variables, idle.evaluations), (2, 2));
    assert!(!idle.busy && !idle.is_expired && idle.session.is_active);
    assert!(
        idle.time_until_expiry.is_some_and(|left| left > 0.0),
        "{idle:?}"
    );
    assert!(busy.busy);
    assert_eq!(busy.evaluation_id, Some(id));
}

#[test]
fn what_clients_keep_in_a_session_is_merged_key_by_key() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let update = |state: Value| {
        let result = session.ask::<UpdateSessionState>(json!({"state_data": state}));
        assert!(result.update_successful);
        Value::Object(result.session_state)
    };

    assert_eq!(
        update(json!({"theme": "dark", "open": [1, 2]})),
        json!({"theme": "dark", "open": [1, 2]})
    );
    assert_eq!(
        update(json!({"theme": null, "line": 3})),
        json!({"open": [1, 2], "line": 3})
    );
    assert_eq!(update(json!({})), json!({"open": [1, 2], "line": 3}));

    let wrong = session.refused::<UpdateSessionState>(json!({"state_data": [1]}));
    assert_eq!(wrong.error_type, ErrorType::InvalidParameter);
    let missing = session.refused::<UpdateSessionState>(json!({}));
    assert_eq!(missing.error_type, ErrorType::MissingParameter);
}

#[test]
fn restoring_a_session_tells_its_whole_state() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.ask::<UpdateSessionState>(json!({"state_data": {"line": 3}}));
    let kept = session
        .evaluated("point := 3@4")
        .object_id
        .expect("an object");

    let restored = session.ask::<RestoreSession>(json!({}));

    assert_eq!(restored.session.session_id, session.id);
    assert_eq!(Value::Object(restored.session_state), json!({"line": 3}));
    let variables = restored.workspace_context.variables;
    assert_eq!(variables.len(), 1, "{variables:?}");
    assert_eq!(variables[0].name, "point");
    assert_eq!(variables[0].class_name, "Point");
    assert_eq!(variables[0].string_representation, "(3@4)");
    assert!(restored.object_registry.contains_key(&kept));
}

#[test]
fn a_closed_session_is_gone() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let closed = session.ask::<CloseSession>(json!({}));

    assert_eq!(
        (closed.session_id.as_str(), closed.closed),
        (session.id.as_str(), true)
    );
    for command in [
        "evaluate",
        "get_session_info",
        "close_session",
        "get_context_summary",
    ] {
        let reply = client.reply(command, session.with(json!({"code": "1"})));
        let failure = reply.outcome.expect_err("no session");
        assert_eq!(failure.error_type, ErrorType::SessionNotFound, "{command}");
    }
}

#[test]
fn closing_a_session_ends_what_runs_in_it() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let id = session.start("[true] whileTrue");

    session.ask::<CloseSession>(json!({}));

    // Whether the evaluation is remembered is the image's choice; it must not run.
    let failure = client.outcome_of(&id).expect_err("no end");
    let allowed = [
        ErrorType::Interrupted,
        ErrorType::EvaluationNotFound,
        ErrorType::SessionNotFound,
    ];
    assert!(allowed.contains(&failure.error_type), "{failure:?}");
}

#[test]
fn a_session_that_nobody_uses_expires() {
    let image = Image::shared();
    let client = image.client();
    let owner = new_id("client");
    let parameters = json!({"client_id": owner, "timeout": 1});
    let id = client.ask::<CreateSession>(parameters).session_id;

    // Looking at the list does not use it.
    patience::until("the session's expiry", || {
        let sessions = client
            .ask::<ListClientSessions>(json!({"client_id": owner}))
            .sessions;
        sessions.iter().all(|info| info.is_expired).then_some(())
    });

    let failure = client.refused::<Evaluate>(json!({"session_id": id, "code": "3"}));
    assert_eq!(failure.error_type, ErrorType::SessionExpired);
}

#[test]
fn a_session_without_a_timeout_never_expires() {
    let image = Image::shared();
    let client = image.client();
    let id = client
        .ask::<CreateSession>(json!({"client_id": new_id("client"), "timeout": 0}))
        .session_id;

    let info = client.ask::<GetSessionInfo>(json!({"session_id": id}));

    assert_eq!(info.session.timeout, 0);
    assert_eq!(info.time_until_expiry, None);
    client.ask::<CloseSession>(json!({"session_id": id}));
}

#[test]
fn a_client_has_only_so_many_sessions() {
    let story = "a_client_has_only_so_many_sessions";
    let image = Image::shared();
    let client = image.client();
    let most = client
        .ask::<GetSessionStatistics>(json!({}))
        .max_sessions_per_client;
    if most > 500 {
        return skipped(story, "an image with at most 500 sessions for a client");
    }
    let parameters = json!({"client_id": new_id("client"), "timeout": 60});
    let ids: Vec<_> = (0..most)
        .map(|_| client.ask::<CreateSession>(parameters.clone()).session_id)
        .collect();

    let failure = client.refused::<CreateSession>(parameters.clone());

    assert_eq!(failure.error_type, ErrorType::SessionLimitExceeded);
    client.ask::<CloseSession>(json!({"session_id": ids[0]}));
    client.ask::<CreateSession>(parameters);
    for id in &ids[1..] {
        client.ask::<CloseSession>(json!({"session_id": id}));
    }
}

#[test]
fn statistics_count_sessions_clients_and_evaluations() {
    let image = Image::shared();
    let client = image.client();
    let before = client.ask::<GetSessionStatistics>(json!({}));

    let session = client.session();
    session.value("3 + 4");
    session.failure("1/0");
    let after = client.ask::<GetSessionStatistics>(json!({}));

    assert!(after.total_sessions >= 1 && after.active_clients >= 1);
    assert!(after.max_sessions_per_client >= 1 && after.cleanup_interval >= 1);
    // Others use the image at the same time.
    assert!(after.evaluations_total >= before.evaluations_total + 2);
    assert!(after.errors_total > before.errors_total);
}

#[test]
fn sessions_that_are_not_there_and_owners_that_are_not_said_are_refused() {
    let image = Image::shared();
    let client = image.client();

    let nobody = client.refused::<CreateSession>(json!({"name": "mine"}));
    assert_eq!(nobody.error_type, ErrorType::MissingParameter);
    assert_eq!(nobody.details["parameter"], "client_id");
    let soon = client.refused::<CreateSession>(json!({"client_id": "c", "timeout": "soon"}));
    assert_eq!(soon.error_type, ErrorType::InvalidParameter);

    for command in [
        RestoreSession::NAME,
        UpdateSessionState::NAME,
        CloseSession::NAME,
        GetSessionInfo::NAME,
        "save_context",
        "load_context",
        "get_context_summary",
        "clear_context",
    ] {
        let nowhere = client.reply(
            command,
            json!({"session_id": "none such", "state_data": {}}),
        );
        let failure = nowhere.outcome.expect_err("no session");
        assert_eq!(failure.error_type, ErrorType::SessionNotFound, "{command}");
        let missing = client
            .reply(command, json!({}))
            .outcome
            .expect_err("no session_id");
        assert_eq!(missing.error_type, ErrorType::MissingParameter, "{command}");
    }
}

#[test]
fn a_client_without_sessions_has_none() {
    let image = Image::shared();

    let listed = image
        .client()
        .ask::<ListClientSessions>(json!({"client_id": new_id("nobody")}));

    assert_eq!((listed.session_count, listed.sessions.len()), (0, 0));
}
