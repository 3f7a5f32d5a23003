//! The tables on disk (redb). One writer, the checkpoint; readers see the last commit.
//!
//! Each commit is synced before it counts, and carries what makes opening after a crash quick.

mod trouble;
mod writing;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::record::{EndedEvaluation, OpenEvaluation, SessionRecord, is_counted};
use crate::log::LogLine;
pub(super) use trouble::Trouble;
use writing::Writing;

/// The version of the format. A later minor version adds keys to records and needs no new one.
const FORMAT: u64 = 1;

/// Memory for pages that were read or will be written, for all sessions together. The kernel has the
/// file in memory as well: twice as much made nothing faster that was measured.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const SESSIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("sessions");
/// First and last position and bytes of each session's log.
const LOGS: TableDefinition<'_, u64, (u64, u64, u64)> = TableDefinition::new("logs");
/// By session and position: milliseconds since 1970 (8 bytes, little endian), then the line.
const LINES: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("lines");
/// Evaluations that have not ended, by id.
const OPEN: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("open_evaluations");
/// Those that have, by id: session, where they began (0 is nowhere), where they ended.
const ENDED: TableDefinition<'_, &str, (u64, u64, u64)> = TableDefinition::new("ended_evaluations");
/// The same by session and where they ended.
const HISTORY: TableDefinition<'_, (u64, u64), &str> = TableDefinition::new("history");

/// The tables.
#[derive(Debug)]
pub(super) struct Tables {
    database: Database,
}

/// How much of a log the tables have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Position of the first line that is kept; one more than the last when none is.
    pub(crate) first: u64,
    /// Position of the last line.
    pub(crate) last: u64,
    pub(crate) bytes: u64,
}

/// Everything but lines and ended evaluations.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) sessions: Vec<SessionRecord>,
    pub(super) logs: HashMap<u64, Extent>,
    pub(super) open: Vec<OpenEvaluation>,
}

/// What a commit changes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) sessions: Vec<SessionRecord>,
    pub(super) forgotten: Vec<u64>,
    /// None for one that is open no more.
    pub(super) open: Vec<(String, Option<OpenEvaluation>)>,
    pub(super) ended: Vec<EndedEvaluation>,
    pub(super) logs: Vec<LogBatch>,
    /// Lines of before this are dropped; milliseconds since 1970.
    pub(super) cutoff_ms: i64,
}

/// What a commit changes in one log.
#[derive(Debug)]
pub(crate) struct LogBatch {
    pub(crate) session: u64,
    /// Everything before this position is gone.
    pub(crate) first: u64,
    /// Position, milliseconds since 1970, and the line, in order.
    pub(crate) lines: Vec<(u64, i64, LogLine)>,
    pub(crate) limit_bytes: u64,
}

impl Tables {
    /// Opens the tables, or makes them.
    pub(super) fn open(path: &Path) -> Result<Self, Trouble> {
        // A damaged file can break an assertion in there.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            Builder::new().set_cache_size(CACHE_BYTES).create(path)
        }));
        let database = match opened {
            Ok(opened) => opened?,
            Err(_) => return Err(Trouble::Damaged("opening it panicked".to_owned())),
        };
        let tables = Self { database };
        tables.check_format()?;
        Ok(tables)
    }

    fn check_format(&self) -> Result<(), Trouble> {
        let transaction = self.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            let format = meta.get("format")?.map(|found| found.value());
            match format {
                Some(FORMAT) => return Ok(()),
                Some(newer) => return Err(Trouble::Newer(newer)),
                None => meta.insert("format", FORMAT)?,
            };
            // So that readers find them.
            transaction.open_table(SESSIONS)?;
            transaction.open_table(LOGS)?;
            transaction.open_table(LINES)?;
            transaction.open_table(OPEN)?;
            transaction.open_table(ENDED)?;
            transaction.open_table(HISTORY)?;
        }
        Ok(transaction.commit()?)
    }

    fn begin_write(&self) -> Result<WriteTransaction, Trouble> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    /// Reads what is needed at the start. Numbers that no daemon comes to are damage.
    pub(super) fn contents(&self) -> Result<Contents, Trouble> {
        let transaction = self.database.begin_read()?;
        let mut contents = Contents::default();
        for entry in transaction.open_table(SESSIONS)?.iter()? {
            let session: SessionRecord = from_json(entry?.1.value())?;
            believe(session.is_believable(), "the key of a session")?;
            contents.sessions.push(session);
        }
        for entry in transaction.open_table(LOGS)?.iter()? {
            let (key, extent) = entry?;
            let extent = extent_of(extent.value());
            let counts = [extent.first, extent.last, extent.bytes];
            believe(counts.into_iter().all(is_counted), "the extent of a log")?;
            contents.logs.insert(key.value(), extent);
        }
        for entry in transaction.open_table(OPEN)?.iter()? {
            let open: OpenEvaluation = from_json(entry?.1.value())?;
            believe(open.is_believable(), "a number of an evaluation")?;
            contents.open.push(open);
        }
        Ok(contents)
    }

    /// Lines after a position and up to another, at most `limit_bytes` of them but one at least.
    pub(super) fn lines(
        &self,
        session: u64,
        after: u64,
        up_to: u64,
        limit_bytes: usize,
    ) -> Result<Vec<(u64, LogLine)>, Trouble> {
        let transaction = self.database.begin_read()?;
        let lines = transaction.open_table(LINES)?;
        let mut found: Vec<(u64, LogLine)> = Vec::new();
        let mut bytes = 0;
        for entry in lines.range((session, after + 1)..=(session, up_to))? {
            let (key, value) = entry?;
            let (_, line) = split(value.value())?;
            bytes += line.len();
            if bytes > limit_bytes && !found.is_empty() {
                break;
            }
            found.push((key.value().1, line.into()));
        }
        Ok(found)
    }

    /// An evaluation that has ended.
    pub(super) fn ended(&self, id: &str) -> Result<Option<EndedEvaluation>, Trouble> {
        let transaction = self.database.begin_read()?;
        let found = transaction.open_table(ENDED)?.get(id)?;
        Ok(found.map(|found| ended_of(id, found.value())))
    }

    /// The newest evaluations of a session that ended before a position, newest first.
    pub(super) fn history(
        &self,
        session: u64,
        before: u64,
        limit: usize,
    ) -> Result<Vec<EndedEvaluation>, Trouble> {
        let transaction = self.database.begin_read()?;
        let history = transaction.open_table(HISTORY)?;
        let ended = transaction.open_table(ENDED)?;
        let mut found = Vec::new();
        for entry in history.range((session, 0)..(session, before))?.rev() {
            if found.len() == limit {
                break;
            }
            let id = entry?.1;
            let row = ended.get(id.value())?;
            found.extend(row.map(|row| ended_of(id.value(), row.value())));
        }
        Ok(found)
    }

    /// Commits a batch; answers how much the tables have of its logs now.
    pub(super) fn write(&self, batch: &Batch) -> Result<Vec<Extent>, Trouble> {
        let transaction = self.begin_write()?;
        let extents = Writing::open(&transaction)?.write(batch)?;
        transaction.commit()?;
        Ok(extents)
    }
}

fn believe(is_believable: bool, what: &str) -> Result<(), Trouble> {
    match is_believable {
        true => Ok(()),
        false => Err(Trouble::Damaged(format!("{what} is beyond all counting"))),
    }
}

fn extent_of((first, last, bytes): (u64, u64, u64)) -> Extent {
    Extent { first, last, bytes }
}

fn ended_of(id: &str, (session, begun, ended): (u64, u64, u64)) -> EndedEvaluation {
    EndedEvaluation {
        id: id.to_owned(),
        session,
        begun: (begun > 0).then_some(begun),
        ended,
    }
}

fn split(value: &[u8]) -> Result<(i64, &[u8]), Trouble> {
    match value.split_first_chunk::<8>() {
        Some((at_ms, line)) => Ok((i64::from_le_bytes(*at_ms), line)),
        None => Err(Trouble::Damaged("a line of a log is cut".to_owned())),
    }
}

fn to_json(record: &impl serde::Serialize) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(record).map_err(|wrong| Trouble::Failed(wrong.to_string()))
}

fn from_json<T: for<'de> serde::Deserialize<'de>>(bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes).map_err(|wrong| Trouble::Damaged(wrong.to_string()))
}

/// Reads a record and writes it again.
#[cfg(feature = "fuzzing")]
pub(super) fn row<T>(bytes: &[u8]) -> Option<Vec<u8>>
where
    T: for<'de> serde::Deserialize<'de> + serde::Serialize,
{
    to_json(&from_json::<T>(bytes).ok()?).ok()
}

/// Tables that readers share with the checkpoint.
pub(super) type Shared = Arc<Tables>;
