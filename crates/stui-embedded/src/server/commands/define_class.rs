//! `define_class`: evaluates a definition message; its value must be a class.

use std::time::Duration;

use stui_protocol::image::{ClassResult, DefineClass};
use stui_protocol::{Failure, Outcome};
use stui_smalltalk::ast::{Expression, VariableKind};
use stui_smalltalk::parse_script;

use super::browse::{class_info, class_not_found};
use super::evaluate::Place;
use super::{Answer, Asked, Done, value_of};
use crate::server::evaluations::{Evaluation, Work};
use crate::server::failures::{self, Told};
use crate::server::image::{Image, Run};
use crate::value::Value;
use crate::vm::{self, CallError, ClassRef};

/// How long a definition may take.
const TIME_MS: u64 = 2000;

/// How long a fluid definition may take to install its class.
const INSTALL_BUDGET: Duration = Duration::from_secs(1);

/// `define_class`.
pub(super) fn run(image: &mut Image, asked: &Asked, command: &DefineClass) -> Done {
    image.evaluations.check_room()?;
    let place = Place::own(image);
    let compiled = image
        .vm
        .compile_expression(Some(place.workspace), &command.definition);
    let code = match compiled {
        Ok(code) => code,
        Err(error) => {
            place.leave(image);
            return Err(match missing_superclass(image, &command.definition) {
                Some(name) => class_not_found(&name),
                None => failures::syntax_error(&error, &command.definition),
            });
        }
    };
    let mut evaluation = image
        .new_evaluation(&asked.id, Work::Definition)
        .timing_out(Some(TIME_MS));
    place.take(&mut evaluation, None);
    evaluation.process = image.spawn(&evaluation, &code, Run::default());
    image.start_hidden(evaluation);
    Ok(Answer::Later)
}

/// The superclass of a definition that parses, when there is no global of its name.
fn missing_superclass(image: &Image, definition: &str) -> Option<String> {
    let script = parse_script(definition).ok()?;
    let mut expression = script.body.statements.first()?.expression();
    loop {
        expression = match expression {
            Expression::Send(send) => &send.receiver,
            Expression::Cascade(cascade) => &cascade.receiver,
            Expression::Variable(variable) if variable.kind() == VariableKind::Global => {
                let known = image.vm.globals().contains(&variable.name);
                return (!known).then(|| variable.name.clone());
            }
            _ => return None,
        };
    }
}

/// The definition was evaluated.
pub(in crate::server) fn evaluated(
    image: &mut Image,
    evaluation: &Evaluation,
    outcome: &vm::Outcome,
) -> Outcome {
    let vm::Outcome::Finished { value: pin, .. } = outcome else {
        let told = Told::of(evaluation);
        return Err(failures::of_outcome(outcome, evaluation.timeout_ms, told));
    };
    let value = image.vm.pinned(*pin);
    let class = installed(image, value);
    image.vm.unpin(*pin);
    match class {
        Ok(Some(class)) => Ok(value_of::<DefineClass>(&ClassResult {
            class_info: class_info(image.vm.class_info(class)),
        })),
        Ok(None) => Err(Failure::invalid(
            "definition",
            "it is no definition message: its value is no class",
        )),
        Err(CallError::Failed(report)) => {
            Err(failures::evaluation_error(&report, Told::of(evaluation)))
        }
        Err(CallError::TooLong) => Err(Failure::invalid(
            "definition",
            "its class could not be installed in time",
        )),
    }
}

/// The class that a definition answers: itself, or what the fluid form builds.
pub(super) fn installed(image: &mut Image, value: Value) -> Result<Option<ClassRef>, CallError> {
    if let Some(class) = as_class(image, value) {
        return Ok(Some(class));
    }
    let class = image.vm.class_of(value);
    let understood = image.vm.selectors_of(class);
    if !["install", "slots:"]
        .iter()
        .all(|selector| understood.iter().any(|known| known == selector))
    {
        return Ok(None);
    }
    let value = image.vm.call(value, "install", &[], INSTALL_BUDGET)?;
    Ok(as_class(image, value))
}

/// A value that is a class (not a metaclass), as one.
fn as_class(image: &Image, value: Value) -> Option<ClassRef> {
    let metaclass = image.vm.class_name(image.vm.class_of(value));
    image.vm.find_class(metaclass.strip_suffix(" class")?)
}
