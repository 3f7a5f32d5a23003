//! `evaluate`: starts an evaluation and waits for its end as long as asked.

use stui_protocol::image::{Evaluate, Evaluated, Job, OnError};
use stui_protocol::{ErrorType, Failure, Outcome, Version};

use super::evaluation_status::known;
use super::{Answer, Asked, Done, value_of};
use crate::server::evaluations::{Evaluation, Waiter, Work};
use crate::server::failures::{self, Told};
use crate::server::image::{Image, Run, running_answer};
use crate::vm;

/// Longest print string that is made, in characters. Written as JSON it may grow sixfold and has
/// to fit a message beside the output.
pub(in crate::server) const MAX_PRINT_LIMIT: usize = 500_000;

/// `evaluate`.
pub(super) fn run(image: &mut Image, asked: &Asked, command: Evaluate) -> Done {
    if image.evaluations.knows(&asked.id) {
        // The reply was forgotten, the evaluation is not: it must not run twice.
        return known(image, asked, &asked.id, command.wait_ms, None);
    }
    let timeout_ms = allowed_time(image, asked, command.timeout_ms);
    let place = Place::find(image, command.session_id.as_deref())?;
    let code = match image
        .vm
        .compile_expression(Some(place.workspace), &command.code)
    {
        Ok(code) => code,
        Err(error) => {
            place.leave(image);
            return Err(refuse(image, asked, &error, &command.code));
        }
    };
    let work = Work::Code {
        code: command.code.clone(),
        keep_result: command.keep_result,
    };
    let mut evaluation = image.new_evaluation(&asked.id, work).timing_out(timeout_ms);
    place.take(&mut evaluation, command.session_id);
    let run = Run {
        print_limit: Some(command.print_limit.min(MAX_PRINT_LIMIT)),
        on_error: match command.on_error {
            OnError::Return => vm::OnError::Return,
            OnError::Debug => vm::OnError::Debug,
        },
    };
    evaluation.process = image.spawn(&evaluation, &code, run);
    let tag = evaluation.tag;
    image.begin(evaluation, &command.code);
    answer_job(image, asked, tag, command.wait_ms)
}

/// Answers a job that has just started: when it ends, or at once that it goes on.
pub(super) fn answer_job(
    image: &mut Image,
    asked: &Asked,
    tag: vm::EvaluationTag,
    wait_ms: Option<u64>,
) -> Done {
    match image.wait_until(asked, wait_ms) {
        Some(until) => {
            image.wait(tag, Waiter::new(&asked.id, until));
            Ok(Answer::Later)
        }
        None => Ok(Answer::Now(running_answer::<Evaluate, _>(&asked.id))),
    }
}

/// How long a job may run. One of a 1.0 client always has an end, because its client waits.
pub(super) fn allowed_time(image: &Image, asked: &Asked, timeout_ms: Option<u64>) -> Option<u64> {
    let old = (asked.version < Version::V1_1).then_some(image.bounds.timeout_ms);
    timeout_ms.or(old)
}

/// Code that does not compile: told now, and kept for whoever asks for the evaluation later.
fn refuse(image: &mut Image, asked: &Asked, error: &vm::SyntaxError, code: &str) -> Failure {
    let failure = failures::syntax_error(error, code).with("evaluation_id", asked.id.as_str());
    image
        .evaluations
        .ended()
        .keep(asked.id.clone(), Err(failure.clone()), code.len());
    failure
}

/// Where an evaluation runs: in a session that is free, or in a workspace of its own.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) workspace: vm::WorkspaceId,
    own: bool,
}

impl Place {
    /// A place for one more evaluation that clients know.
    ///
    /// # Errors
    /// `SessionNotFound`, `SessionExpired`, `SessionBusy`; `UnsupportedOperation` when too many
    /// evaluations are under way.
    pub(super) fn find(image: &mut Image, session_id: Option<&str>) -> Result<Self, Failure> {
        image.evaluations.check_room()?;
        let Some(id) = session_id else {
            return Ok(Self::own(image));
        };
        let session = image.sessions.using(id, std::time::Instant::now())?;
        match &session.running {
            None => Ok(Self {
                workspace: session.workspace,
                own: false,
            }),
            Some(running) => Err(Failure::new(
                ErrorType::SessionBusy,
                "the session is evaluating something: wait for its end, or interrupt it",
            )
            .with("session_id", id)
            .with("evaluation_id", running.as_str())),
        }
    }

    /// A fresh workspace that goes with the evaluation.
    pub(super) fn own(image: &mut Image) -> Self {
        Self {
            workspace: image.vm.new_workspace(),
            own: true,
        }
    }

    /// A session's workspace, busy or not: for work beside its evaluations.
    pub(super) fn beside(workspace: vm::WorkspaceId) -> Self {
        Self {
            workspace,
            own: false,
        }
    }

    /// Puts an evaluation there.
    pub(super) fn take(self, evaluation: &mut Evaluation, session_id: Option<String>) {
        evaluation.workspace = self.workspace;
        evaluation.owns_workspace = self.own;
        evaluation.session = session_id;
    }

    /// Gives the place up again.
    pub(super) fn leave(self, image: &mut Image) {
        if self.own {
            image.vm.drop_workspace(self.workspace);
        }
    }
}

/// The outcome of an evaluation whose process has ended.
pub(in crate::server) fn ended(
    image: &mut Image,
    evaluation: &Evaluation,
    outcome: vm::Outcome,
) -> Outcome {
    let told = Told::of(evaluation);
    let vm::Outcome::Finished {
        value,
        printed,
        truncated,
        class_name,
    } = outcome
    else {
        return Err(failures::of_outcome(&outcome, evaluation.timeout_ms, told));
    };
    let session = evaluation.session.as_deref();
    let lives = session.is_none_or(|id| image.sessions.get_mut(id).is_some());
    let keep = lives
        && matches!(
            &evaluation.work,
            Work::Code {
                keep_result: true,
                ..
            }
        );
    let object_id = if keep {
        Some(image.register(session, value))
    } else {
        image.vm.unpin(value);
        None
    };
    Ok(value_of::<Evaluate>(&Job::Finished(Evaluated {
        evaluation_id: told.evaluation_id,
        result: printed,
        result_type: class_name,
        object_id,
        execution_time: told.execution_time,
        has_error: false,
        output: told.output,
        truncated: truncated || told.truncated,
    })))
}
