//! What the image's events mean for sessions.

use std::sync::Arc;

use stui_protocol::image::{EvaluationFinishedData, OutputData};
use stui_protocol::{Event, EventName};

use super::Sessions;
use crate::image::events::Listener;
use crate::session::Session;

impl Listener for Sessions {
    fn on_event(&self, event: Event) {
        match event.event {
            EventName::Output => self.on_output(&event),
            EventName::EvaluationFinished => self.on_finished(&event),
            EventName::SessionClosed => self.on_closed(&event),
            EventName::Transcript | EventName::ImageSaving | EventName::ImageSaved => {
                self.table.announcements.announce(&event);
            }
            // The daemon tells the beginning of evaluations and sessions itself.
            _ => {}
        }
    }

    fn on_loss(&self) {
        let known = self.known_evaluations();
        for evaluation in known.iter().filter(|each| !each.is_ended()) {
            evaluation.ask_again();
        }
    }
}

impl Sessions {
    fn on_output(&self, event: &Event) {
        let (Some(id), Some(data)) = (&event.evaluation_id, event.data_as::<OutputData>()) else {
            return;
        };
        match self.evaluation_of_any(id) {
            Some(evaluation) => {
                if let Some(session) = evaluation.session() {
                    session.output(&evaluation, &data);
                }
            }
            None => {
                if let Some(session) = self.session_of(event) {
                    session.late_output(id, &data.text);
                }
            }
        }
    }

    fn on_finished(&self, event: &Event) {
        let Some(id) = &event.evaluation_id else {
            return;
        };
        let Some(evaluation) = self.evaluation_of_any(id) else {
            if let Some(session) = self.session_of(event) {
                session.late_end(id);
            }
            return;
        };
        match event.data_as::<EvaluationFinishedData>() {
            Some(data) => evaluation.announce(data.into()),
            // It has ended somehow: the image can be asked how.
            None => evaluation.ask_again(),
        }
    }

    fn on_closed(&self, event: &Event) {
        if let Some(session) = self.session_of(event) {
            session.lose("the image closed it");
        }
    }

    /// The session that the image means.
    fn session_of(&self, event: &Event) -> Option<Arc<Session>> {
        let id = event.session_id.as_deref()?;
        let mut sessions = self.table.by_name.iter();
        let found = sessions.find(|entry| entry.value().is_called(id))?;
        Some(Arc::clone(found.value()))
    }
}
