//! Plays a conversation with a real daemon and compares each answer with the model's.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use stui_protocol::daemon::{Attach, AttachMode, KillSession, ListSessions, Status};
use stui_protocol::image::Interrupt;
use stui_protocol::{ErrorType, Outcome};

use super::Tally;
use super::ear::Ear;
use super::model::{Evaluation, Fate, Model};
use super::requests::may_fail_with;
use super::step::{CLIENTS, Code, Deed, Step};
use crate::asking::{Asking, new_id};
use crate::client::Client;
use crate::daemon::Daemon;
use crate::patience;

/// Replies of one client that may be due; the daemon reads no more of its requests at 64.
const MOST_DUE: usize = 40;

/// A conversation under way.
pub(super) struct Player<'a> {
    daemon: &'a Daemon,
    /// Somebody who looks on and tidies up, and is never in the way.
    pub(super) control: Client,
    pub(super) ears: [Option<Ear>; CLIENTS],
    pub(super) model: Model,
    pub(super) loud: Rc<Cell<bool>>,
    pub(super) tally: Tally,
    /// Begins the names of its sessions.
    tag: String,
    /// What was asked so far, for whoever reads of a failure.
    trace: Vec<String>,
}

impl<'a> Player<'a> {
    pub(super) fn new(daemon: &'a Daemon) -> Self {
        Self {
            daemon,
            control: daemon.client(),
            ears: Default::default(),
            model: Model::default(),
            loud: Rc::default(),
            tally: Tally::default(),
            tag: new_id("c"),
            trace: Vec::new(),
        }
    }

    pub(super) fn play(&mut self, step: &Step) {
        self.tally.steps += 1;
        match step {
            Step::Connect { client } => self.connect(*client),
            Step::Leave { client, mid_line } => self.leave(*client, *mid_line),
            Step::HalfLine { client } => self.half_line(*client),
            Step::Do { client, deed } => {
                if self.is_ready(*client) {
                    self.perform(*client, deed);
                }
            }
            Step::Burst(deeds) => self.burst(deeds),
        }
    }

    fn connect(&mut self, client: usize) {
        if self.ears[client].is_some() {
            return;
        }
        self.note(client, "connects");
        let mut ear = Ear::new(self.daemon.client(), &self.loud);
        // A session of its own tells its number.
        let lobby = format!("{}-lobby{client}", self.tag);
        ear.ask(
            "lobby",
            "attach",
            &json!({"session": lobby, "create": true}),
        );
        let joined = ear.reply("lobby").outcome.expect("a session of its own");
        let number = &joined["session"]["attached"][0]["client"];
        ear.number = number.as_u64().expect("a number");
        ear.ask("detach", "detach", &json!({}));
        ear.reply("detach").outcome.expect("leaving the lobby");
        self.control.ask::<KillSession>(json!({"session": lobby}));
        self.ears[client] = Some(ear);
    }

    fn leave(&mut self, client: usize, mid_line: bool) {
        let Some(ear) = self.ears[client].take() else {
            return;
        };
        self.note(client, "leaves");
        if mid_line && ear.half.is_none() {
            ear.client
                .send_bytes(b"{\"id\": \"half\", \"comm")
                .expect("half a line");
        }
        drop(ear);
        self.model.detach(client);
        for evaluation in &mut self.model.evaluations {
            evaluation.waiting.retain(|(waiting, _)| *waiting != client);
        }
        self.wait_for_clients();
    }

    /// The daemon knows exactly those clients that are there.
    fn wait_for_clients(&self) {
        let there = self.ears.iter().flatten().count() as u64 + 1;
        patience::until(&format!("{there} clients in the daemon's status"), || {
            let status = self.control.ask::<Status>(json!({}));
            (status.clients == there).then_some(())
        });
    }

    fn half_line(&mut self, client: usize) {
        if !self.is_ready(client) {
            return;
        }
        self.note(client, "sends half a line");
        let id = new_id("half");
        let line = format!("{{\"id\": \"{id}\", \"command\": \"sta");
        let ear = self.ear(client);
        ear.client.send_bytes(line.as_bytes()).expect("half a line");
        ear.half = Some(("tus\"}\n".to_owned(), id));
    }

    /// Whether the client is there and may ask; a line that it began is ended first.
    fn is_ready(&mut self, client: usize) -> bool {
        let Some(ear) = &mut self.ears[client] else {
            return false;
        };
        if let Some((rest, id)) = ear.half.take() {
            ear.expect(&id, "status", &Value::Null);
            ear.client
                .send_bytes(rest.as_bytes())
                .expect("the rest of a line");
            ear.reply(&id)
                .outcome
                .expect("the answer to a request in two halves");
        }
        ear.count_due() < MOST_DUE
    }

    pub(super) fn ear(&mut self, client: usize) -> &mut Ear {
        self.ears[client].as_mut().expect("a client that is there")
    }

    pub(super) fn name(&self, number: usize) -> String {
        format!("{}-{number}", self.tag)
    }

    /// Asks and waits for the answer.
    pub(super) fn ask(&mut self, client: usize, command: &str, parameters: &Value) -> Outcome {
        let id = new_id("request");
        self.send(client, &id, command, parameters);
        self.reply(client, &id)
    }

    pub(super) fn send(&mut self, client: usize, id: &str, command: &str, parameters: &Value) {
        self.note(client, &format!("asks {command} {parameters} as {id}"));
        self.tally.requests += 1;
        self.ear(client).ask(id, command, parameters);
    }

    /// Waits until the daemon has begun all that the client has asked for.
    pub(super) fn is_heard(&mut self, client: usize) {
        self.ask(client, "status", &json!({})).expect("the status");
    }

    pub(super) fn reply(&mut self, client: usize, id: &str) -> Outcome {
        let outcome = self.ear(client).reply(id).outcome;
        let word = match &outcome {
            Ok(_) => "success".to_owned(),
            Err(failure) => failure.error_type.to_string(),
        };
        self.note(client, &format!("gets {word} for {id}"));
        *self.tally.replies.entry(word).or_default() += 1;
        outcome
    }

    pub(super) fn note(&mut self, client: usize, what: &str) {
        let shown: String = what.chars().take(300).collect();
        self.trace.push(format!("client {client} {shown}"));
    }

    /// Many requests before any reply; then what there is now is looked at, not computed.
    fn burst(&mut self, deeds: &[(usize, Deed)]) {
        if !self.model.is_idle() {
            return;
        }
        let mut sent = Vec::new();
        for (client, deed) in deeds {
            if !self.is_ready(*client) {
                continue;
            }
            for (command, parameters) in self.requests(deed) {
                let id = new_id("burst");
                self.send(*client, &id, &command, &parameters);
                sent.push((*client, id, command));
            }
        }
        for (client, id, command) in sent {
            if let Err(failure) = self.reply(client, &id) {
                let may = may_fail_with(&command);
                assert!(may.contains(&failure.error_type), "{command}: {failure:?}");
            }
        }
        self.look();
    }

    /// Takes over which sessions there are and who is attached, when all is quiet.
    fn look(&mut self) {
        self.wait_until_idle();
        let numbers: BTreeMap<u64, usize> = (0..CLIENTS)
            .filter_map(|client| Some((self.ears[client].as_ref()?.number, client)))
            .collect();
        self.model = Model::default();
        for session in self.control.ask::<ListSessions>(json!({})).sessions {
            let attached = session.attached.iter().map(|attached| {
                let client = numbers.get(&attached.client);
                (
                    *client.expect("a client of ours"),
                    attached.mode == AttachMode::Watch,
                )
            });
            let known = self.model.sessions.entry(session.name).or_default();
            known.attached = attached.collect();
        }
    }

    fn wait_until_idle(&self) {
        patience::until("the end of all evaluations", || {
            let queue = self.control.ask::<Status>(json!({})).queue;
            (queue.running == 0 && queue.evaluations == 0).then_some(())
        });
    }

    /// Accepts an evaluation for the model.
    pub(super) fn accept(&mut self, evaluation: Evaluation) {
        let session = self.model.sessions.get_mut(&evaluation.session);
        let session = session.expect("a session");
        session.queue.push_back(self.model.evaluations.len());
        if evaluation.code == Code::PrintsMuch {
            self.loud.set(true);
        }
        self.model.evaluations.push(evaluation);
    }

    /// Waits for the ends of what ends by itself in a session.
    pub(super) fn drain(&mut self, name: &str) {
        loop {
            let Some(session) = self.model.sessions.get_mut(name) else {
                return;
            };
            let Some(number) = session.queue.front().copied() else {
                return;
            };
            if self.model.evaluations[number].code == Code::Endless {
                return;
            }
            session.queue.pop_front();
            self.settle(number, Fate::Natural);
        }
    }

    /// Whoever waits for an evaluation is told its end, and so is whoever asks now.
    pub(super) fn settle(&mut self, number: usize, fate: Fate) {
        let evaluation = &mut self.model.evaluations[number];
        evaluation.fate = fate;
        let waiting = std::mem::take(&mut evaluation.waiting);
        let id = evaluation.id.clone();
        for (client, request) in waiting {
            let outcome = self.reply(client, &request);
            self.model.evaluations[number].judge(&outcome);
        }
        if fate == Fate::Natural {
            let outcome = self
                .control
                .reply("await", json!({"evaluation_id": id}))
                .outcome;
            self.judge_told_again(number, &outcome);
        }
    }

    /// The end of an evaluation that ended before; it may be forgotten when others were large.
    pub(super) fn judge_told_again(&self, number: usize, outcome: &Outcome) {
        let evaluation = &self.model.evaluations[number];
        let is_forgotten = matches!(
            outcome,
            Err(failure) if failure.error_type == ErrorType::EvaluationNotFound
        );
        if !(is_forgotten && (self.loud.get() || evaluation.is_orphan)) {
            evaluation.judge(outcome);
        }
    }

    /// Ends everything, and checks that nothing is left.
    pub(super) fn finish(&mut self) {
        let names: Vec<_> = self.model.sessions.keys().cloned().collect();
        for name in names {
            while let Some(number) = self
                .model
                .sessions
                .get_mut(&name)
                .and_then(|it| it.queue.pop_front())
            {
                self.control.ask::<Interrupt>(json!({"session": name}));
                self.settle(number, Fate::Natural);
                self.drain(&name);
            }
        }
        for client in 0..CLIENTS {
            if self.is_ready(client) {
                self.ask(client, "ping", &json!({})).expect("a ping");
                assert_eq!(self.ear(client).count_due(), 0, "replies that never came");
                self.leave(client, false);
            }
        }
        for session in self.control.ask::<ListSessions>(json!({})).sessions {
            assert!(session.attached.is_empty(), "{session:?}");
            assert!(
                self.model.sessions.contains_key(&session.name),
                "{session:?}"
            );
            self.control
                .ask::<KillSession>(json!({"session": session.name}));
        }
        assert!(
            self.control
                .ask::<ListSessions>(json!({}))
                .sessions
                .is_empty()
        );
        self.wait_until_idle();
        let refused = self
            .control
            .refused::<Attach>(json!({"session": self.name(0)}));
        assert_eq!(refused.error_type, ErrorType::SessionNotFound);
    }
}

impl Drop for Player<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the conversation:\n{}\n---", self.trace.join("\n"));
        }
    }
}
