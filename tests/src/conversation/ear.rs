//! What one client hears, judged line by line: only replies that are due, each once; the lines of
//! the log that it is attached to in order, none twice, a gap only when the log had to drop lines;
//! and of each evaluation that it hears from its beginning the output that its end tells.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;
use stui_protocol::codec::client::Message;
use stui_protocol::daemon::GapData;
use stui_protocol::{Event, EventName, Reply};

use crate::asking::request;
use crate::client::Client;

/// Longer outputs are not compared: they are cut somewhere.
const MOST_COMPARED_BYTES: usize = 64 * 1024;

/// One client and what it waits for.
pub(super) struct Ear {
    pub(super) client: Client,
    /// The daemon's number for it.
    pub(super) number: u64,
    /// Half a request that was sent, the rest of it and its id.
    pub(super) half: Option<(String, String)>,
    due: BTreeMap<String, Due>,
    due_without_id: usize,
    heard: BTreeMap<String, Vec<Reply>>,
    heard_without_id: Vec<Reply>,
    /// The position of the next line of the log that it is attached to.
    next: Option<u64>,
    /// Output of evaluations that it heard begin.
    outputs: BTreeMap<String, String>,
    /// More was printed than a log keeps.
    loud: Rc<Cell<bool>>,
}

/// A request without its reply, or several of one id.
struct Due {
    times: usize,
    turn: Turn,
}

/// What changes when a request succeeds.
#[derive(Clone, Copy)]
enum Turn {
    Nothing,
    Attached { since: Option<u64> },
    Detached,
}

impl Ear {
    pub(super) fn new(client: Client, loud: &Rc<Cell<bool>>) -> Self {
        Self {
            client,
            number: 0,
            half: None,
            due: BTreeMap::new(),
            due_without_id: 0,
            heard: BTreeMap::new(),
            heard_without_id: Vec::new(),
            next: None,
            outputs: BTreeMap::new(),
            loud: Rc::clone(loud),
        }
    }

    /// Sends a request.
    pub(super) fn ask(&mut self, id: &str, command: &str, parameters: &Value) {
        self.expect(id, command, parameters);
        self.client.send(&request(id, command, parameters));
    }

    /// Says that a reply to that request is due.
    pub(super) fn expect(&mut self, id: &str, command: &str, parameters: &Value) {
        let turn = match command {
            "attach" => Turn::Attached {
                since: parameters["since"].as_u64(),
            },
            "detach" => Turn::Detached,
            _ => Turn::Nothing,
        };
        let none = Due { times: 0, turn };
        self.due.entry(id.to_owned()).or_insert(none).times += 1;
    }

    /// Sends a line that no reply with an id can come for.
    pub(super) fn send_garbage(&mut self, line: &[u8]) {
        self.due_without_id += 1;
        self.client.send_bytes(line).expect("sending garbage");
    }

    /// How many replies are due.
    pub(super) fn count_due(&self) -> usize {
        self.due.values().map(|due| due.times).sum::<usize>() + self.due_without_id
    }

    /// Waits for the reply to a request.
    pub(super) fn reply(&mut self, id: &str) -> Reply {
        loop {
            if let Some(reply) = self.heard.get_mut(id).and_then(Vec::pop) {
                return reply;
            }
            self.hear(id);
        }
    }

    /// Waits for a reply without an id.
    pub(super) fn reply_without_id(&mut self) -> Reply {
        loop {
            if let Some(reply) = self.heard_without_id.pop() {
                return reply;
            }
            self.hear("garbage");
        }
    }

    fn hear(&mut self, awaited: &str) {
        match self.client.next_message() {
            Some(Message::Reply(reply)) => self.judge_reply(reply),
            Some(Message::Event(event)) => self.judge_event(&event),
            None => panic!("client {} is cut off, no reply to {awaited}", self.number),
        }
    }

    fn judge_reply(&mut self, reply: Reply) {
        let Some(id) = reply.id.clone() else {
            assert!(self.due_without_id > 0, "nobody asked: {reply:?}");
            self.due_without_id -= 1;
            self.heard_without_id.push(reply);
            return;
        };
        let due = self.due.get_mut(&id);
        let due = due.unwrap_or_else(|| panic!("no reply of that id is due: {reply:?}"));
        due.times -= 1;
        let turn = due.turn;
        if due.times == 0 {
            self.due.remove(&id);
        }
        if let Ok(result) = &reply.outcome {
            match turn {
                Turn::Nothing => {}
                Turn::Attached { since } => {
                    let end = result["position"].as_u64().expect("a position");
                    self.next = Some(since.unwrap_or(end).min(end) + 1);
                    self.outputs.clear();
                }
                Turn::Detached => self.next = None,
            }
        }
        self.heard.entry(id).or_default().push(reply);
    }

    fn judge_event(&mut self, event: &Event) {
        let Some(position) = event.position else {
            let strange = [EventName::Hello, EventName::ShuttingDown, EventName::Gap];
            assert!(!strange.contains(&event.event), "not now: {event:?}");
            return;
        };
        let next = self
            .next
            .unwrap_or_else(|| panic!("client {} is attached to nothing: {event:?}", self.number));
        if event.event == EventName::Gap {
            let gap: GapData = event.data_as().expect("what is gone");
            assert!(self.loud.get(), "nothing had to be dropped: {event:?}");
            assert_eq!((gap.from, gap.to), (next, position), "{event:?}");
            self.outputs.clear();
        } else {
            assert_eq!(position, next, "a line is missing or told twice: {event:?}");
        }
        self.next = Some(position + 1);
        self.judge_output(event);
        if event.event == EventName::SessionClosed {
            self.next = None;
        }
    }

    fn judge_output(&mut self, event: &Event) {
        let Some(id) = &event.evaluation_id else {
            return;
        };
        match event.event {
            EventName::EvaluationStarted => {
                self.outputs.insert(id.clone(), String::new());
            }
            EventName::Output => {
                if let Some(output) = self.outputs.get_mut(id) {
                    *output += event.data["text"].as_str().expect("text");
                }
            }
            EventName::EvaluationFinished => {
                let heard = self.outputs.remove(id);
                let told = event
                    .data
                    .get("result")
                    .and_then(|result| result["output"].as_str());
                if let (Some(heard), Some(told)) = (heard, told)
                    && told.len() < MOST_COMPARED_BYTES
                {
                    assert_eq!(heard, told, "{event:?}");
                }
            }
            _ => {}
        }
    }
}
