//! Looking into objects: fields, paths, paging, the registry.

use serde_json::json;
use stui_protocol::ErrorType;
use stui_protocol::image::{FieldKind, Inspect, InspectResult, ReleaseObject};
use stui_tests::Image;

use super::new_class;

fn names(result: &InspectResult) -> Vec<&str> {
    result
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect()
}

#[test]
fn an_expression_is_looked_into() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("x := 3");

    let point = session.ask::<Inspect>(json!({"target": "x @ 4"}));

    assert_eq!(point.object_info.class_name, "Point");
    assert_eq!(point.object_info.string_representation, "(3@4)");
    assert_eq!(point.instance_vars["x"], "3");
    assert_eq!(point.instance_vars["y"], "4");
    let x = point
        .fields
        .iter()
        .find(|field| field.name == "x")
        .expect("x");
    assert_eq!(x.kind, FieldKind::InstanceVariable);
    assert_eq!(
        (x.class_name.as_str(), x.string_representation.as_str()),
        ("SmallInteger", "3")
    );
    assert!(!x.expandable);
    assert!(point.total_fields >= 2);
}

#[test]
fn the_parts_of_an_array_are_paged() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    session.value("squares := (1 to: 250) asArray collect: [:n | n * n]");
    let look = |more| session.ask::<Inspect>(more);

    let first = look(json!({"target": "squares"}));
    let page = look(json!({"target": "squares", "offset": 240, "limit": 100}));
    let none = look(json!({"target": "squares", "offset": 1000}));

    assert_eq!(first.object_info.size, 250);
    assert_eq!((first.fields.len(), first.total_fields), (100, 250));
    assert_eq!(
        names(&page),
        [
            "241", "242", "243", "244", "245", "246", "247", "248", "249", "250"
        ]
    );
    assert_eq!(page.fields[9].string_representation, "62500");
    assert_eq!(page.fields[9].kind, FieldKind::Index);
    assert_eq!((none.fields.len(), none.total_fields), (0, 250));
}

#[test]
fn a_result_is_looked_into_by_its_id_until_it_is_released() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let object_id = session
        .evaluated("Array with: 1 with: #two")
        .object_id
        .expect("an id");

    let array = session.ask::<Inspect>(json!({"object_id": object_id}));
    let released = session.ask::<ReleaseObject>(json!({"object_id": object_id}));
    let gone = session.refused::<Inspect>(json!({"object_id": object_id}));
    let again = session.refused::<ReleaseObject>(json!({"object_id": object_id}));

    assert_eq!(array.object_info.string_representation, "#(1 #two)");
    assert!(released.released);
    assert_eq!(gone.error_type, ErrorType::ObjectNotFound);
    assert_eq!(again.error_type, ErrorType::ObjectNotFound);
}

#[test]
fn a_path_leads_through_fields_and_indexes() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(&session, "inner", &["inner: x inner := x"]);
    session.value(&format!(
        "outer := {class} new. outer inner: (Array with: 7 with: 3@4)"
    ));

    let x = session.ask::<Inspect>(json!({"target": "outer", "path": ["inner", 2, "x"]}));
    let astray = session.refused::<Inspect>(json!({"target": "outer", "path": ["inner", 9]}));

    assert_eq!(x.object_info.string_representation, "3");
    assert_eq!(astray.error_type, ErrorType::ObjectNotFound);
}

#[test]
fn the_entries_of_a_dictionary_are_named_by_their_keys() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let target = "Dictionary new at: #one put: 1; at: #two put: 2; yourself";
    let dictionary = session.ask::<Inspect>(json!({"target": target}));

    let one = dictionary
        .fields
        .iter()
        .find(|field| field.kind == FieldKind::Key && field.name == "#one")
        .unwrap_or_else(|| panic!("no #one in {dictionary:#?}"));
    assert_eq!(one.string_representation, "1");
}

#[test]
fn more_levels_are_shown_on_demand() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let one = session.ask::<Inspect>(json!({"target": "1 -> (2 @ 3)"}));
    let two = session.ask::<Inspect>(json!({"target": "1 -> (2 @ 3)", "depth": 2}));

    let value = |result: &InspectResult| {
        result
            .fields
            .iter()
            .find(|field| field.name == "value")
            .cloned()
            .expect("value")
    };
    assert!(value(&one).expandable);
    assert_eq!(value(&one).fields, None);
    let inner = value(&two).fields.expect("fields of the point");
    assert!(
        inner
            .iter()
            .any(|field| field.name == "y" && field.string_representation == "3")
    );
}

#[test]
fn an_expression_that_fails_or_is_none_is_told_as_an_evaluation_would() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();

    let failing = session.refused::<Inspect>(json!({"target": "1/0"}));
    let wrong = session.refused::<Inspect>(json!({"target": "3 +"}));
    let neither = session.refused::<Inspect>(json!({}));
    let unknown = session.refused::<Inspect>(json!({"object_id": "none such"}));

    assert_eq!(failing.error_type, ErrorType::EvaluationError);
    assert_eq!(wrong.error_type, ErrorType::SyntaxError);
    assert_eq!(neither.error_type, ErrorType::MissingParameter);
    assert_eq!(unknown.error_type, ErrorType::ObjectNotFound);
}

#[test]
fn an_object_that_cannot_print_itself_can_still_be_looked_into() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let class = new_class(
        &session,
        "a",
        &["printOn: aStream self error: 'unprintable'", "a: x a := x"],
    );
    session.value(&format!("odd := {class} new. odd a: 5. nil"));

    let odd = session.ask::<Inspect>(json!({"target": "odd"}));

    assert_eq!(odd.object_info.class_name, class);
    assert_eq!(odd.instance_vars["a"], "5");
}

#[test]
fn an_object_is_looked_into_while_its_session_runs() {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let object_id = session.evaluated("held := 3@4").object_id.expect("an id");
    session.start("[true] whileTrue");

    let point = session.ask::<Inspect>(json!({"object_id": object_id}));

    assert_eq!(point.instance_vars["x"], "3");
    session.ask::<stui_protocol::image::Interrupt>(json!({}));
}
