//! Going on with what an earlier daemon had accepted.

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::image::OutputData;
use stui_protocol::{Event, EventName, Request, Version};

use super::output::{Output, ToldOutput};
use super::witness::Again;
use super::{Evaluation, Job, Session, Wait};
use crate::store::OpenEvaluation;

/// Bytes of the log that are read at once.
const PART_BYTES: usize = 256 * 1024;

impl Session {
    /// Takes up an evaluation that an earlier daemon had accepted. One that had begun is followed,
    /// one that had not is run.
    pub(crate) fn resume(&self, evaluation: &Arc<Evaluation>, open: OpenEvaluation) {
        let start = open.start.map(|start| Request {
            id: open.id,
            command: start.command,
            parameters: start.parameters,
            version: Version::CURRENT,
        });
        let limit = start.as_ref().and_then(timeout_of);
        let again = start.clone().zip(open.after);
        let job = Job {
            evaluation: Arc::clone(evaluation),
            timeout: match open.begun {
                None => limit,
                Some(begun) => limit.map(|limit| limit.saturating_sub(begun.ago())),
            },
            start: start.filter(|_| open.begun.is_none()),
            notes: None,
            accepted: None,
            begun: open.begun,
            again: again.map(|(start, after)| Box::new(Again { start, after })),
            // It was accepted: it waits also where there is no room any more.
            wait: Wait::at(self.seats.take(self.owner, evaluation.code.len()).ok()),
        };
        if open.begun.is_some() {
            evaluation.progress().output = Output::of_earlier();
        }
        let mut facts = self.facts();
        facts.history.add(Arc::clone(evaluation));
        facts.queue.waiting.push_back(job);
        drop(facts);
        self.work.notify_one();
    }

    /// What of an evaluation's output is in the log; none when some of it may be gone. Reads from
    /// disk.
    pub(super) fn told_output(&self, id: &str, begun: u64) -> Option<ToldOutput> {
        let mut told = ToldOutput::default();
        let end = self.log.end().position;
        // The line of its beginning must be there, too.
        let mut position = begun.checked_sub(1)?;
        while position < end {
            let part = self.log.read(position, end, PART_BYTES);
            if part.gap.is_some() || part.position == position {
                return None;
            }
            position = part.position;
            for line in part.lines {
                let event: Event = serde_json::from_slice(&line).ok()?;
                if event.event == EventName::Output && event.evaluation_id.as_deref() == Some(id) {
                    told.add(&event.data_as::<OutputData>()?.text);
                }
            }
        }
        Some(told)
    }
}

/// How long the code may run.
pub(crate) fn timeout_of(start: &Request) -> Option<Duration> {
    let timeout_ms = start.parameters.get("timeout_ms")?.as_u64()?;
    Some(Duration::from_millis(timeout_ms))
}
