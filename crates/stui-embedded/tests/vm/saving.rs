//! Values that are written and read again, in the same image or another.

use proptest::prelude::*;
use stui_embedded::vm::LoadError;

use crate::cast::Image;

const LARGE: usize = 1 << 20;

/// Evaluates, dumps, loads into `target` as variable `back`.
fn carry(source: &mut Image, target: &mut Image, code: &str) {
    source.eval(&format!("out := ({code})"));
    let bytes = source.vm.dump(source.variable("out"), LARGE).unwrap();
    let value = target.vm.load(&bytes).unwrap();
    target.vm.set_variable(target.workspace, "back", value);
}

#[test]
fn values_of_every_kind_come_back() {
    let (mut source, mut target) = (Image::new(), Image::new());
    let values = [
        "nil",
        "true",
        "42",
        "-7",
        "1.5",
        "$x",
        "'it''s'",
        "#foo",
        "100 factorial",
        "100 factorial negated",
        "#(1 2 #(3 $a) nil)",
        "#[1 2 255]",
        "3/4",
        "1 -> 2",
        "3 @ 4",
        "OrderedCollection with: 1 with: 'two'",
        "(1 to: 5) asArray",
        "Set new add: #a; yourself",
        "Object",
        "Object class",
        "Float nan",
        "'ünï → 😀'",
    ];
    for code in values {
        carry(&mut source, &mut target, code);
        let (there, back) = (
            source.eval("out printString"),
            target.eval("back printString"),
        );
        assert_eq!(there, back, "{code}");
    }
}

#[test]
fn dictionaries_find_their_keys_again() {
    let (mut source, mut target) = (Image::new(), Image::new());
    let code = "(1 to: 50) inject: IdentityDictionary new
        into: [ :d :i | d at: i printString asSymbol put: i. d ]";
    carry(&mut source, &mut target, code);

    assert_eq!(target.eval("back at: #'17'"), "17");
    assert_eq!(target.eval("back size"), "50");
}

#[test]
fn identity_within_a_graph_is_kept_also_in_circles() {
    let (mut source, mut target) = (Image::new(), Image::new());
    source.eval("a := Array new: 2. a at: 1 put: a; at: 2 put: a");
    carry(&mut source, &mut target, "a");

    assert_eq!(
        target.eval("back == (back at: 1) and: [ back == (back at: 2) ]"),
        "true"
    );
}

#[test]
fn transcript_and_its_like_stay_the_only_ones() {
    let (mut source, mut target) = (Image::new(), Image::new());
    carry(
        &mut source,
        &mut target,
        "{ Transcript. Smalltalk. Processor }",
    );

    assert_eq!(target.eval("back first == Transcript"), "true");
}

#[test]
fn instances_find_their_class_by_name_and_slots_by_name() {
    let (mut source, mut target) = (Image::new(), Image::new());
    source.eval(
        "Object subclass: #Spot instanceVariableNames: 'x y' classVariableNames: '' package: 'T'",
    );
    source.eval("s := Spot new instVarNamed: 'x' put: 1; instVarNamed: 'y' put: 2; yourself");
    let bytes = source.vm.dump(source.variable("s"), LARGE).unwrap();

    assert_eq!(
        target.vm.load(&bytes).err(),
        Some(LoadError::ClassMissing("Spot".to_owned()))
    );
    target.eval(
        "Object subclass: #Spot instanceVariableNames: 'z y' classVariableNames: '' package: 'T'",
    );
    let value = target.vm.load(&bytes).unwrap();
    target.vm.set_variable(target.workspace, "s", value);

    assert_eq!(
        target.eval("{ s instVarNamed: 'y'. s instVarNamed: 'z' }"),
        "#(2 nil)"
    );
}

#[test]
fn what_is_bound_to_the_image_is_refused_with_its_name() {
    let mut image = Image::new();
    let refused = [
        ("[ 3 ]", "it holds a BlockClosure"),
        ("thisContext", "it holds a Context"),
        ("Processor activeProcess", "it holds a Process"),
        ("Semaphore new", "it holds a Semaphore"),
        ("Delay forSeconds: 1", "it holds a Delay"),
        ("Array with: [ 3 ]", "it holds a BlockClosure"),
        ("Object >> #yourself", "it holds a CompiledMethod"),
        ("Array new: 2000000", "it is larger than 1048576 bytes"),
    ];
    for (code, reason) in refused {
        image.eval(&format!("out := ({code})"));
        let refusal = image.vm.dump(image.variable("out"), LARGE).unwrap_err();
        assert_eq!(refusal.reason, reason, "{code}");
    }
}

#[test]
fn damaged_bytes_are_told_from_good_ones() {
    let mut image = Image::new();
    image.eval("out := { 'abc'. #(1 2 3). 2 raisedTo: 100. 3/4 }");
    let bytes = image.vm.dump(image.variable("out"), LARGE).unwrap();

    for length in 0..bytes.len() {
        assert!(image.vm.load(&bytes[..length]).is_err(), "{length}");
    }
    let image = std::cell::RefCell::new(image);
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) }, |(place in 0..bytes.len(), byte: u8)| {
        let mut changed = bytes.clone();
        changed[place] = byte;
        // Whatever it is, it is read or refused, and the image goes on.
        let _ = image.borrow_mut().vm.load(&changed);
    });
    assert_eq!(image.borrow_mut().eval("3 + 4"), "7");
}
