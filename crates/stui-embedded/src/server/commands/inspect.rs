//! `inspect` and `release_object`.
//!
//! An expression runs as a short evaluation beside whatever the session runs; the look itself runs
//! no code but prints.

use std::time::Instant;

use serde_json::{Map, Value as Json, json};
use stui_protocol::image::{
    Field, FieldKind, Inspect, InspectResult, ObjectInfo, PathStep, ReleaseObject,
    ReleaseObjectResult,
};
use stui_protocol::{ErrorType, Failure, Outcome};

use super::evaluate::Place;
use super::{Answer, Asked, Done, answer, value_of};
use crate::server::evaluations::{Evaluation, Work};
use crate::server::failures::{self, Told};
use crate::server::image::{Image, Printer, Run, SHORT_PRINT, class_name};
use crate::value::Value;
use crate::vm;

/// How long the expression may run.
const TIME_MS: u64 = 2000;

/// Most fields of one level of an answer.
const MAX_FIELDS: usize = 1000;

/// Deepest levels of fields.
const MAX_DEPTH: u32 = 5;

/// Most fields below the first level, all together.
const MAX_INNER_FIELDS: usize = 1000;

/// Most steps of a path.
const MAX_PATH: usize = 100;

/// Characters of the object's own print string.
const OWN_PRINT: usize = 2000;

/// What to look at, once the object is there.
#[derive(Debug)]
pub(in crate::server) struct Look {
    path: Vec<PathStep>,
    depth: u32,
    offset: usize,
    limit: usize,
    include_private: bool,
}

/// `inspect`.
pub(super) fn run(image: &mut Image, asked: &Asked, command: Inspect) -> Done {
    if command.path.len() > MAX_PATH {
        let why = format!("it may have {MAX_PATH} steps");
        return Err(Failure::invalid("path", why));
    }
    let session = command.session_id.clone();
    let place = match &session {
        Some(id) => Some(Place::beside(
            image.sessions.using(id, Instant::now())?.workspace,
        )),
        None => None,
    };
    let look = Look {
        path: command.path,
        depth: command.depth.min(MAX_DEPTH),
        offset: command.offset,
        limit: command.limit.min(MAX_FIELDS),
        include_private: command.include_private,
    };
    if let Some(object_id) = command.object_id {
        let pin = image
            .objects
            .find(&object_id, session.as_deref())
            .ok_or_else(|| not_found(&object_id))?;
        let value = image.vm.pinned(pin);
        return shown(image, session.as_deref(), value, Some(object_id), &look).map(Answer::Now);
    }
    let Some(target) = command.target else {
        return Err(Failure::missing("inspect", "target"));
    };
    image.evaluations.check_room()?;
    let place = place.unwrap_or_else(|| Place::own(image));
    let code = match image.vm.compile_expression(Some(place.workspace), &target) {
        Ok(code) => code,
        Err(error) => {
            place.leave(image);
            return Err(failures::syntax_error(&error, &target));
        }
    };
    let mut evaluation = image
        .new_evaluation(&asked.id, Work::Look(look))
        .timing_out(Some(TIME_MS));
    place.take(&mut evaluation, session);
    evaluation.process = image.spawn(&evaluation, &code, Run::default());
    image.start_hidden(evaluation);
    Ok(Answer::Later)
}

/// The expression has its value, or has failed.
pub(in crate::server) fn found(
    image: &mut Image,
    evaluation: &mut Evaluation,
    outcome: &vm::Outcome,
) -> Outcome {
    let vm::Outcome::Finished { value: pin, .. } = outcome else {
        let told = Told::of(evaluation);
        return Err(failures::of_outcome(outcome, evaluation.timeout_ms, told));
    };
    let value = image.vm.pinned(*pin);
    let shown = match &evaluation.work {
        Work::Look(look) => shown(image, evaluation.session.as_deref(), value, None, look),
        _ => Ok(Json::Null),
    };
    image.vm.unpin(*pin);
    shown
}

/// Follows the path and shows what is there. The object is registered unless it is already.
fn shown(
    image: &mut Image,
    session: Option<&str>,
    start: Value,
    known_as: Option<String>,
    look: &Look,
) -> Outcome {
    let value = follow(image, start, &look.path)?;
    let object_id = match known_as {
        Some(id) if look.path.is_empty() => id,
        _ => image.register_value(session, value),
    };
    let result = describe(image, object_id, value, look);
    if let Some(session) = session.and_then(|id| image.sessions.get_mut(id)) {
        let state = json!({
            "object_id": result.object_id,
            "class_name": result.object_info.class_name,
            "offset": look.offset,
            "limit": look.limit,
        });
        if let Json::Object(state) = state {
            session.inspected = state;
        }
    }
    Ok(value_of::<Inspect>(&result))
}

fn follow(image: &Image, start: Value, path: &[PathStep]) -> Result<Value, Failure> {
    let mut value = start;
    for step in path {
        let name = match step {
            PathStep::Index(index) => index.to_string(),
            PathStep::Name(name) => name.clone(),
        };
        value = image.vm.field(value, &name).ok_or_else(|| {
            Failure::new(
                ErrorType::ObjectNotFound,
                format!("{} has no part {name:.64}", class_name(image, value)),
            )
            .with("part", name)
        })?;
    }
    Ok(value)
}

fn describe(image: &mut Image, object_id: String, value: Value, look: &Look) -> InspectResult {
    let printer = Printer::new();
    let hidden = if look.include_private {
        0
    } else {
        hidden_fields(image, value)
    };
    let offset = look.offset.saturating_add(hidden);
    let (page, total) = image.vm.fields(value, offset, look.limit);
    let mut inner = MAX_INNER_FIELDS;
    let object_info = ObjectInfo {
        class_name: class_name(image, value),
        string_representation: printer.print(image, value, OWN_PRINT),
        // Identity hashes are far below 2^63.
        hash: i64::try_from(image.vm.identity_hash(value)).unwrap_or(i64::MAX),
        size: image.vm.size(value) as u64,
    };
    let fields = page
        .into_iter()
        .map(|field| field_shown(image, &printer, field, look.depth, &mut inner))
        .collect();
    InspectResult {
        object_id,
        object_info,
        fields,
        instance_vars: instance_vars(image, &printer, value, hidden),
        total_fields: total.saturating_sub(hidden) as u64,
    }
}

fn field_shown(
    image: &mut Image,
    printer: &Printer,
    field: vm::Field,
    depth: u32,
    inner: &mut usize,
) -> Field {
    let mut fields = None;
    if depth > 1 && field.expandable {
        let hidden = hidden_fields(image, field.value);
        let (page, _) = image.vm.fields(field.value, hidden, *inner);
        *inner -= page.len().min(*inner);
        let shown = page
            .into_iter()
            .map(|field| field_shown(image, printer, field, depth - 1, inner))
            .collect();
        fields = Some(shown);
    }
    Field {
        name: field.name,
        kind: kind(field.kind),
        class_name: class_name(image, field.value),
        string_representation: printer.print(image, field.value, SHORT_PRINT),
        expandable: field.expandable,
        fields,
    }
}

fn instance_vars(
    image: &mut Image,
    printer: &Printer,
    value: Value,
    hidden: usize,
) -> Map<String, Json> {
    let (fields, _) = image.vm.fields(value, hidden, MAX_FIELDS);
    fields
        .into_iter()
        .take_while(|field| field.kind == vm::FieldKind::InstanceVariable)
        .map(|field| {
            let printed = printer.print(image, field.value, SHORT_PRINT);
            (field.name, Json::String(printed))
        })
        .collect()
}

/// How many of the first fields a tool would hide: the variables with which a collection of the
/// system manages its elements.
fn hidden_fields(image: &Image, value: Value) -> usize {
    let mut class = image.vm.class_info(image.vm.class_of(value));
    let mut own = 0;
    loop {
        if class.is_system {
            own += class.instance_vars.len();
        }
        if class.name == "Collection" {
            return own;
        }
        let above = class.superclass.as_deref();
        match above.and_then(|name| image.vm.find_class(name)) {
            Some(superclass) => class = image.vm.class_info(superclass),
            None => return 0,
        }
    }
}

fn kind(kind: vm::FieldKind) -> FieldKind {
    match kind {
        vm::FieldKind::InstanceVariable => FieldKind::InstanceVariable,
        vm::FieldKind::Index => FieldKind::Index,
        vm::FieldKind::Key => FieldKind::Key,
        vm::FieldKind::Property => FieldKind::Property,
    }
}

/// `release_object`.
pub(super) fn release(image: &mut Image, command: ReleaseObject) -> Done {
    if let Some(session) = &command.session_id {
        image.sessions.using(session, Instant::now())?;
    }
    let pin = image
        .objects
        .remove(&command.object_id, command.session_id.as_deref())
        .ok_or_else(|| not_found(&command.object_id))?;
    image.vm.unpin(pin);
    answer::<ReleaseObject>(&ReleaseObjectResult {
        object_id: command.object_id,
        released: true,
    })
}

fn not_found(object_id: &str) -> Failure {
    Failure::new(
        ErrorType::ObjectNotFound,
        "no such object is registered: it was released, or made room for newer ones",
    )
    .with("object_id", object_id)
}
