//! What runs on the thread of a scripted image: its sockets and its sessions.

mod evaluations;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stui_protocol::codec::image;
use stui_protocol::message::Outcome;
use stui_protocol::{ErrorType, Failure, Reply, Request};

use super::Order;
use super::mischief::{Frames, Mischief};
use super::record::Record;
use crate::patience;
use evaluations::Evaluation;

/// Between two looks for orders, in milliseconds.
const TICK_MS: i64 = 2;

struct Sockets {
    /// As REP, and yet able to break its rules.
    router: zmq::Socket,
    /// As PUB, and yet knowing whether anybody hears it.
    publisher: zmq::Socket,
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
    kept: Option<(Frames, Vec<u8>)>,
    mischief: Option<Box<Mischief>>,
    losing: bool,
    sessions: BTreeMap<String, Value>,
    evaluations: BTreeMap<String, Evaluation>,
    made: usize,
    sessions_made: usize,
    /// Since when code makes no progress, though the listener answers.
    frozen_since: Option<Instant>,
    record: Record,
    /// Subscriptions that there are.
    hearers: Arc<AtomicUsize>,
}

impl Actor {
    /// Binds its sockets. `life` is its first instance.
    pub(super) fn new(
        (endpoint, events): (&str, &str),
        life: &str,
        asked: Arc<Mutex<Vec<Request>>>,
        record: Record,
    ) -> Self {
        let mut actor = Self {
            context: zmq::Context::new(),
            endpoints: (endpoint.to_owned(), events.to_owned()),
            sockets: None,
            asked,
            instance: life.to_owned(),
            seq: 0,
            silent_at: None,
            garbled: None,
            kept: None,
            mischief: None,
            losing: false,
            sessions: BTreeMap::new(),
            evaluations: BTreeMap::new(),
            made: 0,
            sessions_made: 0,
            frozen_since: None,
            record,
            hearers: Arc::default(),
        };
        actor.open();
        actor
    }

    /// How many hear its events.
    pub(super) fn hearers(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.hearers)
    }

    /// Takes note of those who begin to hear its events, or end.
    fn count_hearers(&self) {
        let Some(sockets) = &self.sockets else {
            return;
        };
        while let Ok(change) = sockets.publisher.recv_bytes(zmq::DONTWAIT) {
            match change.first() {
                Some(1) => self.hearers.fetch_add(1, Ordering::Relaxed),
                _ => self.hearers.fetch_sub(1, Ordering::Relaxed),
            };
        }
    }

    fn open(&mut self) {
        let bound = |kind, endpoint: &str| {
            let socket = self.context.socket(kind).expect("a socket");
            socket.set_linger(0).expect("no lingering");
            socket.bind(endpoint).expect("binding the image");
            socket
        };
        self.hearers.store(0, Ordering::Relaxed);
        self.sockets = Some(Sockets {
            router: bound(zmq::ROUTER, &self.endpoints.0),
            publisher: bound(zmq::XPUB, &self.endpoints.1),
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
            self.count_hearers();
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
                if let Some((envelope, reply)) = self.kept.take() {
                    self.send([envelope, vec![reply]].concat());
                }
            }
            Order::Deafen(losing) => self.losing = losing,
            Order::Forget => self.evaluations.clear(),
            Order::Misbehave(mischief, done) => {
                if let Some(before) = std::mem::replace(&mut self.mischief, mischief) {
                    done.fetch_add(before.done(), Ordering::Relaxed);
                }
            }
            Order::Freeze => self.frozen_since = Some(Instant::now()),
            Order::Thaw => self.thaw(),
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
        self.frozen_since = None;
        if !keep_sessions {
            self.sessions.clear();
        }
        self.open();
    }

    fn serve_one(&mut self) {
        // In lock-step, as a REP: while it owes a reply it takes nothing.
        let Some(sockets) = self.sockets.as_ref().filter(|_| self.kept.is_none()) else {
            std::thread::park_timeout(Duration::from_millis(TICK_MS.unsigned_abs()));
            return;
        };
        if sockets.router.poll(zmq::POLLIN, TICK_MS).unwrap_or(0) == 0 {
            return;
        }
        let Ok(mut envelope) = sockets.router.recv_multipart(zmq::DONTWAIT) else {
            return;
        };
        let Some(delimiter) = envelope.iter().position(Vec::is_empty) else {
            return;
        };
        let body = envelope.split_off(delimiter + 1).concat();
        let mut silent = false;
        let mut garbage = None;
        let mut spoils = false;
        let reply = match image::decode_request(&body) {
            Ok(request) => {
                let outcome = self.answer(&request);
                silent = self.silent_at.as_ref() == Some(&request.command);
                let ours = |each: &mut (String, Vec<u8>)| each.0 == request.command;
                garbage = self.garbled.take_if(ours).map(|(_, bytes)| bytes);
                spoils = request.command == "evaluate";
                let id = Some(request.id.clone());
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.push(request);
                Reply::new(id, outcome, self.instance.clone())
            }
            Err(rejected) => rejected.into_reply(self.instance.clone()),
        };
        let reply = garbage.unwrap_or_else(|| image::encode_reply(&reply));
        if silent {
            self.kept = Some((envelope, reply));
        } else {
            self.give(envelope, reply, spoils);
        }
    }

    /// Sends a reply, or what mischief makes of it.
    fn give(&mut self, envelope: Frames, reply: Vec<u8>, spoils: bool) {
        let mischief = self.mischief.as_mut().filter(|_| spoils);
        let Some(mischief) = mischief else {
            return self.send([envelope, vec![reply]].concat());
        };
        let (wait, messages) = mischief.spoil(envelope, reply);
        patience::until_within(wait, &mut || None::<()>);
        for frames in messages {
            self.send(frames);
        }
    }

    fn send(&self, frames: Frames) {
        if let Some(sockets) = &self.sockets {
            let _ = sockets.router.send_multipart(frames, zmq::DONTWAIT);
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
                "instance": self.instance, "evaluations_running": 0, "evaluator_lag_ms": self.lag_ms(),
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
            "save_image" => Ok(json!({
                "saved": true, "path": "scripted.image", "duration_ms": 1.0,
            })),
            other => Ok(json!({"echo": other, "parameters": request.parameters})),
        }
    }

    fn create_session(&mut self, client_id: &str, name: &str) -> Value {
        self.sessions_made += 1;
        let id = format!("{}-session-{}", self.instance, self.sessions_made);
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
}
