//! Contexts: what a session knows, summed up, cleared, saved to disk, loaded.

use std::time::Instant;

use stui_protocol::image::{
    ClearContext, ClearContextResult, ClearedCounts, ContextPart, ContextResult, ContextSummary,
    GetContextSummary, LoadContext, SaveContext, SavedContext, SavedVariable,
};
use stui_protocol::limits::MAX_SESSION_NAME_CHARS;
use stui_protocol::{ErrorType, Failure, time};
use tracing::error;
use uuid::Uuid;

use super::session_state::variables;
use super::{Done, answer};
use crate::server::history::History;
use crate::server::image::{Image, Printer, class_name};
use crate::server::store::{ContextContent, ContextError, ContextMeta, SavedValue, Store};
use crate::vm::WorkspaceId;

/// Contexts kept of one session; when one more is saved, its oldest is removed.
pub(in crate::server) const MAX_CONTEXTS: usize = 50;

/// Bytes of all values of one context.
pub(in crate::server) const MAX_CONTEXT_BYTES: usize = 64 * 1024 * 1024;

/// `save_context`.
pub(super) fn save(image: &mut Image, command: SaveContext) -> Done {
    if command
        .name
        .as_ref()
        .is_some_and(|name| name.chars().count() > MAX_SESSION_NAME_CHARS)
    {
        let why = format!("it may have {MAX_SESSION_NAME_CHARS} characters");
        return Err(Failure::invalid("name", why));
    }
    let session = image.sessions.using(&command.session_id, Instant::now())?;
    let workspace = session.workspace;
    let history = session.history.oldest_first();
    let meta = ContextMeta {
        context_id: Uuid::new_v4().to_string(),
        name: command.name,
        saved_at: time::now(),
        session_id: session.id.clone(),
        client_id: session.client_id.clone(),
        session_name: session.name.clone(),
        bytes: 0,
    };
    store(image)?;
    let content = ContextContent {
        variables: dump(image, workspace),
        history,
    };
    let store = store(image)?;
    let meta = store.contexts.save(meta, &content).map_err(|reason| {
        error!(%reason, "saving a context");
        Failure::new(
            ErrorType::UnsupportedOperation,
            format!("the context could not be written: {reason}"),
        )
    })?;
    prune(store, &meta);
    let variables = content.variables.iter().map(saved_variable).collect();
    answer::<SaveContext>(&result(&meta, variables, content.history.len(), None))
}

/// The values of a workspace as bytes, each with its share of what is left of the bound.
pub(in crate::server) fn dump(image: &Image, workspace: WorkspaceId) -> Vec<SavedValue> {
    let mut left = MAX_CONTEXT_BYTES;
    let mut values = Vec::new();
    for (name, value) in image.vm.variables(workspace) {
        let bytes = image.vm.dump(value, left).map_err(|no| no.reason);
        left -= bytes.as_ref().map_or(0, Vec::len).min(left);
        values.push(SavedValue {
            name,
            class_name: class_name(image, value),
            bytes,
        });
    }
    values
}

fn saved_variable(value: &SavedValue) -> SavedVariable {
    SavedVariable {
        name: value.name.clone(),
        class_name: value.class_name.clone(),
        saved: value.bytes.is_ok(),
        reason: value.bytes.as_ref().err().cloned(),
    }
}

fn prune(store: &mut Store, newest: &ContextMeta) {
    let name = newest.session_name.as_deref();
    let of = store
        .contexts
        .of(&newest.session_id, &newest.client_id, name);
    let surplus = of.len().saturating_sub(MAX_CONTEXTS);
    let old: Vec<String> = of[..surplus]
        .iter()
        .map(|meta| meta.context_id.clone())
        .collect();
    for id in old {
        store.contexts.remove(&id);
    }
}

fn result(
    meta: &ContextMeta,
    variables: Vec<SavedVariable>,
    history_size: usize,
    loaded: Option<u64>,
) -> ContextResult {
    ContextResult {
        context_id: meta.context_id.clone(),
        name: meta.name.clone(),
        variables,
        history_size: history_size as u64,
        bytes: meta.bytes,
        saved_at: meta.saved_at,
        loaded,
    }
}

/// `load_context`: its variables replace those of the same name; the session's other variables
/// stay. Its history goes before the session's own.
pub(super) fn load(image: &mut Image, command: &LoadContext) -> Done {
    let session = image.sessions.using(&command.session_id, Instant::now())?;
    let (client_id, name) = (session.client_id.clone(), session.name.clone());
    let (workspace, own) = (session.workspace, session.history.oldest_first());
    let store = store(image)?;
    let id = match &command.context_id {
        Some(id) => id.clone(),
        None => {
            let of = store
                .contexts
                .of(&command.session_id, &client_id, name.as_deref());
            let newest = of
                .last()
                .ok_or_else(|| missing(None, &ContextError::Missing))?;
            newest.context_id.clone()
        }
    };
    let (meta, content) = store
        .contexts
        .load(&id)
        .map_err(|error| missing(Some(&id), &error))?;
    let variables: Vec<SavedVariable> = content
        .variables
        .iter()
        .map(|value| restore(image, workspace, value))
        .collect();
    let loaded = variables.iter().filter(|variable| variable.saved).count() as u64;
    let history_size = content.history.len();
    if let Some(session) = image.sessions.get_mut(&command.session_id) {
        let mut merged = History::default();
        for entry in content.history {
            if own
                .iter()
                .all(|one| one.evaluation_id != entry.evaluation_id)
            {
                merged.add(entry);
            }
        }
        own.into_iter().for_each(|entry| merged.add(entry));
        session.history = merged;
        session.modified();
    }
    answer::<LoadContext>(&result(&meta, variables, history_size, Some(loaded)))
}

/// Puts one saved value back into a workspace.
pub(in crate::server) fn restore(
    image: &mut Image,
    workspace: WorkspaceId,
    saved: &SavedValue,
) -> SavedVariable {
    let value = match &saved.bytes {
        Ok(bytes) => image.vm.load(bytes).map_err(|error| error.to_string()),
        Err(reason) => Err(reason.clone()),
    };
    let reason = match value {
        Ok(value) => {
            image.vm.set_variable(workspace, &saved.name, value);
            None
        }
        Err(reason) => Some(reason),
    };
    SavedVariable {
        name: saved.name.clone(),
        class_name: saved.class_name.clone(),
        saved: reason.is_none(),
        reason,
    }
}

fn missing(id: Option<&str>, error: &ContextError) -> Failure {
    let failure = match (error, id) {
        (ContextError::Missing, None) => Failure::new(
            ErrorType::ContextNotFound,
            "no context of this session was saved",
        ),
        // Damaged or unreadable: for whoever asks it is not there; the text says why.
        _ => Failure::new(ErrorType::ContextNotFound, error.to_string()),
    };
    match id {
        Some(id) => failure.with("context_id", id),
        None => failure,
    }
}

/// The state directory.
///
/// # Errors
/// `UnsupportedOperation` when the image was started without one.
pub(super) fn store(image: &mut Image) -> Result<&mut Store, Failure> {
    image.store.as_mut().ok_or_else(|| {
        Failure::new(
            ErrorType::UnsupportedOperation,
            "this image was started without a state directory and keeps nothing on disk: start it with --state-dir",
        )
    })
}

/// `get_context_summary`.
pub(super) fn summary(image: &mut Image, command: &GetContextSummary) -> Done {
    let session = image.sessions.using(&command.session_id, Instant::now())?;
    let workspace = session.workspace;
    let (client_id, name) = (session.client_id.clone(), session.name.clone());
    let history = session.history.newest_first();
    let saved_contexts = image.store.as_ref().map_or_else(Vec::new, |store| {
        let of = store
            .contexts
            .of(&command.session_id, &client_id, name.as_deref());
        of.into_iter().rev().map(saved_context).collect()
    });
    answer::<GetContextSummary>(&ContextSummary {
        variables: variables(image, &Printer::new(), workspace),
        history_size: history.len() as u64,
        history,
        object_registry_size: image.objects.count(&Some(command.session_id.clone())) as u64,
        saved_contexts,
    })
}

fn saved_context(meta: &ContextMeta) -> SavedContext {
    SavedContext {
        context_id: meta.context_id.clone(),
        name: meta.name.clone(),
        saved_at: meta.saved_at,
        bytes: meta.bytes,
    }
}

/// `clear_context`.
pub(super) fn clear(image: &mut Image, command: &ClearContext) -> Done {
    let session = image.sessions.using(&command.session_id, Instant::now())?;
    let asked = |part| {
        command
            .what
            .as_ref()
            .is_none_or(|parts| parts.contains(&part))
    };
    let mut cleared = ClearedCounts::default();
    let workspace = session.workspace;
    if asked(ContextPart::History) {
        cleared.history = session.history.clear() as u64;
    }
    session.modified();
    if asked(ContextPart::Bindings) {
        cleared.bindings = image.vm.clear_variables(workspace) as u64;
    }
    if asked(ContextPart::Objects) {
        let pins = image.objects.clear(&Some(command.session_id.clone()));
        cleared.objects = pins.len() as u64;
        image.unpin_all(pins);
    }
    answer::<ClearContext>(&ClearContextResult { cleared })
}
