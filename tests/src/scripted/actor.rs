//! What runs on the thread of a scripted image: its sockets, its sessions, its evaluations.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use stui_protocol::codec::{event, image};
use stui_protocol::image::{EvaluationFinishedData, OutputData};
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Event, EventName, Failure, Reply, Request};

use super::Order;

/// Between two looks for orders, in milliseconds.
const TICK_MS: i64 = 2;

struct Sockets {
    rep: zmq::Socket,
    publisher: zmq::Socket,
}

struct Evaluation {
    code: String,
    session_id: Option<String>,
    output: String,
    outcome: Option<Outcome>,
}

/// The image on its thread.
pub(super) struct Actor {
    context: zmq::Context,
    endpoints: (String, String),
    sockets: Option<Sockets>,
    asked: Arc<Mutex<Vec<Request>>>,
    instance: String,
    seq: u64,
    silent_at: Option<String>,
    garbled: Option<(String, Vec<u8>)>,
    kept: Option<Vec<u8>>,
    losing: bool,
    sessions: BTreeMap<String, Value>,
    evaluations: BTreeMap<String, Evaluation>,
    made: usize,
}

impl Actor {
    pub(super) fn new(endpoint: &str, events: &str, asked: Arc<Mutex<Vec<Request>>>) -> Self {
        let mut actor = Self {
            context: zmq::Context::new(),
            endpoints: (endpoint.to_owned(), events.to_owned()),
            sockets: None,
            asked,
            instance: "life-1".to_owned(),
            seq: 0,
            silent_at: None,
            garbled: None,
            kept: None,
            losing: false,
            sessions: BTreeMap::new(),
            evaluations: BTreeMap::new(),
            made: 0,
        };
        actor.open();
        actor
    }

    fn open(&mut self) {
        let bound = |kind, endpoint: &str| {
            let socket = self.context.socket(kind).expect("a socket");
            socket.set_linger(0).expect("no lingering");
            socket.bind(endpoint).expect("binding the image");
            socket
        };
        self.sockets = Some(Sockets {
            rep: bound(zmq::REP, &self.endpoints.0),
            publisher: bound(zmq::PUB, &self.endpoints.1),
        });
    }

    /// Follows orders and serves requests until it is told to stop.
    pub(super) fn run(mut self, orders: &Receiver<(Order, SyncSender<()>)>) {
        loop {
            if let Ok((order, done)) = orders.try_recv() {
                let stop = matches!(order, Order::Stop);
                self.follow(order);
                let _ = done.send(());
                if stop {
                    return;
                }
            }
            self.serve_one();
        }
    }

    fn follow(&mut self, order: Order) {
        match order {
            Order::Finish(code, outcome) => self.finish(&code, outcome),
            Order::Output(code, text) => self.output(&code, text),
            Order::Silence(command) => self.silent_at = Some(command),
            Order::Garble(command, bytes) => self.garbled = Some((command, bytes)),
            Order::Speak => {
                self.silent_at = None;
                if let Some(reply) = self.kept.take() {
                    self.send(reply);
                }
            }
            Order::Deafen(losing) => self.losing = losing,
            Order::Vanish => self.vanish(),
            Order::Return { keep_sessions } => self.come_back(keep_sessions),
            Order::Stop => self.sockets = None,
        }
    }

    fn vanish(&mut self) {
        self.silent_at = None;
        self.sockets = None;
        self.kept = None;
        // Ending the context waits until the sockets are closed and their files are gone.
        self.context = zmq::Context::new();
    }

    fn come_back(&mut self, keep_sessions: bool) {
        self.vanish();
        self.made += 1;
        self.instance = format!("life-{}", self.made + 1);
        self.seq = 0;
        self.evaluations.clear();
        if !keep_sessions {
            self.sessions.clear();
        }
        self.open();
    }

    fn serve_one(&mut self) {
        let Some(sockets) = &self.sockets else {
            std::thread::park_timeout(std::time::Duration::from_millis(TICK_MS.unsigned_abs()));
            return;
        };
        if sockets.rep.poll(zmq::POLLIN, TICK_MS).unwrap_or(0) == 0 {
            return;
        }
        let Ok(body) = sockets.rep.recv_bytes(zmq::DONTWAIT) else {
            return;
        };
        let mut silent = false;
        let mut garbage = None;
        let reply = match image::decode_request(&body) {
            Ok(request) => {
                let outcome = self.answer(&request);
                silent = self.silent_at.as_ref() == Some(&request.command);
                let ours = |each: &mut (String, Vec<u8>)| each.0 == request.command;
                garbage = self.garbled.take_if(ours).map(|(_, bytes)| bytes);
                let id = Some(request.id.clone());
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.push(request);
                Reply::new(id, outcome, self.instance.clone())
            }
            Err(rejected) => rejected.into_reply(self.instance.clone()),
        };
        let reply = garbage.unwrap_or_else(|| image::encode_reply(&reply));
        if silent {
            self.kept = Some(reply);
        } else {
            self.send(reply);
        }
    }

    fn send(&self, reply: Vec<u8>) {
        if let Some(sockets) = &self.sockets {
            let _ = sockets.rep.send(reply, zmq::DONTWAIT);
        }
    }

    fn answer(&mut self, request: &Request) -> Outcome {
        let text = |key: &str| {
            request
                .parameters
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match request.command.as_str() {
            "ping" => Ok(json!({
                "message": request.parameters.get("message"), "status": "ready", "uptime": 1.0,
                "instance": self.instance, "evaluations_running": 0, "evaluator_lag_ms": 0.0,
            })),
            "describe" => Ok(json!({
                "versions": ["1.0", "1.1"], "commands": [], "features": [],
                "instance": self.instance, "limits": {}, "event_endpoint": self.endpoints.1,
                "image": {"kind": "scripted", "version": "1", "name": "a story"},
            })),
            "create_session" => Ok(self.create_session(&text("client_id"), &text("name"))),
            "list_sessions" => Ok(json!({"sessions": self.list()})),
            "close_session" => match self.sessions.remove(&text("session_id")) {
                Some(_) => Ok(json!({"session_id": text("session_id"), "closed": true})),
                None => Err(Failure::new(ErrorType::SessionNotFound, "no such session")),
            },
            "evaluate" => self.evaluate(request),
            "evaluation_status" => self.status(&text("evaluation_id")),
            "interrupt" => {
                let id = text("evaluation_id");
                let stubborn = |each: &Evaluation| each.code.contains("stubborn");
                let tier = match self.evaluations.get(&id).is_some_and(stubborn) {
                    true => "abandon",
                    false => "signal",
                };
                let interrupted = Err(Failure::new(ErrorType::Interrupted, "interrupted"));
                self.end(&id, interrupted);
                Ok(json!({"tier": tier, "evaluation_id": id}))
            }
            other => Ok(json!({"echo": other, "parameters": request.parameters})),
        }
    }

    fn create_session(&mut self, client_id: &str, name: &str) -> Value {
        let id = format!("{}-session-{}", self.instance, self.sessions.len() + 1);
        let session = json!({
            "session_id": id, "client_id": client_id, "name": name, "timeout": 0,
            "created_at": "2026-01-01T00:00:00Z", "is_active": true,
        });
        self.sessions.insert(id, session.clone());
        session
    }

    fn list(&self) -> Vec<Value> {
        let running = |id: &str| {
            let ours = |each: &&(&String, &Evaluation)| {
                each.1.session_id.as_deref() == Some(id) && each.1.outcome.is_none()
            };
            self.evaluations
                .iter()
                .find(|each| ours(&each))
                .map(|(id, _)| id.clone())
        };
        let describe = |(id, session): (&String, &Value)| {
            let mut session = session.clone();
            session["last_modified"] = "2026-01-01T00:00:00Z".into();
            session["busy"] = running(id).is_some().into();
            session["evaluation_id"] = json!(running(id));
            session["evaluations"] = 0.into();
            session["variables"] = 0.into();
            session
        };
        self.sessions.iter().map(describe).collect()
    }

    fn evaluate(&mut self, request: &Request) -> Outcome {
        let text = |key: &str| {
            request
                .parameters
                .get(key)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let (id, code) = (request.id.clone(), text("code").unwrap_or_default());
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
            _ => self.end(&id, Ok(json!({"result": code}))),
        }
        self.outcome(&id)
    }

    fn status(&mut self, id: &str) -> Outcome {
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

    fn finish(&mut self, code: &str, outcome: Outcome) {
        let id = self.running(code);
        self.end(&id, outcome);
    }

    fn output(&mut self, code: &str, text: String) {
        let id = self.running(code);
        if let Some(evaluation) = self.evaluations.get_mut(&id) {
            evaluation.output.push_str(&text);
        }
        self.publish(EventName::Output, &id, &OutputData { text });
    }

    fn running(&self, code: &str) -> String {
        let ours = |each: &Evaluation| each.code == code && each.outcome.is_none();
        let found = self.evaluations.iter().find(|(_, each)| ours(each));
        found
            .unwrap_or_else(|| panic!("nobody evaluates {code:?}"))
            .0
            .clone()
    }

    fn end(&mut self, id: &str, outcome: Outcome) {
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
