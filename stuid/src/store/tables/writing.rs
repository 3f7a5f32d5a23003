//! One commit: what has changed is written, what is too old or too much is dropped.

use redb::{ReadableTable, Table, WriteTransaction};

use super::{
    Batch, ENDED, Extent, HISTORY, LINES, LOGS, LogBatch, OPEN, SESSIONS, Trouble, extent_of,
    split, to_json,
};

/// The tables of one transaction.
pub(super) struct Writing<'a> {
    sessions: Table<'a, u64, &'static [u8]>,
    logs: Table<'a, u64, (u64, u64, u64)>,
    lines: Table<'a, (u64, u64), &'static [u8]>,
    open: Table<'a, &'static str, &'static [u8]>,
    ended: Table<'a, &'static str, (u64, u64, u64)>,
    history: Table<'a, (u64, u64), &'static str>,
}

impl<'a> Writing<'a> {
    pub(super) fn open(transaction: &'a WriteTransaction) -> Result<Self, Trouble> {
        Ok(Self {
            sessions: transaction.open_table(SESSIONS)?,
            logs: transaction.open_table(LOGS)?,
            lines: transaction.open_table(LINES)?,
            open: transaction.open_table(OPEN)?,
            ended: transaction.open_table(ENDED)?,
            history: transaction.open_table(HISTORY)?,
        })
    }

    pub(super) fn write(mut self, batch: &Batch) -> Result<Vec<Extent>, Trouble> {
        for (id, open) in &batch.open {
            match open {
                Some(open) => self.open.insert(id.as_str(), to_json(open)?.as_slice())?,
                None => self.open.remove(id.as_str())?,
            };
        }
        for each in &batch.ended {
            let row = (each.session, each.begun.unwrap_or(0), each.ended);
            self.ended.insert(each.id.as_str(), row)?;
            self.history
                .insert((each.session, each.ended), each.id.as_str())?;
        }
        let cutoff = batch.cutoff_ms;
        let mut extents = Vec::new();
        for log in &batch.logs {
            extents.push(self.write_log(log, cutoff)?);
        }
        for session in &batch.forgotten {
            self.forget(*session)?;
        }
        // After those that are forgotten: of some a record of their end stays.
        for session in &batch.sessions {
            let json = to_json(session)?;
            self.sessions.insert(session.key, json.as_slice())?;
        }
        Ok(extents)
    }

    fn write_log(&mut self, log: &LogBatch, cutoff_ms: i64) -> Result<Extent, Trouble> {
        let known = self
            .logs
            .get(log.session)?
            .map(|row| extent_of(row.value()));
        let mut extent = known.unwrap_or(Extent {
            first: log.first,
            last: log.first.saturating_sub(1),
            bytes: 0,
        });
        for (position, at_ms, line) in &log.lines {
            let mut value = Vec::with_capacity(8 + line.len());
            value.extend_from_slice(&at_ms.to_le_bytes());
            value.extend_from_slice(line);
            self.lines
                .insert((log.session, *position), value.as_slice())?;
            extent.last = *position;
            extent.bytes += line.len() as u64;
        }
        self.trim(log, cutoff_ms, &mut extent)?;
        let row = (extent.first, extent.last, extent.bytes);
        self.logs.insert(log.session, row)?;
        Ok(extent)
    }

    /// Drops lines from the front: those that are gone anyway, are too old or too many.
    fn trim(&mut self, log: &LogBatch, cutoff_ms: i64, extent: &mut Extent) -> Result<(), Trouble> {
        let session = log.session;
        let mut first = extent.first;
        for entry in self
            .lines
            .range((session, first)..=(session, extent.last))?
        {
            let (key, value) = entry?;
            let (at_ms, line) = split(value.value())?;
            let position = key.value().1;
            let is_last = position == extent.last;
            let too_many = extent.bytes > log.limit_bytes && !is_last;
            if position >= log.first && at_ms >= cutoff_ms && !too_many {
                break;
            }
            extent.bytes = extent.bytes.saturating_sub(line.len() as u64);
            first = position + 1;
        }
        first = first.max(log.first);
        if first > extent.first {
            self.remove_before(session, first)?;
            extent.first = first;
        }
        Ok(())
    }

    /// Removes the lines before a position, and the evaluations that ended there.
    fn remove_before(&mut self, session: u64, first: u64) -> Result<(), Trouble> {
        self.lines
            .retain_in((session, 0)..(session, first), |_, _| false)?;
        let mut gone = Vec::new();
        for entry in self.history.range((session, 0)..(session, first))? {
            gone.push(entry?.1.value().to_owned());
        }
        for id in gone {
            self.ended.remove(id.as_str())?;
        }
        self.history
            .retain_in((session, 0)..(session, first), |_, _| false)?;
        Ok(())
    }

    fn forget(&mut self, session: u64) -> Result<(), Trouble> {
        self.remove_before(session, u64::MAX)?;
        self.logs.remove(session)?;
        self.sessions.remove(session)?;
        Ok(())
    }
}
