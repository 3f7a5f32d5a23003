//! Classes and methods that change while they are used.

use stui_embedded::vm::{ChangeError, ClassDefinition};

use crate::cast::Image;

fn point() -> Image {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Spot instanceVariableNames: 'x y' classVariableNames: 'Count' package: 'T'",
        &["x ^ x", "x: a x := a", "y ^ y", "y: a y := a", "count ^ Count ifNil: [ Count := 1 ]"],
    );
    image
}

#[test]
fn instances_keep_their_slots_by_name() {
    let mut image = point();
    image.eval("s := Spot new x: 1; y: 2; yourself");

    image.eval("Object subclass: #Spot instanceVariableNames: 'z y' classVariableNames: 'Count' package: 'T'");

    assert_eq!(image.eval("s y"), "2");
    assert_eq!(image.eval("s instVarNamed: 'z'"), "nil");
    assert_eq!(image.eval("Spot instVarNames"), "#(#z #y)");
    assert_eq!(image.eval("s class == Spot"), "true");
}

#[test]
fn a_class_that_changes_under_a_running_method_is_safe() {
    let mut image = point();
    let class = image.vm.find_class("Spot").unwrap();
    let method = "shrink x := 1. y := 2.
        Object subclass: #Spot instanceVariableNames: '' classVariableNames: '' package: 'T'.
        x := 3. y := 4. ^ x -> y";
    image
        .vm
        .compile_method(class, false, method, "test")
        .unwrap();

    assert_eq!(image.eval("Spot new shrink"), "nil->nil");
}

#[test]
fn subclasses_follow_their_superclass() {
    let mut image = point();
    image.define(
        "Spot subclass: #Blot instanceVariableNames: 'size' classVariableNames: '' package: 'T'",
        &["size ^ size", "size: a size := a"],
    );
    image.eval("b := Blot new x: 1; size: 9; yourself");

    image.eval("Object subclass: #Spot instanceVariableNames: 'color x y' classVariableNames: 'Count' package: 'T'");

    assert_eq!(
        image.eval("{ b x. b size. b instVarNamed: 'color' }"),
        "#(1 9 nil)"
    );
    assert_eq!(image.eval("Blot allInstVarNames"), "#(#color #x #y #size)");
}

#[test]
fn class_variables_are_shared_and_kept() {
    let mut image = point();

    assert_eq!(image.eval("Spot new count"), "1");
    image.eval("Spot addClassVarNamed: 'Other'");

    assert_eq!(image.eval("Spot classVarNamed: 'Count'"), "1");
    assert_eq!(image.eval("Spot classVarNames"), "#(#Count #Other)");
}

#[test]
fn class_side_methods_and_variables_work() {
    let mut image = point();
    image.eval("Spot class instanceVariableNames: 'default'");
    image.eval("Spot class compile: 'default ^ default ifNil: [ default := self new ]'");

    assert_eq!(image.eval("Spot default == Spot default"), "true");
    assert_eq!(image.eval("Spot class instVarNames"), "#(#default)");
    assert_eq!(image.eval("Spot class selectors"), "#(#default)");
}

#[test]
fn the_fluid_form_defines_with_install_only() {
    let mut image = Image::new();
    assert_eq!(
        image.eval(
            "Object << #Nest slots: { #a. #b }; sharedVariables: { #C }; tag: 'X'; package: 'Birds'"
        ),
        "a FluidClassBuilder (send it install to define Nest)"
    );
    assert!(image.vm.find_class("Nest").is_none());

    image.eval("(Object << #Nest slots: { #a. #b }; sharedVariables: { #C }; tag: 'X'; package: 'Birds') install");

    let info = image.vm.class_info(image.vm.find_class("Nest").unwrap());
    assert_eq!(info.instance_vars, ["a", "b"]);
    assert_eq!(info.class_vars, ["C"]);
    assert_eq!(info.package, "Birds");
    assert!(!info.is_system);
    let definition = image.eval("Nest definitionString");
    assert!(
        definition.contains("sharedVariables: { #C }"),
        "{definition}"
    );
}

#[test]
fn what_cannot_be_defined_is_refused_with_a_reason() {
    let mut image = point();
    let refused = [
        "Object subclass: #lower instanceVariableNames: '' classVariableNames: '' package: 'T'",
        "Object subclass: #Twice instanceVariableNames: 'a a' classVariableNames: '' package: 'T'",
        "Object subclass: #Self instanceVariableNames: 'self' classVariableNames: '' package: 'T'",
        "Object subclass: #Transcript instanceVariableNames: '' classVariableNames: '' package: 'T'",
        "Object subclass: #SmallInteger instanceVariableNames: 'x' classVariableNames: '' package: 'T'",
        "Spot subclass: #Spot instanceVariableNames: '' classVariableNames: '' package: 'T'",
    ];
    for definition in refused {
        assert_eq!(
            image.failure(definition).class,
            "IllegalName",
            "{definition}"
        );
    }
    let unknown = ClassDefinition {
        superclass: "Zork".to_owned(),
        ..ClassDefinition::default()
    };
    assert_eq!(
        image.vm.define_class(&unknown),
        Err(ChangeError::NoSuchClass("Zork".to_owned()))
    );
}

#[test]
fn a_method_that_does_not_compile_leaves_the_old_one() {
    let mut image = point();
    let class = image.vm.find_class("Spot").unwrap();

    let refused = image.vm.compile_method(class, false, "x ^ ^", "test");

    assert!(matches!(refused, Err(ChangeError::Syntax(_))));
    assert_eq!(image.eval("Spot new x: 4; x"), "4");
}

#[test]
fn a_method_may_name_a_class_that_comes_later() {
    let mut image = point();
    let class = image.vm.find_class("Spot").unwrap();
    image
        .vm
        .compile_method(class, false, "later ^ Later new", "test")
        .unwrap();
    assert_eq!(
        image.failure("Spot new later").class,
        "UndeclaredVariableRead"
    );

    image.eval(
        "Object subclass: #Later instanceVariableNames: '' classVariableNames: '' package: 'T'",
    );

    assert_eq!(image.eval("Spot new later"), "a Later");
}

#[test]
fn removed_methods_and_classes_are_gone() {
    let mut image = point();
    image.eval("Spot removeSelector: #x");
    assert_eq!(image.failure("Spot new x").class, "MessageNotUnderstood");
    image.eval("s := Spot new");

    image.eval("Spot removeFromSystem");

    assert!(image.vm.find_class("Spot").is_none());
    assert_eq!(image.eval("s y: 3; y"), "3");
    assert_eq!(image.failure("Object removeFromSystem").class, "Error");
}

#[test]
fn the_superclass_can_change() {
    let mut image = point();
    image.define(
        "Object subclass: #Base instanceVariableNames: 'b' classVariableNames: '' package: 'T'",
        &["b ^ #b"],
    );
    image.eval("s := Spot new x: 1; yourself");

    image.eval(
        "Base subclass: #Spot instanceVariableNames: 'x y' classVariableNames: '' package: 'T'",
    );

    assert_eq!(
        image.eval("{ s b. s x. s class superclass. Object subclasses includes: Spot }"),
        "{#b. 1. Base. false}"
    );
}
