use stui_protocol::image::OutputData;

use super::*;
use crate::metrics::Metrics;
use crate::store::Retention;

fn output(text: &str) -> Event {
    Event::new(EventName::Output, &OutputData::new(text))
}

fn texts(part: &Part) -> Vec<String> {
    part.lines
        .iter()
        .map(|line| {
            let event: Event = serde_json::from_slice(line).unwrap();
            event.data_as::<OutputData>().unwrap().text
        })
        .collect()
}

fn empty(limit_bytes: usize) -> Arc<Log> {
    let retention = Retention {
        log_bytes: limit_bytes,
        log_days: 0,
    };
    let metrics = Arc::new(Metrics::new().unwrap());
    Store::in_memory(retention, metrics).new_log(1)
}

fn log_of(texts: &[&str]) -> Arc<Log> {
    let log = empty(1 << 20);
    for text in texts {
        log.append(output(text));
    }
    log
}

#[test]
fn positions_count_from_one() {
    let log = empty(1 << 20);
    assert_eq!(log.end().position, 0);
    assert_eq!(log.append(output("a")), 1);
    assert_eq!(log.append(output("b")), 2);
    assert_eq!(log.end().position, 2);
}

#[test]
fn a_cursor_sees_every_line_once() {
    let log = log_of(&["a", "b", "c"]);
    let first = log.read(0, 2, 1 << 20);
    assert_eq!(texts(&first), ["a", "b"]);
    let second = log.read(first.position, u64::MAX, 1 << 20);
    assert_eq!(texts(&second), ["c"]);
    assert_eq!(log.read(second.position, u64::MAX, 1 << 20).lines.len(), 0);
}

#[test]
fn a_part_is_bounded_but_has_one_line_at_least() {
    let log = log_of(&["a", "b"]);
    let part = log.read(0, u64::MAX, 1);
    assert_eq!((texts(&part), part.position), (vec!["a".to_owned()], 1));
}

#[test]
fn lines_that_were_dropped_are_one_gap() {
    let long = "x".repeat(1000);
    let log = empty(2500);
    for _ in 0..10 {
        log.append(output(&long));
    }
    let part = log.read(3, u64::MAX, 1 << 20);
    let gap = part.gap.unwrap();
    assert_eq!(gap.from, 4);
    assert_eq!(gap.to + part.lines.len() as u64, 10);
    assert_eq!(part.position, 10);
    assert_eq!(log.read(gap.to, u64::MAX, 1 << 20).gap, None);
}

#[test]
fn a_position_that_was_never_reached_is_the_end() {
    let log = log_of(&["a"]);
    let part = log.read(99, u64::MAX, 1 << 20);
    assert_eq!((part.gap, part.lines.len(), part.position), (None, 0, 99));
}

#[test]
fn a_line_larger_than_the_log_is_kept_until_the_next() {
    let log = empty(10);
    log.append(output("first"));
    log.append(output("second"));
    let part = log.read(0, u64::MAX, 1 << 20);
    assert_eq!(part.gap, Some(GapData { from: 1, to: 1 }));
    assert_eq!(texts(&part), ["second"]);
}
