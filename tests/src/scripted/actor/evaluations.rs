//! The evaluations of a scripted image: what is run, when it ends, what is told of it.

use serde_json::{Value, json};
use stui_protocol::codec::event;
use stui_protocol::image::{EvaluationFinishedData, OutputData};
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Event, EventName, Failure, Request};

use super::Actor;

/// One of them.
pub(super) struct Evaluation {
    pub(super) code: String,
    pub(super) session_id: Option<String>,
    pub(super) output: String,
    pub(super) outcome: Option<Outcome>,
}

impl Actor {
    pub(super) fn evaluate(&mut self, request: &Request) -> Outcome {
        let text = |key: &str| {
            request
                .parameters
                .get(key)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let (id, code) = (request.id.clone(), text("code").unwrap_or_default());
        // The same id again is the same evaluation, which is not run twice.
        if self.evaluations.contains_key(&id) {
            return self.outcome(&id);
        }
        let session_id = text("session_id");
        if session_id
            .as_ref()
            .is_some_and(|id| !self.sessions.contains_key(id))
        {
            return Err(Failure::new(ErrorType::SessionNotFound, "no such session"));
        }
        let evaluation = Evaluation {
            code: code.clone(),
            session_id,
            output: String::new(),
            outcome: None,
        };
        self.evaluations.insert(id.clone(), evaluation);
        self.publish(EventName::EvaluationStarted, &id, &json!({"code": code}));
        match code.split(' ').next() {
            Some("hold" | "slow") => return Ok(json!({"state": "running", "evaluation_id": id})),
            Some("fail") => self.end(&id, Err(Failure::new(ErrorType::EvaluationError, &code))),
            _ if self.frozen_since.is_some() => {}
            _ => self.execute(&id, &code),
        }
        self.outcome(&id)
    }

    fn execute(&mut self, id: &str, code: &str) {
        self.record.note(&self.instance, code);
        self.end(id, Ok(json!({"result": code})));
    }

    /// Does what came while it was frozen.
    pub(super) fn thaw(&mut self) {
        self.frozen_since = None;
        let stuck = |each: &Evaluation| {
            let told = each.code.starts_with("hold") || each.code.starts_with("slow");
            each.outcome.is_none() && !told
        };
        let stuck: Vec<_> = self
            .evaluations
            .iter()
            .filter(|(_, each)| stuck(each))
            .map(|(id, each)| (id.clone(), each.code.clone()))
            .collect();
        for (id, code) in stuck {
            self.execute(&id, &code);
        }
    }

    pub(super) fn lag_ms(&self) -> f64 {
        let since = self.frozen_since;
        since.map_or(0.0, |since| since.elapsed().as_secs_f64() * 1000.0)
    }

    pub(super) fn status(&mut self, id: &str) -> Outcome {
        let slow = |each: &Evaluation| each.outcome.is_none() && each.code.starts_with("slow");
        if self.evaluations.get(id).is_some_and(slow) {
            self.losing = true;
            self.end(id, Ok(json!({"result": "slow"})));
            self.losing = false;
        }
        self.outcome(id)
    }

    fn outcome(&self, id: &str) -> Outcome {
        match self.evaluations.get(id) {
            None => Err(Failure::new(
                ErrorType::EvaluationNotFound,
                "no such evaluation",
            )),
            Some(Evaluation { outcome: None, .. }) => {
                Ok(json!({"state": "running", "evaluation_id": id}))
            }
            Some(Evaluation {
                outcome: Some(outcome),
                ..
            }) => outcome.clone(),
        }
    }

    pub(super) fn finish(&mut self, code: &str, outcome: Outcome) {
        let id = self.running(code);
        self.end(&id, outcome);
    }

    pub(super) fn output(&mut self, code: &str, text: String) {
        let id = self.running(code);
        if let Some(evaluation) = self.evaluations.get_mut(&id) {
            evaluation.output.push_str(&text);
        }
        self.publish(EventName::Output, &id, &OutputData::new(text));
    }

    fn running(&self, code: &str) -> String {
        let ours = |each: &Evaluation| each.code == code && each.outcome.is_none();
        let found = self.evaluations.iter().find(|(_, each)| ours(each));
        found
            .unwrap_or_else(|| panic!("nobody evaluates {code:?}"))
            .0
            .clone()
    }

    pub(super) fn end(&mut self, id: &str, outcome: Outcome) {
        let Some(evaluation) = self.evaluations.get_mut(id) else {
            return;
        };
        if evaluation.outcome.is_some() {
            return;
        }
        let outcome = outcome.map(|result| {
            json!({
                "state": "finished", "evaluation_id": id, "result": result["result"],
                "result_type": "Object", "object_id": null, "execution_time": 1.0,
                "has_error": false, "output": evaluation.output, "truncated": false,
            })
        });
        evaluation.outcome = Some(outcome.clone());
        let data = EvaluationFinishedData::from(outcome);
        self.publish(EventName::EvaluationFinished, id, &data);
    }

    fn publish(&mut self, name: EventName, id: &str, data: &impl serde::Serialize) {
        self.seq += 1;
        let mut event = Event::new(name, data);
        event.instance = Some(self.instance.clone());
        event.seq = Some(self.seq);
        event.evaluation_id = Some(id.to_owned());
        event.session_id = self
            .evaluations
            .get(id)
            .and_then(|each| each.session_id.clone());
        if self.losing {
            return;
        }
        if let Some(sockets) = &self.sockets {
            let (topic, body) = event::encode_event(&event);
            let _ = sockets
                .publisher
                .send_multipart([topic, body], zmq::DONTWAIT);
        }
    }
}
