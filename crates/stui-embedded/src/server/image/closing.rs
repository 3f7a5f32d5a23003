//! Taking away what a session had.

use serde_json::json;
use stui_protocol::EventName;

use super::super::commands::debug;
use super::super::evaluations::StopAsker;
use super::super::sessions::Session;
use super::Image;

impl Image {
    /// Ends everything of a session that was taken out of the table: evaluations, kept processes,
    /// forked children, objects, variables.
    pub(in crate::server) fn clear_out(&mut self, session: &Session, why: &str) {
        for tag in self.evaluations.of_session(&session.id) {
            self.terminate(tag);
        }
        for tag in self.debuggers.of_session(&session.id) {
            debug::terminate(self, tag);
        }
        self.end_lingering(&session.id);
        let pins = self.objects.clear(&Some(session.id.clone()));
        self.unpin_all(pins);
        self.doom(session.workspace);
        self.publisher.tell(
            EventName::SessionClosed,
            Some(&session.id),
            None,
            &json!({"client_id": session.client_id, "name": session.name, "reason": why}),
        );
    }

    /// Has a `close_session` answered when the evaluation that was under way has ended; false
    /// when there is none to wait for.
    pub(in crate::server) fn answer_when_ended(
        &mut self,
        evaluation: &str,
        request: &str,
        session: &str,
    ) -> bool {
        let tag = self.evaluations.tag(evaluation);
        let Some(evaluation) = tag.and_then(|tag| self.evaluations.get_mut(tag)) else {
            return false;
        };
        evaluation.stop_askers.push(StopAsker::Close {
            request: request.to_owned(),
            session: session.to_owned(),
        });
        true
    }
}
