//! Running SUnit tests.

use serde_json::{Value, json};
use stui_protocol::ErrorType;
use stui_protocol::image::{FileIn, RunTests, TestReport};
use stui_tests::asking::new_id;
use stui_tests::{Asking, Image, ImageClient};

/// Defines a test class in a package of its own; answers its name (also the package's).
fn test_class(client: &ImageClient) -> String {
    let name = new_id("StuiStoryTest");
    let source = format!(
        "TestCase subclass: #{name} instanceVariableNames: 'ground' classVariableNames: '' \
         package: '{name}'!\n!{name} methodsFor: 'tests'!\nsetUp\n\tsuper setUp.\n\tground := 3! \
         testPasses\n\tself assert: ground + 4 equals: 7! testPassesToo\n\tself should: [1/0] \
         raise: ZeroDivide! testFails\n\tTranscript show: 'failing'.\n\tself assert: ground equals: \
         4! testBreaks\n\tnil frobnicate! testSkips\n\tself skip! !\n"
    );
    client.ask::<FileIn>(json!({"source": source}));
    name
}

fn run(client: &ImageClient, parameters: Value) -> TestReport {
    let id = new_id("tests");
    client
        .finish::<RunTests, _>(&id, parameters)
        .expect("a report")
}

#[test]
fn a_test_class_is_run_and_each_problem_is_told() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = test_class(&client);

    let report = run(&client, session.with(json!({"class_name": class})));

    let counts = (report.passed, report.failed, report.errors, report.skipped);
    assert_eq!(counts, (2, 1, 1, 1), "{report:#?}");
    assert!(report.output.contains("failing"));
    let problem = |name: &str| {
        let found = report
            .problems
            .iter()
            .find(|problem| problem.method_name == name);
        found.unwrap_or_else(|| panic!("no {name} in {report:#?}"))
    };
    assert_eq!(problem("testFails").outcome, "failed");
    assert!(
        problem("testFails").message.contains('4'),
        "{:?}",
        problem("testFails")
    );
    assert_eq!(problem("testBreaks").outcome, "error");
    assert!(problem("testBreaks").message.contains("frobnicate"));
    assert!(!problem("testBreaks").stack.is_empty());
    assert_eq!(problem("testBreaks").class_name, class);
}

#[test]
fn tests_are_run_one_by_one_by_package_and_by_pattern() {
    let image = Image::shared();
    let client = image.client();
    let class = test_class(&client);

    let one = run(
        &client,
        json!({"class_name": class, "method_name": "testPasses"}),
    );
    let package = run(&client, json!({"package": class}));
    let pattern = run(&client, json!({"pattern": format!("{class}*")}));

    assert_eq!((one.passed, one.problems.len()), (1, 0));
    assert_eq!((package.passed, package.failed, package.errors), (2, 1, 1));
    assert_eq!((pattern.passed, pattern.failed, pattern.errors), (2, 1, 1));
}

#[test]
fn tests_that_never_end_are_stopped() {
    let image = Image::shared();
    let client = image.client();
    let name = new_id("StuiStoryTest");
    let source = format!(
        "TestCase subclass: #{name} instanceVariableNames: '' classVariableNames: '' package: \
         '{name}'!\n!{name} methodsFor: 'tests'!\ntestLoops\n\t[true] whileTrue! !\n"
    );
    client.ask::<FileIn>(json!({"source": source}));

    let parameters = json!({"class_name": name, "timeout_ms": 300});
    let outcome = client.finish::<RunTests, TestReport>(&new_id("tests"), parameters);

    assert_eq!(
        outcome.expect_err("no report").error_type,
        ErrorType::Timeout
    );
}

#[test]
fn tests_that_are_not_there_are_said_so() {
    let image = Image::shared();
    let client = image.client();
    let class = test_class(&client);

    let nothing = client.refused::<RunTests>(json!({}));
    let nobody = client.refused::<RunTests>(json!({"class_name": "NoSuchClassAtAll"}));
    let no_method =
        client.refused::<RunTests>(json!({"class_name": class, "method_name": "testNothing"}));

    assert_eq!(nothing.error_type, ErrorType::MissingParameter);
    assert_eq!(nobody.error_type, ErrorType::ClassNotFound);
    assert_eq!(no_method.error_type, ErrorType::MethodNotFound);
}
