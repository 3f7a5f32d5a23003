//! The rows of the fault suite, each for a moment and with the same dice every time. The program
//! `faults` plays them for as long as it is told.

use std::time::Duration;

use stui_tests::faults::{ROWS, Run};
use stui_tests::skipped;

/// How long faults are injected. A row takes a few times that, since it begins and ends in peace.
const MOMENT: Duration = Duration::from_millis(1500);

/// After which an answer that did not come is a hang. Many times what the slowest row takes: all
/// stories of the gate run beside each other.
const LIMIT: Duration = Duration::from_secs(60);

/// Sessions that are made and closed.
const SESSIONS: u64 = 200;

fn nothing_forbidden_happens(name: &str) {
    let row = ROWS.iter().find(|row| row.name == name);
    let row = row.unwrap_or_else(|| panic!("there is no row {name}"));
    let run = Run {
        length: MOMENT,
        limit: LIMIT,
        seed: 1,
        program: env!("CARGO_BIN_EXE_faults").into(),
        sessions: SESSIONS,
    };
    match row.play(&run) {
        Ok(tally) => {
            assert!(tally.faults > 0, "no fault was injected: {tally}");
            assert_eq!(tally.forbidden(), [""; 0], "{tally}");
        }
        Err(missing) => skipped(name, &missing),
    }
}

macro_rules! rows {
    ($($story:ident: $row:literal,)*) => {
        $(
            #[test]
            fn $story() {
                nothing_forbidden_happens($row);
            }
        )*

        #[test]
        fn every_row_is_a_story() {
            let rows: Vec<_> = ROWS.iter().map(|row| row.name).collect();
            assert_eq!(rows, [$($row),*]);
        }
    };
}

rows! {
    the_image_is_killed: "image-killed",
    the_image_is_stopped: "image-stopped",
    a_scripted_image_is_killed: "scripted-killed",
    the_daemon_is_killed: "daemon-killed",
    the_daemon_is_stopped: "daemon-stopped",
    clients_are_killed_and_stopped: "clients-end",
    replies_are_lost: "reply-lost",
    replies_are_late: "reply-late",
    replies_come_twice: "reply-doubled",
    replies_are_addressed_to_nobody: "reply-misaddressed",
    replies_have_the_id_of_nobody: "reply-misnamed",
    replies_are_those_of_others: "reply-of-another",
    replies_are_garbage: "reply-garbage",
    replies_have_no_delimiter: "reply-undelimited",
    the_evaluator_stands_still: "evaluator-frozen",
    the_image_stands_still: "image-frozen",
    the_image_saves_itself: "image-saves",
    the_links_to_the_image_are_silent: "link-silent",
    the_links_to_the_image_are_refused: "link-refused",
    every_second_connection_to_the_image_fails: "link-connects",
    every_second_message_to_the_image_breaks: "link-writes",
    every_second_connection_to_the_daemon_fails: "client-connects",
    every_second_message_to_the_daemon_breaks: "client-writes",
    packets_are_dropped: "packets-dropped",
    packets_are_refused: "packets-refused",
    the_disk_is_full: "disk-full",
    the_clock_jumps: "clock-jumps",
    descriptors_are_gone: "descriptors-gone",
    sessions_come_and_go: "sessions",
    everything_at_once: "everything",
}
