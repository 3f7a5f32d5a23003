use std::time::{Duration, Instant};
use stui_embedded::vm::*;
#[test]
fn slices() {
    let mut vm = Vm::new(Limits::default()).unwrap();
    let w = vm.new_workspace();
    let code = vm.compile_expression(Some(w), "[true] whileTrue").unwrap();
    for i in 0..20 {
        vm.spawn(
            &code,
            SpawnOptions {
                evaluation: EvaluationTag(i + 1),
                ..Default::default()
            },
        );
    }
    let mut times = Vec::new();
    for _ in 0..500 {
        let t = Instant::now();
        let s = vm.run_slice(Duration::from_millis(1));
        times.push(t.elapsed());
        assert!(s.runnable);
    }
    times.sort();
    println!(
        "slice p50 {:?} p99 {:?} max {:?}",
        times[250], times[495], times[499]
    );
}
