//! What the image's events mean for sessions.

use stui_protocol::image::{EvaluationFinishedData, OutputData};
use stui_protocol::{Event, EventName};

use super::Sessions;
use crate::image::events::Listener;

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
        let id = event.evaluation_id.as_deref();
        let Some(evaluation) = id.and_then(|id| self.evaluation_of_any(id)) else {
            return;
        };
        if let (Some(session), Some(data)) = (evaluation.session(), event.data_as::<OutputData>()) {
            session.output(&evaluation, &data.text);
        }
    }

    fn on_finished(&self, event: &Event) {
        let id = event.evaluation_id.as_deref();
        let Some(evaluation) = id.and_then(|id| self.evaluation_of_any(id)) else {
            return;
        };
        match event.data_as::<EvaluationFinishedData>() {
            Some(data) => evaluation.announce(data.into()),
            // It has ended somehow: the image can be asked how.
            None => evaluation.ask_again(),
        }
    }

    fn on_closed(&self, event: &Event) {
        let closed = event.session_id.as_deref();
        for session in self.all() {
            if closed.is_some() && session.session_id().as_deref() == closed {
                session.lose("the image closed it");
            }
        }
    }
}
