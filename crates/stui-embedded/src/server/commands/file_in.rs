//! `file_in`: loads chunks or one Tonel class.
//!
//! The whole text is parsed before anything of it is done, so a syntax error changes nothing.
//! Then its steps are done in order; an expression that fails ends the loading where it stands,
//! and the failure says what was loaded.

#[cfg(feature = "fuzzing")]
mod fuzzing;
mod steps;

use std::collections::VecDeque;

use serde_json::json;
use stui_protocol::Failure;
use stui_protocol::image::{FileIn, FileInResult};

use super::define_class::installed;
use super::evaluate::Place;
use super::methods::{AS_YET_UNCLASSIFIED, refused};
use super::{Answer, Asked, Done, value_of};
use crate::server::definitions::define;
use crate::server::evaluations::{Evaluation, Work};
use crate::server::failures::{self, Told};
use crate::server::image::{Image, Next, Run};
use crate::vm::{self, CallError, ChangeError};
#[cfg(feature = "fuzzing")]
pub use fuzzing::{FiledIn, read};
use steps::Step;

/// How long a whole loading may take: whoever talks to the image over one lock-step link waits.
const TIME_MS: u64 = 5_000;

/// A loading under way.
#[derive(Debug, Default)]
pub(in crate::server) struct FileInRun {
    left: VecDeque<Step>,
    /// The expression that runs now is a class definition.
    defines: bool,
    classes: Vec<String>,
    methods: Vec<String>,
    expressions: u64,
}

/// `file_in`.
pub(super) fn run(image: &mut Image, asked: &Asked, command: &FileIn) -> Done {
    image.evaluations.check_room()?;
    let run = FileInRun {
        left: steps::read(&command.source)?.into(),
        ..FileInRun::default()
    };
    let place = Place::own(image);
    let mut evaluation = image
        .new_evaluation(&asked.id, Work::FileIn(run))
        .timing_out(Some(TIME_MS));
    place.take(&mut evaluation, None);
    match go_on(image, &mut evaluation) {
        Next::Going => {
            image.start_hidden(evaluation);
            Ok(Answer::Later)
        }
        Next::Done(outcome) => {
            image.doom(evaluation.workspace);
            outcome.map(Answer::Now)
        }
    }
}

/// Does steps until one of them runs code.
fn go_on(image: &mut Image, evaluation: &mut Evaluation) -> Next {
    loop {
        let Work::FileIn(run) = &mut evaluation.work else {
            return Next::Done(Err(defect()));
        };
        let Some(step) = run.left.pop_front() else {
            return Next::Done(Ok(value_of::<FileIn>(&FileInResult {
                classes: run.classes.clone(),
                methods: run.methods.clone(),
                expressions: run.expressions,
            })));
        };
        let done = match step {
            Step::Expression { source, defines } => {
                return start(image, evaluation, &source, defines);
            }
            Step::Class {
                definition,
                layout,
                comment,
            } => define(&mut image.vm, &definition, layout).map(|class| {
                if let Some(comment) = comment {
                    image.vm.set_class_comment(class, &comment);
                }
                note(&mut run.classes, definition.name);
            }),
            Step::Comment { class_name, text } => match image.vm.find_class(&class_name) {
                Some(class) => {
                    image.vm.set_class_comment(class, &text);
                    Ok(())
                }
                None => Err(ChangeError::NoSuchClass(class_name)),
            },
            Step::Method(method) => compile(image, &method, run),
        };
        if let Err(error) = done {
            let failure = refused(&error, "", "source");
            return Next::Done(Err(with_loaded(failure, evaluation)));
        }
    }
}

fn compile(
    image: &mut Image,
    method: &steps::Method,
    run: &mut FileInRun,
) -> Result<(), ChangeError> {
    let class = image
        .vm
        .find_class(&method.class_name)
        .ok_or_else(|| ChangeError::NoSuchClass(method.class_name.clone()))?;
    let category = method.category.as_deref().unwrap_or(AS_YET_UNCLASSIFIED);
    let compiled =
        image
            .vm
            .compile_method(class, method.is_class_side, &method.source, category)?;
    let side = if method.is_class_side { " class" } else { "" };
    run.methods.push(format!(
        "{}{side}>>{}",
        method.class_name, compiled.selector
    ));
    Ok(())
}

fn start(image: &mut Image, evaluation: &mut Evaluation, source: &str, defines: bool) -> Next {
    match image
        .vm
        .compile_expression(Some(evaluation.workspace), source)
    {
        Ok(code) => {
            evaluation.process = image.spawn(evaluation, &code, Run::default());
            if let Work::FileIn(run) = &mut evaluation.work {
                run.defines = defines;
            }
            Next::Going
        }
        Err(error) => {
            let failure = failures::syntax_error(&error, source);
            Next::Done(Err(with_loaded(failure, evaluation)))
        }
    }
}

/// An expression of the text has ended.
pub(in crate::server) fn expression_ended(
    image: &mut Image,
    evaluation: &mut Evaluation,
    outcome: &vm::Outcome,
) -> Next {
    let vm::Outcome::Finished { value: pin, .. } = outcome else {
        let told = Told::of(evaluation);
        let failure = failures::of_outcome(outcome, evaluation.timeout_ms, told);
        return Next::Done(Err(with_loaded(failure, evaluation)));
    };
    let value = image.vm.pinned(*pin);
    let told = Told::of(evaluation);
    let Work::FileIn(run) = &mut evaluation.work else {
        image.vm.unpin(*pin);
        return Next::Done(Err(defect()));
    };
    run.expressions += 1;
    let class = if run.defines {
        installed(image, value)
    } else {
        Ok(None)
    };
    image.vm.unpin(*pin);
    match class {
        Ok(Some(class)) => note(&mut run.classes, image.vm.class_name(class)),
        Ok(None) | Err(CallError::TooLong) => {}
        Err(CallError::Failed(report)) => {
            let failure = failures::evaluation_error(&report, told);
            return Next::Done(Err(with_loaded(failure, evaluation)));
        }
    }
    go_on(image, evaluation)
}

fn note(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// A failure that also tells what was loaded before it.
fn with_loaded(failure: Failure, evaluation: &Evaluation) -> Failure {
    match &evaluation.work {
        Work::FileIn(run) => failure.with(
            "loaded",
            json!({"classes": run.classes, "methods": run.methods, "expressions": run.expressions}),
        ),
        _ => failure,
    }
}

fn defect() -> Failure {
    Failure::new(
        stui_protocol::ErrorType::InternalError,
        "this is no loading of source",
    )
}
