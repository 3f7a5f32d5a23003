//! What clients do, and what the model says to the answers.

use serde_json::{Value, json};
use stui_protocol::{ErrorType, Failure, Outcome};

use super::model::{Evaluation, Fate};
use super::player::Player;
use super::requests::line_of;
use super::step::{Code, Deed, Garbage, Wrong};
use crate::asking::new_id;

impl Player<'_> {
    /// Does it, and checks what is answered.
    pub(super) fn perform(&mut self, client: usize, deed: &Deed) {
        match deed {
            Deed::Evaluate { name, code } => self.evaluate(client, *name, *code, true),
            Deed::Submit { name, code } => self.evaluate(client, *name, *code, false),
            Deed::Await {
                which,
                until_the_end,
            } => self.wait_for(client, *which, *until_the_end),
            Deed::Repeat { which } => self.repeat(client, *which),
            Deed::Interrupt { name } => self.interrupt(client, *name),
            Deed::Kill { name } => self.kill(client, *name),
            Deed::Twice => self.twice(client),
            Deed::Garbage(garbage) => self.garbage(client, *garbage),
            Deed::Wrong(wrong) => self.wrong(client, *wrong),
            _ => self.perform_simply(client, deed),
        }
    }

    fn perform_simply(&mut self, client: usize, deed: &Deed) {
        for (command, parameters) in self.requests(deed) {
            let outcome = self.ask(client, &command, &parameters);
            let due = self.foresee(client, deed);
            agree(&outcome, due);
            if let Ok(result) = outcome {
                self.judge_result(client, deed, &result);
            }
        }
    }

    /// What must be answered, and what is so afterwards.
    fn foresee(&mut self, client: usize, deed: &Deed) -> Result<(), ErrorType> {
        match deed {
            Deed::Attach {
                name,
                create,
                watch,
                steal,
                ..
            } => {
                let name = self.name(*name);
                self.model.attach(client, &name, *create, *watch, *steal)
            }
            Deed::Detach => {
                self.model.detach(client);
                Ok(())
            }
            Deed::NewSession { name: Some(name) } => {
                let name = self.name(*name);
                if self.model.sessions.contains_key(&name) {
                    return Err(ErrorType::InvalidParameter);
                }
                self.model.sessions.entry(name).or_default();
                Ok(())
            }
            Deed::Rename { name, to } => self.model.rename(&self.name(*name), &self.name(*to)),
            Deed::Log { name, .. } | Deed::History { name } => {
                let is_there = self.model.sessions.contains_key(&self.name(*name));
                is_there.then_some(()).ok_or(ErrorType::SessionNotFound)
            }
            _ => Ok(()),
        }
    }

    fn judge_result(&mut self, client: usize, deed: &Deed, result: &Value) {
        match deed {
            Deed::Attach { name, .. } => {
                let session = &result["session"];
                assert_eq!(session["name"], self.name(*name));
                self.judge_attached(session);
            }
            Deed::NewSession { name: None } => {
                let name = result["session"]["name"].as_str().expect("a name");
                self.model.sessions.entry(name.to_owned()).or_default();
            }
            Deed::List => {
                let sessions = result["sessions"].as_array().expect("a list");
                assert_eq!(sessions.len(), self.model.sessions.len(), "{result}");
                for session in sessions {
                    self.judge_attached(session);
                }
            }
            Deed::Log { since, .. } => self.judge_log(*since, result),
            Deed::Status => {
                let clients = self.ears.iter().flatten().count() + 1;
                assert_eq!(result["clients"], clients, "{result}");
                assert_eq!(result["sessions"], self.model.sessions.len(), "{result}");
            }
            Deed::Detach => {}
            _ => assert!(result.is_object(), "client {client}: {result}"),
        }
    }

    /// Who is attached to a session, and how, is as the model says.
    fn judge_attached(&self, session: &Value) {
        let name = session["name"].as_str().expect("a name");
        let known = self
            .model
            .sessions
            .get(name)
            .expect("a session that is there");
        let mut due: Vec<_> = known
            .attached
            .iter()
            .filter_map(|(client, watches)| Some((self.ears[*client].as_ref()?.number, *watches)))
            .collect();
        due.sort_unstable();
        let attached = session["attached"].as_array().expect("who is attached");
        let mut told: Vec<_> = attached
            .iter()
            .map(|each| {
                (
                    each["client"].as_u64().expect("a number"),
                    each["mode"] == "watch",
                )
            })
            .collect();
        told.sort_unstable();
        assert_eq!(told, due, "{session}");
    }

    fn judge_log(&self, since: u64, result: &Value) {
        let end = result["position"].as_u64().expect("a position");
        let mut next = since + 1;
        for event in result["events"].as_array().expect("events") {
            let position = event["position"].as_u64().expect("a position");
            if event["event"] == "gap" {
                assert!(self.loud.get(), "nothing had to be dropped: {event}");
                assert_eq!(event["data"]["from"], next);
            } else {
                assert_eq!(position, next, "{event}");
            }
            assert!(position <= end);
            next = position + 1;
        }
    }

    fn evaluate(&mut self, client: usize, name: usize, code: Code, waits: bool) {
        let name = self.name(name);
        let due = self.model.may_drive(client, &name);
        let (source, value) = self.source(code);
        let parameters = json!({"session": name, "code": source});
        let id = new_id("evaluation");
        let command = if waits { "evaluate" } else { "submit" };
        self.send(client, &id, command, &parameters);
        if due.is_err() || !waits {
            let outcome = self.reply(client, &id);
            agree(&outcome, due);
        } else {
            self.is_heard(client);
        }
        if due.is_err() {
            return;
        }
        self.accept(Evaluation {
            id: id.clone(),
            code,
            source,
            value,
            session: name.clone(),
            waiting: waits.then_some((client, id)).into_iter().collect(),
            fate: Fate::Open,
            is_orphan: false,
        });
        self.drain(&name);
    }

    fn wait_for(&mut self, client: usize, which: usize, until_the_end: bool) {
        let count = self.model.evaluations.len();
        if count == 0 {
            return;
        }
        let number = which % count;
        let mut parameters = json!({"evaluation_id": self.model.evaluations[number].id});
        if !until_the_end {
            parameters["wait_ms"] = 0.into();
        }
        if self.model.evaluations[number].fate != Fate::Open {
            let outcome = self.ask(client, "await", &parameters);
            self.judge_told_again(number, &outcome);
        } else if until_the_end {
            let id = new_id("await");
            self.send(client, &id, "await", &parameters);
            self.is_heard(client);
            self.model.evaluations[number].waiting.push((client, id));
        } else {
            let running = self.ask(client, "await", &parameters).expect("a state");
            assert_eq!(running["state"], "running");
        }
    }

    /// Sends the request of an evaluation again: it is not done again.
    fn repeat(&mut self, client: usize, which: usize) {
        let known = &self.model.evaluations;
        let Some(number) = which.checked_rem(known.len()) else {
            return;
        };
        let evaluation = &known[number];
        // Of one that is forgotten the daemon cannot know that it is sent again.
        if evaluation.is_orphan || self.loud.get() {
            return;
        }
        let parameters = json!({"session": evaluation.session, "code": evaluation.source});
        let (id, is_open) = (evaluation.id.clone(), evaluation.fate == Fate::Open);
        self.send(client, &id, "evaluate", &parameters);
        if is_open {
            self.is_heard(client);
            self.model.evaluations[number].waiting.push((client, id));
        } else {
            let outcome = self.reply(client, &id);
            self.model.evaluations[number].judge(&outcome);
        }
    }

    fn interrupt(&mut self, client: usize, name: usize) {
        let name = self.name(name);
        let due = self.model.may_drive(client, &name);
        let outcome = self.ask(client, "interrupt", &json!({"session": name}));
        agree(&outcome, due);
        let Some(session) = self.model.sessions.get_mut(&name).filter(|_| due.is_ok()) else {
            return;
        };
        match session.queue.pop_front() {
            Some(number) => self.settle(number, Fate::Natural),
            None => assert_eq!(outcome.expect("idle")["tier"], "idle"),
        }
        self.drain(&name);
    }

    fn kill(&mut self, client: usize, name: usize) {
        let name = self.name(name);
        let outcome = self.ask(client, "kill_session", &json!({"session": name}));
        let killed = self.model.sessions.remove(&name);
        agree(
            &outcome,
            killed
                .as_ref()
                .map(|_| ())
                .ok_or(ErrorType::SessionNotFound),
        );
        for evaluation in &mut self.model.evaluations {
            evaluation.is_orphan |= evaluation.session == name;
        }
        for number in killed.into_iter().flat_map(|session| session.queue) {
            self.settle(number, Fate::Killed);
        }
    }

    fn twice(&mut self, client: usize) {
        let id = new_id("twice");
        for _ in 0..2 {
            self.send(client, &id, "ping", &json!({}));
        }
        for _ in 0..2 {
            self.reply(client, &id).expect("a ping");
        }
    }

    fn garbage(&mut self, client: usize, garbage: Garbage) {
        let (line, due) = line_of(garbage);
        self.note(client, &format!("sends {garbage:?}"));
        self.ear(client).send_garbage(&line);
        let outcome = self.ear(client).reply_without_id().outcome;
        agree(&outcome, Err(due));
    }

    fn wrong(&mut self, client: usize, wrong: Wrong) {
        let (command, parameters, due) = match wrong {
            Wrong::UnknownCommand => ("frobnicate", json!({}), ErrorType::UnknownCommand),
            Wrong::NumberForName => ("attach", json!({"session": 7}), ErrorType::InvalidParameter),
            Wrong::NoCode => (
                "submit",
                json!({"session": "x"}),
                ErrorType::MissingParameter,
            ),
            Wrong::BadName => (
                "new_session",
                json!({"name": "-x y"}),
                ErrorType::InvalidParameter,
            ),
            Wrong::UnknownEvaluation => (
                "await",
                json!({"evaluation_id": "none"}),
                ErrorType::EvaluationNotFound,
            ),
            Wrong::NewerVersion => return self.newer_version(client),
        };
        let outcome = self.ask(client, command, &parameters);
        agree(&outcome, Err(due));
    }

    fn newer_version(&mut self, client: usize) {
        let id = new_id("newer");
        let ear = self.ear(client);
        ear.expect(&id, "ping", &Value::Null);
        ear.client
            .send(&json!({"id": id, "command": "ping", "version": "2.0"}));
        let outcome = self.reply(client, &id);
        agree(&outcome, Err(ErrorType::UnsupportedVersion));
    }
}

/// Checks that it went as it had to.
fn agree(outcome: &Outcome, due: Result<(), ErrorType>) {
    let error_type = |failure: &Failure| failure.error_type;
    let told = outcome.as_ref().map(|_| ()).map_err(error_type);
    assert_eq!(told, due, "{outcome:?}");
}
