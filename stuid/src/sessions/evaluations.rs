//! Which evaluations are known: those that their sessions keep, and the latest of those that no
//! session keeps.

use std::sync::{Arc, PoisonError};

use stui_protocol::daemon::ShownEvaluation;
use stui_protocol::image::Requester;
use stui_protocol::{ErrorType, Failure};

use super::Sessions;
use crate::identity::Peer;
use crate::session::{Access, Evaluation, Holder, Holdings, Session};
use crate::store::EndedEvaluation;

/// Evaluations without a session that are remembered.
const MOST_REMEMBERED: usize = 64;

/// What has an id.
pub(crate) enum IdHolder {
    /// Nothing: it is free.
    None,
    /// An evaluation that the peer may know.
    Known(Arc<Evaluation>),
    /// One that is none of his business, or that cannot be read any more.
    Hidden,
}

impl Sessions {
    /// The evaluation of that id, when the peer may know it.
    ///
    /// # Errors
    /// `EvaluationNotFound`.
    pub fn evaluation(&self, peer: Peer, id: &str) -> Result<Arc<Evaluation>, Failure> {
        self.evaluation_of_any(id)
            .or_else(|| self.ended_evaluation(id))
            .filter(|evaluation| may_know(peer, evaluation))
            .ok_or_else(|| not_found(id))
    }

    /// Everything that has not ended: what runs, then what waits, the oldest first.
    #[must_use]
    pub fn under_way(&self) -> Vec<ShownEvaluation> {
        let mut known = self.known_evaluations();
        known.sort_by_key(|each| (!each.is_running(), each.accepted_at));
        known.iter().filter_map(|each| each.show()).collect()
    }

    /// Taken out of the book: an evaluation that is dropped leaves the book by itself, and must
    /// not do so while it is being read.
    pub(super) fn known_evaluations(&self) -> Vec<Arc<Evaluation>> {
        let entries = self.table.book.known.iter();
        entries
            .filter_map(|entry| entry.value().upgrade())
            .collect()
    }

    /// Whether an evaluation of that id is known, whoever's it is.
    #[must_use]
    pub fn knows_evaluation(&self, id: &str) -> bool {
        self.evaluation_of_any(id).is_some() || self.table.store.ended(id).is_some()
    }

    /// Which evaluation has that id, for a peer who would give it to another one.
    pub(crate) fn holder_of_id(&self, peer: Peer, id: &str) -> IdHolder {
        let known = match self.evaluation_of_any(id) {
            Some(evaluation) => Some(evaluation),
            None => match self.table.store.ended(id) {
                Some(ended) => self.read_ended(&ended),
                None => return IdHolder::None,
            },
        };
        match known.filter(|evaluation| may_know(peer, evaluation)) {
            Some(evaluation) => IdHolder::Known(evaluation),
            None => IdHolder::Hidden,
        }
    }

    /// A record of an evaluation that is about to be accepted.
    #[must_use]
    pub fn record(
        &self,
        id: String,
        code: String,
        by: Requester,
        session: Option<&Arc<Session>>,
    ) -> Arc<Evaluation> {
        Evaluation::new(id, code, by, session, &self.table.book)
    }

    /// Keeps an evaluation that no session keeps; the oldest of them is forgotten.
    pub(crate) fn remember(&self, evaluation: &Arc<Evaluation>) {
        let loose = self.table.loose.lock();
        let mut loose = loose.unwrap_or_else(PoisonError::into_inner);
        loose.push_back(Arc::clone(evaluation));
        if loose.len() > MOST_REMEMBERED {
            loose.pop_front();
        }
    }

    /// One that ended some time ago, perhaps under an earlier daemon: the log has it.
    fn ended_evaluation(&self, id: &str) -> Option<Arc<Evaluation>> {
        self.read_ended(&self.table.store.ended(id)?)
    }

    fn read_ended(&self, ended: &EndedEvaluation) -> Option<Arc<Evaluation>> {
        let mut sessions = self.all().into_iter();
        let session = sessions.find(|session| session.key == ended.session)?;
        let evaluation = session.read_ended(ended)?;
        if let Some((outcome, _)) = evaluation.ended() {
            let holder = Holder::Session(session.key);
            self.holdings().note(&outcome, holder);
        }
        Some(evaluation)
    }

    /// Whose the image's ids are.
    pub(crate) fn holdings(&self) -> &Holdings {
        &self.table.book.holdings
    }

    pub(super) fn evaluation_of_any(&self, id: &str) -> Option<Arc<Evaluation>> {
        self.table.book.known.get(id)?.upgrade()
    }
}

/// Whoever may see the session; when that is gone, its owner and who asked.
pub(crate) fn may_know(peer: Peer, evaluation: &Evaluation) -> bool {
    match evaluation.session() {
        Some(session) => session.access(peer) > Access::Nothing,
        None => [evaluation.owner, evaluation.by.uid].contains(&peer.uid),
    }
}

pub(crate) fn not_found(id: &str) -> Failure {
    Failure::new(
        ErrorType::EvaluationNotFound,
        "no evaluation of that id is known (any more): history lists those of a session",
    )
    .with("evaluation_id", id)
}
