//! Forks, semaphores, delays: processes beside each other.

use std::time::{Duration, Instant};

use stui_embedded::vm::{EvaluationTag, ProcessState};

use crate::cast::{Image, TAG};

#[test]
fn a_fork_runs_beside_and_its_output_belongs_to_the_evaluation() {
    let mut image = Image::new();

    image.eval("s := Semaphore new. [ Transcript show: 'a'; cr. s signal ] fork. s wait");

    assert_eq!(image.output, "a\n");
    assert_eq!(image.vm.children(TAG), 0);
}

#[test]
fn an_endless_loop_leaves_the_others_their_turn() {
    let mut image = Image::new();
    let endless = image.start("[ true ] whileTrue");

    assert_eq!(image.eval("3 + 4"), "7");
    assert_eq!(image.vm.state(endless), ProcessState::Running);
}

#[test]
fn a_slice_ends_when_the_doorbell_rings_and_what_runs_goes_on_all_the_same() {
    let mut image = Image::new();
    image.start("n := 0. [ true ] whileTrue: [ n := n + 1 ]");

    image.vm.doorbell().ring();
    let began = Instant::now();
    let slice = image.vm.run_slice(Duration::from_secs(20));

    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(slice.runnable);
    assert_eq!(image.eval("n > 0"), "true");
}

#[test]
fn a_delay_lets_others_run_and_says_when_it_wants_to_go_on() {
    let mut image = Image::new();
    let sleeper = image.start("(Delay forSeconds: 3600) wait. 1");

    let slice = image.run_until_idle();

    assert!(slice.next_wakeup.is_some());
    assert_eq!(image.vm.state(sleeper), ProcessState::Waiting);
    assert_eq!(image.eval("(Delay forMilliseconds: 60) wait. 1"), "1");
}

#[test]
fn a_higher_priority_runs_first() {
    let mut image = Image::new();
    let code = "log := OrderedCollection new.
        [ log add: 2 ] forkAt: Processor userInterruptPriority.
        log add: 3.
        log asArray";

    assert_eq!(image.eval(code), "#(2 3)");
}

#[test]
fn a_mutex_lets_one_in_at_a_time_and_its_owner_again() {
    let mut image = Image::new();
    let code = "m := Mutex new. log := OrderedCollection new. done := Semaphore new.
        1 to: 3 do: [ :i |
            [ m critical: [ m critical: [ log add: i. Processor yield. log add: i ] ]. done signal ] fork ].
        3 timesRepeat: [ done wait ].
        log asArray";

    assert_eq!(image.eval(code), "#(1 1 2 2 3 3)");
}

#[test]
fn terminating_a_process_runs_its_ensure_blocks() {
    let mut image = Image::new();
    let code = "p := [ [ Semaphore new wait ] ensure: [ x := 5 ] ] newProcess.
        p resume. Processor yield. p terminate. Processor yield. { x. p isTerminated }";

    assert_eq!(image.eval(code), "#(5 true)");
}

#[test]
fn an_error_in_a_fork_is_told_as_output() {
    let mut image = Image::new();

    image.eval("[ nil foo ] fork. Processor yield. (Delay forMilliseconds: 2) wait");

    assert!(
        image
            .output
            .starts_with("MessageNotUnderstood in a forked process"),
        "{}",
        image.output
    );
}

#[test]
fn children_end_with_their_evaluation() {
    let mut image = Image::new();
    image.eval("3 timesRepeat: [ [ [ true ] whileTrue ] fork ]. [ [ ] ensure: [ [ true ] whileTrue ] ] fork");
    assert_eq!(image.vm.children(TAG), 4);
    assert_eq!(image.vm.children(EvaluationTag(8)), 0);

    assert_eq!(image.vm.end_children(TAG), 4);

    image.run_until_idle();
    assert_eq!(image.vm.children(TAG), 0);
}

#[test]
fn a_shared_queue_hands_over_in_order() {
    let mut image = Image::new();
    let code = "q := SharedQueue new. [ 1 to: 3 do: [ :i | q nextPut: i ] ] fork. { q next. q next. q next }";

    assert_eq!(image.eval(code), "#(1 2 3)");
}

#[test]
fn suspended_processes_wait_for_resume() {
    let mut image = Image::new();
    let code = "p := [ x := 1. Processor activeProcess suspend. x := 2 ] fork. Processor yield. y := x. p resume. Processor yield. { y. x }";

    assert_eq!(image.eval(code), "#(1 2)");
}

#[test]
fn processes_that_nothing_can_wake_are_garbage() {
    let mut image = Image::new();
    image.eval("5 timesRepeat: [ [ Semaphore new wait ] fork ]. [ ] newProcess. Processor yield");
    image.eval("s := Semaphore new. [ s wait. x := 7 ] fork. Processor yield");
    assert_eq!(image.vm.children(TAG), 7);

    image.vm.collect_garbage();

    assert_eq!(image.vm.children(TAG), 1);
    assert_eq!(image.eval("s signal. Processor yield. x"), "7");
}
