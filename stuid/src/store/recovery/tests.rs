use std::path::Path;

use serde_json::json;
use stui_protocol::daemon::{GapData, StoreState};
use stui_protocol::time;

use super::super::journal::HEADER;
use super::super::record::{HomeRecord, LinePlace};
use super::super::tables::{Batch, LogBatch, Tables};
use super::super::{Retention, SessionRecord};
use super::*;
use crate::log::gap_event;
use crate::metrics::Metrics;

const RETENTION: Retention = Retention {
    log_bytes: 1 << 20,
    log_days: 0,
};

fn open(state_dir: &Path) -> (Store, Vec<Recovered>) {
    let metrics = Arc::new(Metrics::new().unwrap());
    Store::open(state_dir, RETENTION, metrics).unwrap()
}

fn session(key: u64) -> SessionRecord {
    SessionRecord {
        key,
        name: format!("s{key}"),
        owner: 0,
        created_at: time::now(),
        timeout: None,
        home: HomeRecord::New,
        saved: None,
        share: None,
    }
}

fn evaluation(session: u64, order: u64, begun: u64) -> OpenEvaluation {
    let record = json!({
        "id": format!("{session} {order}"), "session": session, "order": order, "code": "3 + 4",
        "by": {"client": 1, "pid": 1, "uid": 0},
        "begun": {"position": begun, "at": time::now()},
    });
    serde_json::from_value(record).unwrap()
}

fn line(session: u64, position: u64) -> Change {
    let place = LinePlace {
        session,
        position,
        ..LinePlace::default()
    };
    Change::Line {
        place,
        mark: Mark::None,
    }
}

/// A state directory with a journal of these changes.
fn journal_of(changes: &[Change]) -> tempfile::TempDir {
    let state_dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(state_dir.path().join("store")).unwrap();
    let mut journal = Journal::begin(&state_dir.path().join("store"), 1).unwrap();
    for change in changes {
        journal.append(change, b"{}\n").unwrap();
    }
    state_dir
}

#[test]
fn what_no_daemon_counted_to_is_left_out_of_a_journal_and_the_rest_goes_on() {
    for far in [u64::MAX, u64::MAX - 1, u64::MAX / 2 + 1] {
        let state_dir = journal_of(&[
            Change::Session(session(1)),
            Change::Session(session(far)),
            Change::Forgotten(far),
            Change::Accepted(evaluation(far, 1, 1)),
            Change::Accepted(evaluation(1, far, 1)),
            Change::Accepted(evaluation(1, 1, far)),
            Change::Accepted(evaluation(1, 2, 1)),
            line(1, 1),
            line(1, far),
            line(far, 1),
            line(1, 2),
        ]);
        let (store, recovered) = open(state_dir.path());
        assert_eq!(recovered.len(), 1);
        let open: Vec<_> = recovered[0].open.iter().map(|open| open.order).collect();
        assert_eq!(open, [2]);
        assert_eq!(store.next_key(), 2);
        assert_eq!(store.next_order(), 3);
        assert_eq!(recovered[0].log.end().position, 2);
        store.close();
    }
}

#[test]
fn counting_goes_on_from_the_largest_numbers_that_are_believed() {
    let most = u64::MAX / 2;
    let state_dir = journal_of(&[
        Change::Session(session(most)),
        Change::Accepted(evaluation(most, most, most)),
        line(most, most),
    ]);
    let (store, recovered) = open(state_dir.path());
    let log = &recovered[0].log;
    let position = log.append(gap_event(GapData { from: 1, to: 1 }));
    assert_eq!(position, most + 1);
    assert_eq!(log.read(0, u64::MAX, usize::MAX).lines.len(), 2);
    assert_eq!((store.next_key(), store.next_order()), (most + 1, most + 1));
    store.close();
}

#[test]
fn a_file_with_a_number_that_no_journal_has_is_let_lie() {
    let state_dir = journal_of(&[Change::Session(session(1))]);
    let odd = state_dir.path().join(format!("store/journal-{}", u64::MAX));
    std::fs::write(&odd, HEADER).unwrap();
    let (store, recovered) = open(state_dir.path());
    assert_eq!(recovered.len(), 1);
    assert_eq!(store.status().state, StoreState::Ok);
    store.close();
    assert!(odd.exists());
}

#[test]
fn tables_with_numbers_that_no_daemon_counted_to_are_set_aside() {
    let log = |first, position| LogBatch {
        session: 1,
        first,
        lines: vec![(position, 0, b"{}\n".as_slice().into())],
        limit_bytes: 100,
    };
    let forged = [
        Batch {
            sessions: vec![session(u64::MAX)],
            ..Batch::default()
        },
        Batch {
            logs: vec![log(1, u64::MAX)],
            ..Batch::default()
        },
        Batch {
            open: vec![("1".to_owned(), Some(evaluation(1, u64::MAX, 1)))],
            ..Batch::default()
        },
    ];
    for batch in forged {
        let state_dir = journal_of(&[]);
        let tables = Tables::open(&state_dir.path().join("store/sessions.redb")).unwrap();
        tables.write(&batch).unwrap();
        drop(tables);
        let (store, recovered) = open(state_dir.path());
        assert!(recovered.is_empty());
        assert!(store.status().set_aside.is_some());
        store.close();
    }
}
