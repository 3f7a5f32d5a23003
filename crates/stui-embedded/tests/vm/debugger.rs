//! The debugger: a stack that is held, steps, breakpoints.

use stui_embedded::value::Value;
use stui_embedded::vm::{DebugError, OnError, Outcome, ProcessId, ProcessState, Step, VmEvent};

use crate::cast::Image;

fn duck() -> Image {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Duck instanceVariableNames: 'n' classVariableNames: '' package: 'T'",
        &[
            "half: x | y | y := x / 2. ^ y + 1",
            "fail: x | t | t := x + 1. ^ t / 0",
            "count n := 0. #(1 2 3) do: [ :each | n := n + each ]. ^ n",
        ],
    );
    image
}

fn held(image: &mut Image, code: &str) -> ProcessId {
    let process = image.start_as(code, OnError::Debug);
    image.suspension_of(process);
    process
}

fn step(image: &mut Image, process: ProcessId, step: Step) {
    image.vm.step(process, step).unwrap();
    image.wait_for(|event| match event {
        VmEvent::Stepped { .. } => Some(()),
        other => panic!("{other:?}"),
    });
}

/// The text that the top frame is about to execute.
fn at(image: &Image, process: ProcessId) -> String {
    let top = image.vm.stack(process, 1).remove(0);
    let part: String = top
        .source
        .chars()
        .skip(top.range.start)
        .take(top.range.len())
        .collect();
    format!("{} {part}", top.text)
}

#[test]
fn an_error_holds_the_process_with_its_stack_and_locals() {
    let mut image = duck();
    let process = held(&mut image, "Duck new fail: 4");

    let stack = image.vm.stack(process, 10);

    assert_eq!(image.vm.state(process), ProcessState::Suspended);
    let texts: Vec<_> = stack.iter().map(|frame| frame.text.as_str()).collect();
    let method = texts
        .iter()
        .position(|text| *text == "Duck>>fail:")
        .unwrap();
    assert_eq!(texts[method + 1..], ["UndefinedObject>>DoIt"]);
    let frame = &stack[method];
    let locals: Vec<_> = frame.locals.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(locals, ["x", "t"]);
    assert!(matches!(frame.locals[1].1, Value::Int(5)));
    assert_eq!(frame.line, 1);
    let part: String = frame
        .source
        .chars()
        .skip(frame.range.start)
        .take(frame.range.len())
        .collect();
    assert_eq!(part, "t / 0");
}

#[test]
fn resuming_goes_on_with_nil() {
    let mut image = duck();
    let process = held(&mut image, "3 foo printString");

    image.vm.resume(process).unwrap();

    let Outcome::Finished { printed, .. } = image.end_of(process) else {
        panic!()
    };
    assert_eq!(printed, "'nil'");
}

#[test]
fn steps_go_over_into_and_out() {
    let mut image = duck();
    let process = held(&mut image, "Halt now. x := Duck new half: 8. x + 1");

    step(&mut image, process, Step::Over);
    assert_eq!(at(&image, process), "UndefinedObject>>DoIt Duck new");
    step(&mut image, process, Step::Over);
    assert_eq!(
        at(&image, process),
        "UndefinedObject>>DoIt Duck new half: 8"
    );
    step(&mut image, process, Step::Into);
    assert_eq!(at(&image, process), "Duck>>half: x / 2");
    step(&mut image, process, Step::Over);
    assert_eq!(at(&image, process), "Duck>>half: y := x / 2");
    step(&mut image, process, Step::Out);
    assert_eq!(
        at(&image, process),
        "UndefinedObject>>DoIt x := Duck new half: 8"
    );
    step(&mut image, process, Step::Over);
    assert_eq!(at(&image, process), "UndefinedObject>>DoIt x + 1");

    image.vm.resume(process).unwrap();
    let Outcome::Finished { printed, .. } = image.end_of(process) else {
        panic!()
    };
    assert_eq!(printed, "6");
}

#[test]
fn a_step_over_a_loop_that_does_not_end_leaves_the_others_running() {
    let mut image = duck();
    let process = held(
        &mut image,
        "Halt now. [ true ] whileTrue: [ 3 printString ]",
    );
    for _ in 0..3 {
        step(&mut image, process, Step::Over);
    }
    image.eval("ticks := 3");
    assert_eq!(image.vm.state(process), ProcessState::Suspended);
    let endless = held(&mut image, "Halt now. Semaphore new wait");
    image.vm.step(endless, Step::Over).unwrap();

    assert_eq!(image.eval("3 + 4"), "7");
}

#[test]
fn a_restarted_frame_begins_again_with_its_arguments() {
    let mut image = duck();
    let process = held(&mut image, "Duck new fail: 4");
    let frames = image.vm.stack(process, 10);
    let index = frames
        .iter()
        .position(|frame| frame.text == "Duck>>fail:")
        .unwrap();

    image.vm.restart_frame(process, index).unwrap();

    image.wait_for(|event| matches!(event, VmEvent::Stepped { .. }).then_some(()));
    assert_eq!(at(&image, process), "Duck>>fail: x + 1");
    let top = image.vm.stack(process, 1).remove(0);
    assert!(
        matches!(top.locals[..], [(_, Value::Int(4)), (_, Value::Nil)]),
        "{:?}",
        top.locals
    );
    assert_eq!(
        image.vm.restart_frame(process, 99),
        Err(DebugError::NoSuchFrame(99))
    );
}

#[test]
fn captured_variables_are_seen_in_blocks_and_methods() {
    let mut image = duck();
    let process = held(
        &mut image,
        "| a b | a := 1. b := [ :c | | d | d := a + c. d foo. d ]. b value: 2",
    );

    let frames = image.vm.stack(process, 10);

    let block = frames.iter().find(|frame| frame.is_block).unwrap();
    let mut names: Vec<_> = block.locals.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "c", "d"]);
}

#[test]
fn a_breakpoint_stops_at_the_start_of_its_method_until_it_is_removed() {
    let mut image = duck();
    let id = image.vm.set_breakpoint("Duck", "count").unwrap();
    assert_eq!(image.vm.breakpoints().len(), 1);

    let process = held(&mut image, "Duck new count");
    assert_eq!(at(&image, process), "Duck>>count 0");
    let class = image.vm.find_class("Duck").unwrap();
    image
        .vm
        .compile_method(class, false, "count ^ 5", "test")
        .unwrap();
    image.vm.resume(process).unwrap();
    image.end_of(process);
    let again = held(&mut image, "Duck new count");

    assert!(image.vm.remove_breakpoint(id));
    image.vm.resume(again).unwrap();
    image.end_of(again);
    assert_eq!(image.eval("Duck new count"), "5");
    assert!(image.vm.set_breakpoint("Duck", "nothing").is_err());
    assert!(image.vm.set_breakpoint("Zork", "count").is_err());
}

#[test]
fn a_held_process_is_ended_by_termination() {
    let mut image = duck();
    let process = held(&mut image, "[ Halt now ] ensure: [ x := 8 ]");

    image
        .vm
        .interrupt(process, stui_embedded::vm::InterruptReason::User);

    assert!(matches!(image.end_of(process), Outcome::Interrupted { .. }));
    assert_eq!(image.eval("x"), "8");
    assert_eq!(
        image.vm.step(process, Step::Over),
        Err(DebugError::NotSuspended)
    );
    assert!(image.vm.stack(process, 10).is_empty());
}

#[test]
fn stepping_to_the_end_ends() {
    let mut image = duck();
    let process = held(&mut image, "Halt now. 3");
    for _ in 0..200 {
        if image.vm.step(process, Step::Into).is_err() {
            return;
        }
        image.wait_for(|event| {
            matches!(event, VmEvent::Stepped { .. } | VmEvent::Ended { .. }).then_some(())
        });
    }
    panic!("it did not end");
}
