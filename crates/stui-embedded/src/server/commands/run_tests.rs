//! `run_tests`: a job that runs SUnit tests one after the other, each in a process of its own.
//!
//! So a test that breaks has its stack told, and one that loops is interrupted like any other
//! code.

use std::collections::VecDeque;

use serde_json::to_value;
use stui_protocol::image::{Job, RunTests, TestProblem, TestReport};
use stui_protocol::{ErrorType, Failure, Outcome};

use super::browse::{check_pattern, find};
use super::evaluate::{Place, allowed_time, answer_job};
use super::evaluation_status::known;
use super::methods::method_not_found;
use super::{Asked, Done};
use crate::server::evaluations::{Evaluation, Work};
use crate::server::failures::{self, Told};
use crate::server::glob;
use crate::server::image::{Image, Next, Run};
use crate::vm::{self, ClassInfo, ErrorReport};

/// The root of all test classes.
const ROOT: &str = "TestCase";

/// Most problems told; their number is always right.
const MAX_PROBLEMS: usize = 200;

/// Deepest chain of superclasses that is walked.
const MAX_CHAIN: usize = 100;

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    class: String,
    selector: String,
}

/// A run under way.
#[derive(Debug, Default)]
pub(in crate::server) struct TestRun {
    left: VecDeque<Test>,
    current: Option<Test>,
    passed: u64,
    failed: u64,
    errors: u64,
    skipped: u64,
    problems: Vec<TestProblem>,
}

/// `run_tests`.
pub(super) fn run(image: &mut Image, asked: &Asked, command: &RunTests) -> Done {
    if image.evaluations.knows(&asked.id) {
        return known(image, asked, &asked.id, command.wait_ms, None);
    }
    let run = TestRun {
        left: tests(image, command)?.into(),
        ..TestRun::default()
    };
    let timeout_ms = allowed_time(image, asked, command.timeout_ms);
    let place = Place::find(image, command.session_id.as_deref())?;
    let title = title(command, run.left.len());
    let mut evaluation = image
        .new_evaluation(&asked.id, Work::Tests(run))
        .timing_out(timeout_ms);
    place.take(&mut evaluation, command.session_id.clone());
    let tag = evaluation.tag;
    match start_next(image, &mut evaluation) {
        Next::Going => {
            image.begin(evaluation, &title);
            answer_job(image, asked, tag, command.wait_ms)
        }
        // Nothing to run: it ends as it begins.
        Next::Done(outcome) => {
            image.begin(evaluation, &title);
            if let Some(evaluation) = image.evaluations.remove(tag) {
                image.finish(evaluation, &outcome, None);
            }
            outcome.map(super::Answer::Now)
        }
    }
}

fn title(command: &RunTests, count: usize) -> String {
    let of = [&command.class_name, &command.package, &command.pattern];
    let of = of.into_iter().flatten().next().map_or("", String::as_str);
    format!("\"{count} tests of {of}\"")
}

/// The tests that are asked for.
fn tests(image: &Image, command: &RunTests) -> Result<Vec<Test>, Failure> {
    if let Some(class_name) = &command.class_name {
        return tests_of_class(image, class_name, command.method_name.as_deref());
    }
    let chosen: Box<dyn Fn(&ClassInfo) -> bool> = match (&command.package, &command.pattern) {
        (Some(package), _) => Box::new(move |class| class.package == *package),
        (None, Some(pattern)) => {
            check_pattern(pattern)?;
            Box::new(move |class| glob::matches(pattern, &class.name))
        }
        (None, None) => return Err(Failure::missing("run_tests", "class_name")),
    };
    let classes = image.vm.classes().into_iter().filter(|class| chosen(class));
    Ok(classes.flat_map(|class| selectors(image, class)).collect())
}

fn tests_of_class(
    image: &Image,
    class_name: &str,
    method_name: Option<&str>,
) -> Result<Vec<Test>, Failure> {
    let class = find(image, class_name)?;
    let info = image.vm.class_info(class);
    if chain(image, info.clone()).is_none() {
        let why = format!("{class_name} is no subclass of {ROOT}");
        return Err(Failure::invalid("class_name", why));
    }
    let mut tests = selectors(image, info);
    if let Some(method_name) = method_name {
        tests.retain(|test| test.selector == method_name);
        if tests.is_empty() {
            return Err(method_not_found(class_name, method_name));
        }
    }
    Ok(tests)
}

/// The tests of one class, inherited ones included, as SUnit finds them: unary selectors that
/// begin with `test`. None for what is no test class.
fn selectors(image: &Image, class: ClassInfo) -> Vec<Test> {
    let name = class.name.clone();
    let Some(chain) = chain(image, class) else {
        return Vec::new();
    };
    let mut selectors: Vec<String> = chain
        .iter()
        .filter_map(|class| image.vm.find_class(class))
        .flat_map(|class| image.vm.methods(class, false))
        .map(|method| method.selector)
        .filter(|selector| selector.starts_with("test") && !selector.contains(':'))
        .collect();
    selectors.sort();
    selectors.dedup();
    selectors
        .into_iter()
        .map(|selector| Test {
            class: name.clone(),
            selector,
        })
        .collect()
}

/// The class and its superclasses below the root of all tests; none when that is not above.
fn chain(image: &Image, class: ClassInfo) -> Option<Vec<String>> {
    let mut names = vec![class.name];
    let mut above = class.superclass;
    while names.len() < MAX_CHAIN {
        let name = above?;
        if name == ROOT {
            return Some(names);
        }
        let superclass = image.vm.class_info(image.vm.find_class(&name)?);
        names.push(name);
        above = superclass.superclass;
    }
    None
}

/// Starts the next test, or ends the run.
fn start_next(image: &mut Image, evaluation: &mut Evaluation) -> Next {
    let Work::Tests(run) = &mut evaluation.work else {
        return Next::Done(Err(defect()));
    };
    run.current = run.left.pop_front();
    let Some(test) = run.current.clone() else {
        return Next::Done(report(evaluation));
    };
    let source = format!("({} selector: #{}) runCase", test.class, test.selector);
    match image
        .vm
        .compile_expression(Some(evaluation.workspace), &source)
    {
        Ok(code) => {
            evaluation.process = image.spawn(evaluation, &code, Run::default());
            Next::Going
        }
        Err(error) => Next::Done(Err(failures::syntax_error(&error, &source))),
    }
}

/// A test has ended: it is counted and the next one begins. A run that is stopped ends.
pub(in crate::server) fn test_ended(
    image: &mut Image,
    evaluation: &mut Evaluation,
    outcome: &vm::Outcome,
) -> Next {
    // What a test forked must not disturb the next one.
    image.vm.end_children(evaluation.tag);
    let Work::Tests(run) = &mut evaluation.work else {
        return Next::Done(Err(defect()));
    };
    let none = ErrorReport::default();
    match outcome {
        vm::Outcome::Finished { value, .. } => {
            image.vm.unpin(*value);
            run.passed += 1;
        }
        vm::Outcome::Failed(error) => run.count_problem(error),
        vm::Outcome::Terminated => run.count_problem(&ErrorReport {
            class: "Error".to_owned(),
            message: "the test terminated its own process".to_owned(),
            ..none
        }),
        vm::Outcome::Interrupted { .. } | vm::Outcome::TimedOut { .. } => {
            let told = Told::of(evaluation);
            return Next::Done(Err(failures::of_outcome(
                outcome,
                evaluation.timeout_ms,
                told,
            )));
        }
    }
    if evaluation.stopping.is_some() {
        // The test swallowed the signal; the run ends all the same.
        let told = Told::of(evaluation);
        let tier = vm::Tier::Signal;
        let reason = evaluation.stopping.as_ref().map(|stopping| stopping.reason);
        return Next::Done(Err(match reason {
            Some(vm::InterruptReason::Timeout) => {
                failures::timed_out(evaluation.timeout_ms, tier, told)
            }
            _ => failures::interrupted(tier, told),
        }));
    }
    start_next(image, evaluation)
}

impl TestRun {
    fn count_problem(&mut self, error: &ErrorReport) {
        let outcome = match error.class.as_str() {
            "TestFailure" | "AssertionFailure" => {
                self.failed += 1;
                "failed"
            }
            "TestSkipped" => {
                self.skipped += 1;
                "skipped"
            }
            _ => {
                self.errors += 1;
                "error"
            }
        };
        let Some(test) = self.current.take() else {
            return;
        };
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(TestProblem {
                class_name: test.class,
                method_name: test.selector,
                outcome: outcome.to_owned(),
                message: failures::sentence(error),
                stack: failures::frames(&error.stack),
            });
        }
    }
}

fn report(evaluation: &mut Evaluation) -> Outcome {
    let told = Told::of(evaluation);
    let Work::Tests(run) = &mut evaluation.work else {
        return Err(defect());
    };
    let report = TestReport {
        evaluation_id: told.evaluation_id,
        passed: run.passed,
        failed: run.failed,
        errors: run.errors,
        skipped: run.skipped,
        execution_time: told.execution_time,
        output: told.output,
        problems: std::mem::take(&mut run.problems),
    };
    Ok(to_value(Job::Finished(report)).unwrap_or_default())
}

fn defect() -> Failure {
    Failure::new(ErrorType::InternalError, "this is no test run")
}
