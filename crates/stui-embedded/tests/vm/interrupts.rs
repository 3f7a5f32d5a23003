//! Interrupts in three tiers.

use std::time::Duration;

use stui_embedded::vm::{InterruptReason, Outcome, ProcessState, Tier};

use crate::cast::Image;

const A_WHILE: Duration = Duration::from_millis(20);

/// Starts the code, lets it run, interrupts it.
fn interrupted(image: &mut Image, code: &str) -> Outcome {
    let process = image.start(code);
    image.run_for(A_WHILE);
    image.vm.interrupt(process, InterruptReason::User);
    image.end_of(process)
}

#[test]
fn whatever_loops_or_waits_is_interrupted_by_a_signal() {
    let mut image = Image::new();
    let victims = [
        "[ true ] whileTrue",
        "[ ] repeat",
        "[ Array new: 100 ] repeat",
        "| n | n := 1. [ n := n * 3 ] repeat",
        "(Delay forSeconds: 100) wait",
        "Semaphore new wait",
        "(Semaphore new) critical: [ ]",
        "SharedQueue new next",
        "[ [ true ] whileTrue ] on: Error do: [ :e | 3 ]",
        "[ [ true ] whileTrue ] value",
        "[ 3 ] ensure: [ [ true ] whileTrue ]",
        "1 to: 1000000000 do: [ :i | ]",
        "[ Processor yield ] repeat",
    ];

    for victim in victims {
        let outcome = interrupted(&mut image, victim);
        assert_eq!(
            outcome,
            Outcome::Interrupted { tier: Tier::Signal },
            "{victim}"
        );
    }
    assert_eq!(image.eval("3 + 4"), "7");
}

#[test]
fn an_interrupt_runs_the_ensure_blocks() {
    let mut image = Image::new();

    interrupted(&mut image, "[ [ true ] whileTrue ] ensure: [ x := 1 ]");

    assert_eq!(image.eval("x"), "1");
}

#[test]
fn code_that_swallows_interrupts_is_terminated() {
    let mut image = Image::new();
    let victims = [
        "[ [ [ true ] whileTrue ] on: Exception do: [ :e | e retry ] ] ensure: [ x := 1 ]",
        "[ [ [ true ] whileTrue ] on: Exception do: [ :e | 3 ] ] repeat",
        "[ [ true ] whileTrue ] on: Exception do: [ :e | e resume ]",
    ];
    for victim in victims {
        let process = image.start(victim);
        image.run_for(A_WHILE);
        image.vm.interrupt(process, InterruptReason::User);
        image.run_for(A_WHILE);
        assert_eq!(image.vm.state(process), ProcessState::Running, "{victim}");

        image.vm.terminate(process, InterruptReason::User);

        assert_eq!(
            image.end_of(process),
            Outcome::Interrupted {
                tier: Tier::Terminate
            }
        );
    }
    assert_eq!(image.eval("x"), "1");
}

#[test]
fn an_ensure_block_that_never_ends_is_cut_by_a_second_termination() {
    let mut image = Image::new();
    let process = image.start("[ [ true ] whileTrue ] ensure: [ [ true ] whileTrue ]");
    image.run_for(A_WHILE);
    image.vm.terminate(process, InterruptReason::Timeout);
    image.run_for(A_WHILE);
    assert_eq!(image.vm.state(process), ProcessState::Running);

    image.vm.terminate(process, InterruptReason::Timeout);

    assert_eq!(
        image.end_of(process),
        Outcome::TimedOut {
            tier: Tier::Terminate
        }
    );
}

#[test]
fn abandoning_always_works_and_at_once() {
    let mut image = Image::new();
    let process = image.start("[ [ true ] whileTrue ] ensure: [ x := 1 ]");
    image.run_for(A_WHILE);

    image.vm.abandon(process, InterruptReason::Timeout);

    assert_eq!(image.vm.state(process), ProcessState::Ended);
    assert_eq!(
        image.end_of(process),
        Outcome::TimedOut {
            tier: Tier::Abandon
        }
    );
    assert_eq!(image.eval("x"), "nil");
}

#[test]
fn a_print_that_loops_is_interrupted_like_any_code() {
    let mut image = Image::new();
    image.define(
        "Object subclass: #Loop instanceVariableNames: '' classVariableNames: '' package: 'T'",
        &["printOn: aStream [ true ] whileTrue"],
    );

    let outcome = interrupted(&mut image, "Loop new");

    assert_eq!(outcome, Outcome::Interrupted { tier: Tier::Signal });
}

#[test]
fn interrupting_what_has_ended_does_nothing() {
    let mut image = Image::new();
    let process = image.start("3");
    image.end_of(process);

    image.vm.interrupt(process, InterruptReason::User);

    assert_eq!(image.vm.state(process), ProcessState::Ended);
    assert!(image.vm.take_events().is_empty());
}
