//! `restore_session` and `update_session_state`: what a client finds again.

use std::time::Instant;

use serde_json::{Map, Value, json};
use stui_protocol::Failure;
use stui_protocol::image::{
    RestoreSession, RestoreSessionResult, UpdateSessionState, UpdateSessionStateResult, Variable,
    WorkspaceContext,
};

use super::{Done, answer};
use crate::server::image::{Image, Printer, SHORT_PRINT, class_name};
use crate::vm::WorkspaceId;

/// What clients may keep in one session, in bytes of JSON.
pub(in crate::server) const MAX_STATE_BYTES: usize = 1024 * 1024;

/// Most variables that one answer shows.
const MAX_VARIABLES: usize = 1000;

/// `restore_session`.
pub(super) fn restore(image: &mut Image, command: &RestoreSession) -> Done {
    let session = image.sessions.using(&command.session_id, Instant::now())?;
    let workspace = session.workspace;
    let mut result = RestoreSessionResult {
        session: session.summary(),
        last_modified: session.last_modified,
        session_state: session.state.clone(),
        workspace_context: WorkspaceContext::default(),
        inspector_state: session.inspected.clone(),
        object_registry: Map::new(),
    };
    let printer = Printer::new();
    result.workspace_context.variables = variables(image, &printer, workspace);
    for (id, pin) in image.objects.of(&Some(command.session_id.clone())) {
        let value = image.vm.pinned(pin);
        let entry = json!({
            "class_name": class_name(image, value),
            "string_representation": printer.print(image, value, SHORT_PRINT),
        });
        result.object_registry.insert(id, entry);
    }
    answer::<RestoreSession>(&result)
}

/// The variables of a workspace in a few words each.
pub(super) fn variables(
    image: &mut Image,
    printer: &Printer,
    workspace: WorkspaceId,
) -> Vec<Variable> {
    let mut all = image.vm.variables(workspace);
    all.truncate(MAX_VARIABLES);
    all.into_iter()
        .map(|(name, value)| Variable {
            name,
            class_name: class_name(image, value),
            string_representation: printer.print(image, value, SHORT_PRINT),
        })
        .collect()
}

/// `update_session_state`: all of it, or nothing when it would be too much.
pub(super) fn update(image: &mut Image, command: UpdateSessionState) -> Done {
    let session = image.sessions.using(&command.session_id, Instant::now())?;
    let merged = merge(&session.state, command.state_data);
    let bytes = serde_json::to_vec(&merged).map_or(usize::MAX, |bytes| bytes.len());
    if bytes > MAX_STATE_BYTES {
        return Err(Failure::invalid(
            "state_data",
            format!("a session keeps {MAX_STATE_BYTES} bytes, with this it would be {bytes}"),
        )
        .with("limit", MAX_STATE_BYTES));
    }
    session.state = merged;
    session.modified();
    answer::<UpdateSessionState>(&UpdateSessionStateResult {
        session_id: command.session_id,
        last_modified: session.last_modified,
        session_state: session.state.clone(),
        update_successful: true,
    })
}

fn merge(old: &Map<String, Value>, new: Map<String, Value>) -> Map<String, Value> {
    let mut merged = old.clone();
    for (key, value) in new {
        if value.is_null() {
            merged.remove(&key);
        } else {
            merged.insert(key, value);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_merged_key_by_key_and_null_removes() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let old = object(json!({"a": {"x": 1}, "b": 2, "c": 3}));
        let new = object(json!({"a": {"y": 1}, "b": null, "d": null, "e": 4}));
        let merged = merge(&old, new);
        assert_eq!(
            Value::Object(merged),
            json!({"a": {"y": 1}, "c": 3, "e": 4})
        );
    }
}
