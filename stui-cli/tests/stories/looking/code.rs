//! Objects, classes, methods, tests.

use serde_json::json;

use super::answering;
use crate::cast::{Daemon, Stui, reply};

#[test]
fn an_object_is_itself_and_its_fields() {
    let daemon = answering(
        "inspect",
        json!({
            "object_id": "o-1",
            "object_info": {
                "class_name": "OrderedCollection", "hash": 17, "size": 3,
                "string_representation": "an OrderedCollection(1\n\t'日本' nil)",
            },
            "fields": [
                {"name": "firstIndex", "kind": "instance_variable", "class_name": "SmallInteger",
                 "string_representation": "1", "expandable": false},
                {"name": "2", "kind": "index", "class_name": "WideString",
                 "string_representation": "'日本'", "expandable": true},
            ],
            "instance_vars": {}, "total_fields": 5,
        }),
    );
    let ended = Stui::run(&daemon, &["inspect", "c", "--path", "a/2", "--limit", "2"]);
    assert_eq!(
        daemon.asked("inspect")["parameters"]["path"],
        json!(["a", 2])
    );
    insta::assert_snapshot!(ended.out, @r"
    an OrderedCollection(1 '日本' nil)
    OrderedCollection, size 3, hash 17

    FIELD       CLASS         VALUE
    firstIndex  SmallInteger  1
    2           WideString    '日本'
    … 3 more of 5
    ");
}

#[test]
fn a_class_is_its_variables_and_its_selectors_by_protocol() {
    let method =
        |name: &str, category: &str| json!({"name": name, "source": "", "category": category});
    let daemon = answering(
        "browse_class",
        json!({
            "class_info": {"name": "Point", "superclass": "Object", "package": "Kernel",
                           "comment": "I am a place.", "is_system": true},
            "instance_methods": [method("y", "accessing"), method("+", "arithmetic"),
                                 method("x", "accessing")],
            "class_methods": [method("x:y:", "instance creation")],
            "instance_vars": ["x", "y"], "class_vars": [], "subclasses": [], "traits": [],
        }),
    );
    let out = Stui::run(&daemon, &["browse", "Point"]).out;
    insta::assert_snapshot!(out, @r"
    Point < Object, package Kernel
      I am a place.
    instance variables
        x  y
    methods
      accessing
        x  y
      arithmetic
        +
    class methods
      instance creation
        x:y:
    ");
}

#[test]
fn classes_are_found_by_a_part_of_their_name() {
    let class = json!({"name": "OrderedCollection", "superclass": "SequenceableCollection",
                       "package": "Collections", "comment": "I grow.\rAnd shrink."});
    let daemon = answering(
        "list_classes",
        json!({"classes": [class], "total_count": 3}),
    );
    let ended = Stui::run(&daemon, &["classes", "Ordered"]);
    assert_eq!(
        daemon.asked("list_classes")["parameters"]["pattern"],
        "*Ordered*"
    );
    insta::assert_snapshot!(ended.out, @r"
    CLASS              SUPERCLASS              PACKAGE      COMMENT
    OrderedCollection  SequenceableCollection  Collections  I grow. And shrink.
    … 2 more
    ");
    let daemon = answering("list_classes", json!({"classes": [], "total_count": 0}));
    let ended = Stui::run(&daemon, &["classes", "Zz*"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert_eq!(daemon.asked("list_classes")["parameters"]["pattern"], "Zz*");
}

#[test]
fn a_method_is_its_source() {
    let daemon = answering(
        "get_method",
        json!({"method": {"name": "x", "source": "x\r\t^ x", "class_name": "Point"}}),
    );
    assert_eq!(
        Stui::run(&daemon, &["method", "Point class>>#x"]).out,
        "x\n\t^ x\n"
    );
    let asked = daemon.asked("get_method");
    assert_eq!(
        asked["parameters"],
        json!({"class_name": "Point", "method_name": "x", "is_class_method": true})
    );
}

#[test]
fn searches_list_methods_as_the_method_command_takes_them() {
    let daemon = answering(
        "search",
        json!({"total_count": 4, "methods": [
            {"class_name": "Set", "name": "add:", "source": ""},
            {"class_name": "Set", "name": "new", "source": "", "is_class_method": true},
        ]}),
    );
    let ended = Stui::run(&daemon, &["senders", "#grow"]);
    assert_eq!(ended.out, "Set>>add:\nSet class>>new\n… 2 more\n");
    assert_eq!(
        daemon.asked("search")["parameters"],
        json!({"kind": "senders", "text": "grow", "offset": 0})
    );
}

#[test]
fn tests_that_do_not_pass_are_shown_and_exit_1() {
    let daemon = Daemon::start(|request| match request["command"].as_str()? {
        "run_tests" => Some(vec![reply(
            request,
            &json!({"state": "running", "evaluation_id": "e-1"}),
        )]),
        "await" => Some(vec![reply(
            request,
            &json!({
                "state": "finished", "evaluation_id": "e-1", "passed": 3, "failed": 1, "errors": 0,
                "execution_time": 12.0, "problems": [{
                    "class_name": "SetTest", "method_name": "testAdd", "outcome": "failed",
                    "message": "Assertion failed", "stack": [{"method": "SetTest>>testAdd", "line": 3}],
                }],
            }),
        )]),
        _ => None,
    });
    let ended = Stui::run(&daemon, &["test", "SetTest>>testAdd"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        daemon.asked("run_tests")["parameters"]["method_name"],
        "testAdd"
    );
    insta::assert_snapshot!(ended.out, @r"
    failed SetTest>>testAdd: Assertion failed
      SetTest>>testAdd (line 3)
    3 passed, 1 failed, 0 errors
    ");
}

#[test]
fn ctrl_c_interrupts_tests() {
    let daemon = Daemon::start(|request| match request["command"].as_str()? {
        "run_tests" => Some(vec![reply(
            request,
            &json!({"state": "running", "evaluation_id": "e-1"}),
        )]),
        "await" => Some(Vec::new()),
        _ => None,
    });
    let stui = Stui::start(&daemon, &["test", "SlowTest"]);
    daemon.asked("await");
    stui.signal("INT");
    let asked = daemon.asked("interrupt");
    assert_eq!(asked["parameters"]["evaluation_id"], "e-1");
    assert_eq!(stui.end().code, Some(130));
}
