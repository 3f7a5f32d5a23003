//! `debug`: works on evaluations that were kept at an error, and on breakpoints.

mod breakpoints;

use std::time::{Duration, Instant};

use stui_protocol::image::{
    Debug, DebugOperation, DebugResult, DebugState, Frame, Interrupt, InterruptResult, Variable,
};
use stui_protocol::{ErrorType, Failure, Outcome};

use super::{Answer, Asked, Done, answer, value_of};
use crate::server::debuggers::DebugSession;
use crate::server::escalation::Escalation;
use crate::server::evaluations::Waiter;
use crate::server::failures::{self, Told};
use crate::server::image::{Image, Printer, SHORT_PRINT, class_name};
use crate::vm::{self, DebugError, EvaluationTag, InterruptReason, ProcessId, Step};

/// How long a reply waits for a step to end; then it says `running`.
const PATIENCE: Duration = Duration::from_secs(1);

/// Most frames of an answer.
const MAX_FRAMES: usize = 200;

/// Characters of a value that ends a debugged evaluation.
const VALUE_PRINT: usize = 10_000;

/// `debug`.
pub(super) fn run(image: &mut Image, asked: &Asked, command: &Debug) -> Done {
    if let Some(id) = &command.session_id {
        image.sessions.using(id, Instant::now())?;
    }
    if let Some(done) = breakpoints::run(image, command) {
        return done;
    }
    let kept = image.debuggers.find(
        command.debug_session_id.as_deref(),
        command.session_id.as_deref(),
    )?;
    let (tag, process, running) = (kept.tag, kept.process, kept.running);
    let frame = command.frame.unwrap_or(0);
    let step = match command.operation {
        DebugOperation::GetStackTrace | DebugOperation::GetLocalVars => {
            return shown(image, tag, frame).map(Answer::Now);
        }
        DebugOperation::Terminate => {
            terminate(image, tag);
            wait(image, tag, &asked.id, None);
            return Ok(Answer::Later);
        }
        _ if running => {
            return Err(Failure::new(
                ErrorType::UnsupportedOperation,
                "the evaluation goes on: wait until it stands still, or interrupt it",
            ));
        }
        DebugOperation::StepInto => image.vm.step(process, Step::Into),
        DebugOperation::StepOver => image.vm.step(process, Step::Over),
        DebugOperation::StepOut => image.vm.step(process, Step::Out),
        DebugOperation::Restart => image.vm.restart_frame(process, frame),
        _ => image.vm.resume(process),
    };
    step.map_err(|error| refused(&error))?;
    if let Some(kept) = image.debuggers.get_mut(tag) {
        kept.running = true;
    }
    wait(image, tag, &asked.id, Some(Instant::now() + PATIENCE));
    Ok(Answer::Later)
}

fn wait(image: &mut Image, tag: EvaluationTag, request: &str, until: Option<Instant>) {
    if let Some(kept) = image.debuggers.get_mut(tag) {
        kept.waiters.push(Waiter::new(request, until));
    }
}

fn refused(error: &DebugError) -> Failure {
    let error_type = match error {
        DebugError::NotSuspended => ErrorType::UnsupportedOperation,
        DebugError::NoSuchFrame(_) => return Failure::invalid("frame", error),
        DebugError::NoSuchClass(_) => ErrorType::ClassNotFound,
        DebugError::NoSuchMethod(..) => ErrorType::MethodNotFound,
    };
    Failure::new(error_type, error.to_string())
}

/// Where a kept process stands, with the frame that is asked for.
fn shown(image: &mut Image, tag: EvaluationTag, frame: usize) -> Outcome {
    let Some(kept) = image.debuggers.get_mut(tag) else {
        return Err(Failure::new(
            ErrorType::DebugSessionNotFound,
            "the evaluation has ended",
        ));
    };
    let mut result = DebugResult {
        state: DebugState::Running,
        debug_session_id: Some(kept.id.clone()),
        stack: Vec::new(),
        frame: None,
        value: None,
        breakpoints: None,
    };
    if !kept.running {
        let process = kept.process;
        result.state = DebugState::Suspended;
        show_stack(image, process, frame, &mut result)?;
    }
    Ok(value_of::<Debug>(&result))
}

fn show_stack(
    image: &mut Image,
    process: ProcessId,
    frame: usize,
    result: &mut DebugResult,
) -> Result<(), Failure> {
    let frames = image.vm.stack(process, MAX_FRAMES);
    let printer = Printer::new();
    if let Some(asked) = frames.get(frame) {
        result.frame = Some(whole_frame(image, &printer, asked));
    } else if frame > 0 {
        return Err(refused(&DebugError::NoSuchFrame(frame)));
    }
    for frame in &frames {
        result.stack.push(Frame {
            method: frame.text.clone(),
            line: frame.line as u64,
            receiver: Some(printer.print(image, frame.receiver, SHORT_PRINT)),
            ..Frame::default()
        });
    }
    Ok(())
}

fn whole_frame(image: &mut Image, printer: &Printer, frame: &vm::Frame) -> Frame {
    let locals = frame
        .locals
        .iter()
        .map(|(name, value)| Variable {
            name: name.clone(),
            class_name: class_name(image, *value),
            string_representation: printer.print(image, *value, SHORT_PRINT),
        })
        .collect();
    Frame {
        method: frame.text.clone(),
        line: frame.line as u64,
        source: Some(frame.source.clone()),
        receiver: Some(printer.print(image, frame.receiver, SHORT_PRINT)),
        locals: Some(locals),
    }
}

/// A kept process has come to a stand after a step: who waits is shown where.
pub(in crate::server) fn stands_still(image: &mut Image, tag: EvaluationTag) {
    let Some(kept) = image.debuggers.get_mut(tag) else {
        return;
    };
    kept.running = false;
    if kept.stopping.is_some() {
        let process = kept.process;
        image.vm.terminate(process, InterruptReason::User);
        return;
    }
    let waiters = std::mem::take(&mut kept.waiters);
    for waiter in waiters {
        let outcome = shown(image, tag, 0);
        image.settle(&waiter.request, outcome);
    }
}

/// A step takes longer than a reply waits.
pub(in crate::server) fn still_runs(image: &mut Image, request: &str, tag: EvaluationTag) {
    let outcome = shown(image, tag, 0);
    image.settle(request, outcome);
}

/// A kept process has ended: its debug session is over.
pub(in crate::server) fn ended(image: &mut Image, tag: EvaluationTag, outcome: vm::Outcome) {
    let Some(kept) = image.debuggers.remove(tag) else {
        return;
    };
    let tier = match &outcome {
        vm::Outcome::Interrupted { tier } | vm::Outcome::TimedOut { tier } => *tier,
        _ => vm::Tier::Signal,
    };
    let answer = end_of(image, &kept, outcome);
    for waiter in &kept.waiters {
        image.settle(&waiter.request, answer.clone());
    }
    let result = InterruptResult {
        tier: failures::tier(tier),
        evaluation_id: Some(kept.evaluation_id.clone()),
    };
    for request in &kept.interrupts {
        image.settle(request, Ok(value_of::<Interrupt>(&result)));
    }
    image.vm.end_children(tag);
    if kept.owns_workspace {
        image.doom(kept.workspace);
    } else {
        image.drop_doomed();
    }
}

fn end_of(image: &mut Image, kept: &DebugSession, outcome: vm::Outcome) -> Outcome {
    let mut result = DebugResult {
        state: DebugState::Finished,
        debug_session_id: Some(kept.id.clone()),
        stack: Vec::new(),
        frame: None,
        value: None,
        breakpoints: None,
    };
    match outcome {
        vm::Outcome::Finished { value, printed, .. } => {
            result.value = Some(printed);
            if result.value.as_deref() == Some("") {
                let value = image.vm.pinned(value);
                result.value = Some(Printer::new().print(image, value, VALUE_PRINT));
            }
            image.vm.unpin(value);
        }
        vm::Outcome::Failed(report) => {
            let told = Told {
                evaluation_id: kept.evaluation_id.clone(),
                ..Told::default()
            };
            return Err(failures::evaluation_error(&report, told));
        }
        _ => {}
    }
    Ok(value_of::<Debug>(&result))
}

/// Ends a kept process.
pub(in crate::server) fn terminate(image: &mut Image, tag: EvaluationTag) {
    let Some(kept) = image.debuggers.get_mut(tag) else {
        return;
    };
    if kept.stopping.is_none() {
        kept.stopping = Some(Escalation::terminated(
            InterruptReason::User,
            Instant::now(),
        ));
        let process = kept.process;
        image.vm.terminate(process, InterruptReason::User);
    }
}

/// Takes a process away that does not let itself be ended.
pub(in crate::server) fn abandon(image: &mut Image, tag: EvaluationTag) {
    if let Some(kept) = image.debuggers.get_mut(tag) {
        let process = kept.process;
        image.vm.abandon(process, InterruptReason::User);
    }
}

/// Stops a kept process that goes on; the request is answered when it has ended.
pub(super) fn interrupt(image: &mut Image, asked: &Asked, tag: EvaluationTag) -> Done {
    if let Some(kept) = image.debuggers.get_mut(tag) {
        kept.interrupts.push(asked.id.clone());
    }
    terminate(image, tag);
    Ok(Answer::Later)
}

/// An answer about breakpoints.
fn about_breakpoints(image: &mut Image, command: &Debug) -> Done {
    let mut result = DebugResult {
        state: DebugState::Finished,
        debug_session_id: command.debug_session_id.clone(),
        stack: Vec::new(),
        frame: None,
        value: None,
        breakpoints: Some(breakpoints::all(image)),
    };
    let session = command.session_id.as_deref();
    if let Ok(kept) = image
        .debuggers
        .find(command.debug_session_id.as_deref(), session)
    {
        result.state = if kept.running {
            DebugState::Running
        } else {
            DebugState::Suspended
        };
    }
    answer::<Debug>(&result)
}
