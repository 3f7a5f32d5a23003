//! Making, closing and listing sessions.

use std::time::Instant;

use stui_protocol::image::{
    CloseSession, CloseSessionResult, CreateSession, GetSessionInfo, GetSessionStatistics,
    ListClientSessions, ListClientSessionsResult, ListSessions, ListSessionsResult, SessionInfo,
    SessionStatistics,
};
use stui_protocol::limits::MAX_SESSION_NAME_CHARS;
use stui_protocol::{EventName, Failure};
use uuid::Uuid;

use super::{Answer, Asked, Done, answer};
use crate::server::image::{BEAT, Image};
use crate::server::sessions::Session;

/// Longest client id, in characters.
const MAX_CLIENT_ID_CHARS: usize = 128;

/// `create_session`.
pub(super) fn create(image: &mut Image, command: CreateSession) -> Done {
    check_text("client_id", &command.client_id, MAX_CLIENT_ID_CHARS)?;
    if let Some(name) = &command.name {
        check_text("name", name, MAX_SESSION_NAME_CHARS)?;
    }
    image
        .sessions
        .check_room(&command.client_id, &image.bounds)?;
    let session = Session::new(
        Uuid::new_v4().to_string(),
        command.client_id,
        command.name,
        command.timeout.unwrap_or(image.bounds.session_timeout_s),
        image.vm.new_workspace(),
        Instant::now(),
    );
    let summary = session.summary();
    image.sessions.add(session);
    image.publisher.tell(
        EventName::SessionCreated,
        Some(&summary.session_id),
        None,
        &summary,
    );
    answer::<CreateSession>(&summary)
}

fn check_text(parameter: &str, text: &str, limit: usize) -> Result<(), Failure> {
    if text.is_empty() || text.chars().count() > limit {
        return Err(Failure::invalid(
            parameter,
            format!("it must have 1 to {limit} characters"),
        ));
    }
    Ok(())
}

/// `close_session`: answered when the evaluation that was under way has ended.
pub(super) fn close(image: &mut Image, asked: &Asked, command: CloseSession) -> Done {
    image.sessions.look(&command.session_id, Instant::now())?;
    let Some(session) = image.sessions.remove(&command.session_id) else {
        return closed(command.session_id);
    };
    let running = session.running.clone();
    image.clear_out(&session, "closed");
    let waits =
        running.is_some_and(|id| image.answer_when_ended(&id, &asked.id, &command.session_id));
    if waits {
        return Ok(Answer::Later);
    }
    closed(command.session_id)
}

fn closed(session_id: String) -> Done {
    answer::<CloseSession>(&CloseSessionResult {
        session_id,
        closed: true,
    })
}

/// `get_session_info`; looking does not use a session.
pub(super) fn info(image: &mut Image, command: &GetSessionInfo) -> Done {
    let now = Instant::now();
    let session = image.sessions.look(&command.session_id, now)?;
    let variables = image.vm.variables(session.workspace).len();
    answer::<GetSessionInfo>(&session.info(variables, now))
}

/// `list_client_sessions`.
pub(super) fn of_client(image: &Image, command: ListClientSessions) -> Done {
    let sessions = all_facts(image, image.sessions.of_client(&command.client_id));
    answer::<ListClientSessions>(&ListClientSessionsResult {
        client_id: command.client_id,
        session_count: sessions.len() as u64,
        sessions,
    })
}

/// `list_sessions`.
pub(super) fn list(image: &Image) -> Done {
    answer::<ListSessions>(&ListSessionsResult {
        sessions: all_facts(image, image.sessions.all()),
    })
}

fn all_facts(image: &Image, sessions: Vec<&Session>) -> Vec<SessionInfo> {
    let now = Instant::now();
    sessions
        .into_iter()
        .map(|session| facts(image, session, now))
        .collect()
}

fn facts(image: &Image, session: &Session, now: Instant) -> SessionInfo {
    session.info(image.vm.variables(session.workspace).len(), now)
}

/// `get_session_statistics`.
pub(super) fn statistics(image: &Image) -> Done {
    answer::<GetSessionStatistics>(&SessionStatistics {
        total_sessions: image.sessions.len() as u64,
        active_clients: image.sessions.clients() as u64,
        max_sessions_per_client: image.bounds.sessions_per_client as u64,
        default_timeout: image.bounds.session_timeout_s,
        cleanup_interval: BEAT.as_secs(),
        evaluations_total: image.evaluations_total,
        errors_total: image.errors_total,
    })
}
