//! How evaluations end, in the words of the protocol.

use stui_protocol::error::EvaluationErrorDetails;
use stui_protocol::image::{Frame, SyntaxErrorDetails, Tier};
use stui_protocol::{ErrorType, Failure};

use super::evaluations::Evaluation;
use crate::vm::{self, ErrorReport, FrameText, SyntaxError};

/// What every failure of an evaluation tells.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) evaluation_id: String,
    pub(super) output: String,
    pub(super) truncated: bool,
    pub(super) execution_time: f64,
    pub(super) debug_session_id: Option<String>,
    /// Where it was, when it was stopped.
    pub(super) stopped_in: Vec<FrameText>,
}

impl Told {
    /// What an evaluation that ends now tells.
    pub(super) fn of(evaluation: &Evaluation) -> Self {
        Self {
            evaluation_id: evaluation.id.clone(),
            output: evaluation.output.text().to_owned(),
            truncated: evaluation.output.is_truncated(),
            execution_time: evaluation.age_ms(std::time::Instant::now()),
            debug_session_id: None,
            stopped_in: evaluation.stopped_in.clone(),
        }
    }

    fn details(self, report: Option<&ErrorReport>) -> EvaluationErrorDetails {
        EvaluationErrorDetails {
            evaluation_id: Some(self.evaluation_id),
            class: report
                .map(|report| report.class.clone())
                .unwrap_or_default(),
            receiver: report
                .map(|report| report.receiver.clone())
                .unwrap_or_default(),
            stack: frames(report.map_or(&self.stopped_in, |report| &report.stack)),
            debug_session_id: self.debug_session_id,
            output: self.output,
            truncated: self.truncated,
            execution_time: self.execution_time,
        }
    }
}

/// Code that does not compile.
pub(super) fn syntax_error(error: &SyntaxError, source: &str) -> Failure {
    let details = SyntaxErrorDetails {
        message: error.message.clone(),
        position: error.position,
        line: error.line,
        column: error.column,
        source: source.to_owned(),
    };
    Failure::new(
        ErrorType::SyntaxError,
        format!(
            "{} (line {}, column {})",
            error.message, error.line, error.column
        ),
    )
    .with_details(&details)
}

/// An unhandled error.
pub(super) fn evaluation_error(report: &ErrorReport, told: Told) -> Failure {
    Failure::new(ErrorType::EvaluationError, sentence(report))
        .with_details(&told.details(Some(report)))
}

/// The evaluation was stopped by somebody.
pub(super) fn interrupted(tier: vm::Tier, told: Told) -> Failure {
    Failure::new(ErrorType::Interrupted, "the evaluation was interrupted")
        .with_details(&told.details(None))
        .with("tier", tier_name(tier))
}

/// The evaluation ran longer than it might.
pub(super) fn timed_out(timeout_ms: Option<u64>, tier: vm::Tier, told: Told) -> Failure {
    let text = match timeout_ms {
        Some(ms) => format!("the evaluation ran longer than {ms} ms and was stopped"),
        None => "the evaluation ran too long and was stopped".to_owned(),
    };
    let mut failure = Failure::new(ErrorType::Timeout, text)
        .with_details(&told.details(None))
        .with("tier", tier_name(tier));
    if let Some(ms) = timeout_ms {
        failure = failure.with("timeout_ms", ms);
    }
    failure
}

/// The evaluation's process ended itself without a value.
pub(super) fn terminated(told: Told) -> Failure {
    Failure::new(
        ErrorType::EvaluationError,
        "the evaluation terminated its own process",
    )
    .with_details(&told.details(None))
}

/// How a process ended that gave no value.
pub(super) fn of_outcome(outcome: &vm::Outcome, timeout_ms: Option<u64>, told: Told) -> Failure {
    match outcome {
        vm::Outcome::Failed(report) => evaluation_error(report, told),
        vm::Outcome::Interrupted { tier } => interrupted(*tier, told),
        vm::Outcome::TimedOut { tier } => timed_out(timeout_ms, *tier, told),
        vm::Outcome::Terminated | vm::Outcome::Finished { .. } => terminated(told),
    }
}

/// `ZeroDivide`, `Error: text`: the class, and the text when it says more.
pub(super) fn sentence(report: &ErrorReport) -> String {
    if report.message.is_empty() || report.message == report.class {
        report.class.clone()
    } else {
        format!("{}: {}", report.class, report.message)
    }
}

/// A stack on the wire.
pub(super) fn frames(stack: &[FrameText]) -> Vec<Frame> {
    stack
        .iter()
        .map(|frame| Frame {
            method: frame.text.clone(),
            line: frame.line as u64,
            ..Frame::default()
        })
        .collect()
}

/// A tier on the wire.
pub(super) fn tier(tier: vm::Tier) -> Tier {
    match tier {
        vm::Tier::Signal => Tier::Signal,
        vm::Tier::Terminate => Tier::Terminate,
        vm::Tier::Abandon => Tier::Abandon,
        vm::Tier::Idle => Tier::Idle,
    }
}

fn tier_name(tier: vm::Tier) -> &'static str {
    match tier {
        vm::Tier::Signal => "signal",
        vm::Tier::Terminate => "terminate",
        vm::Tier::Abandon => "abandon",
        vm::Tier::Idle => "idle",
    }
}
