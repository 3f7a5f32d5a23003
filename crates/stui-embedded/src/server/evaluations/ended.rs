//! Outcomes of evaluations that have ended, for `evaluation_status`: bounded by count and bytes,
//! the oldest go first.

use std::collections::{HashMap, VecDeque};

use stui_protocol::Outcome;

/// Outcomes kept: as many as replies are kept.
pub(in crate::server) const MAX_KEPT: usize = 1024;

/// Bytes of outcomes kept.
pub(in crate::server) const MAX_KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Outcomes by evaluation id.
#[derive(Debug, Default)]
pub(in crate::server) struct Ended {
    kept: HashMap<String, (Outcome, usize)>,
    /// Oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

impl Ended {
    /// Keeps an outcome of about `bytes`.
    pub(in crate::server) fn keep(&mut self, id: String, outcome: Outcome, bytes: usize) {
        if let Some((_, old)) = self.kept.insert(id.clone(), (outcome, bytes)) {
            self.bytes -= old;
            self.order.retain(|other| *other != id);
        }
        self.bytes += bytes;
        self.order.push_back(id);
        while self.order.len() > MAX_KEPT || self.bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some((_, bytes)) = self.kept.remove(&oldest) {
                self.bytes -= bytes;
            }
        }
    }

    /// The outcome of an evaluation.
    pub(in crate::server) fn get(&self, id: &str) -> Option<&Outcome> {
        self.kept.get(id).map(|(outcome, _)| outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_newest_outcomes_are_kept_by_count_and_by_bytes() {
        let mut ended = Ended::default();
        for n in 0..=MAX_KEPT {
            ended.keep(n.to_string(), Ok(Value::Null), 10);
        }
        assert!(ended.get("0").is_none());
        assert!(ended.get("1").is_some());
        ended.keep("large".into(), Ok(Value::Null), MAX_KEPT_BYTES - 10);
        assert!(ended.get("large").is_some());
        assert!(ended.kept.len() <= 2);
        assert!(ended.bytes <= MAX_KEPT_BYTES);
    }
}
