//! Clients that evaluate one task after the other, whatever happens around them, and write down
//! what they were told.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use stui_protocol::Reply;

use super::caller::{Caller, NoReply};
use super::ledger::{Language, Task, Told, Verdict, verdict_of};
use crate::asking::new_id;

/// Between two attempts to reach a daemon that is not there.
const AGAIN: Duration = Duration::from_millis(5);

/// Who asks, for what, and how.
#[derive(Debug)]
pub struct Load {
    /// Where the daemon listens.
    pub socket: PathBuf,
    /// What is evaluated.
    pub language: Language,
    /// How many clients there are, each with a session of its own.
    pub clients: usize,
    /// Between two questions of a client.
    pub pause: Duration,
    /// After which an answer that did not come is a hang.
    pub limit: Duration,
    /// A task whose daemon went away is sent again under the same id. Right where the image stays
    /// the same: it must not be done twice.
    pub sends_again: bool,
    /// The next task's number, never used twice.
    pub next: AtomicU64,
}

/// Whether the clients go on.
#[derive(Debug, Default)]
pub struct Over(AtomicBool);

impl Over {
    /// Each client ends when it has been served once more: after the faults, life goes on.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Load {
    /// Runs the clients beside `meanwhile`, and ends them after it. Answers what they were told,
    /// and what `meanwhile` answers.
    pub fn beside<T>(&self, meanwhile: impl FnOnce() -> T) -> (Vec<Told>, T) {
        let over = &Over::default();
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients)
                .map(|client| scope.spawn(move || self.work(client, over)))
                .collect();
            // Also when it panics: else the scope waits for ever.
            let ending = EndOf(over);
            let answer = meanwhile();
            drop(ending);
            let told = clients.into_iter().flat_map(|client| {
                let told = client.join();
                told.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            (told.collect(), answer)
        })
    }

    fn work(&self, client: usize, over: &Over) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        let mut caller = None;
        let mut over_since = None;
        loop {
            if over.is_set() {
                let since = *over_since.get_or_insert_with(Instant::now);
                let asked = told.len();
                if self.is_served(client, &mut caller, &mut told) {
                    return told;
                }
                if since.elapsed() > self.limit {
                    told.push(self.never_served(client, since, told.len() - asked));
                    return told;
                }
                thread::park_timeout(AGAIN);
            } else {
                let served = self.is_served(client, &mut caller, &mut told);
                thread::park_timeout(if served { self.pause } else { AGAIN });
            }
        }
    }

    /// Asks once. False when it was not served.
    fn is_served(&self, client: usize, caller: &mut Option<Caller>, told: &mut Vec<Told>) -> bool {
        if caller.is_none() {
            *caller = self.attached(client, told);
        }
        let Some(connected) = caller else {
            return false;
        };
        let task = self.task(client);
        let id = new_id("task");
        let began = Instant::now();
        let mut answer = self.evaluate(connected, client, &id, &task);
        if answer == Err(NoReply::Gone) && self.sends_again {
            answer = self.evaluate_again(caller, client, &id, &task, began);
        }
        let (verdict, life) = understand(answer, &task);
        if matches!(verdict, Verdict::Hang | Verdict::Wrong(_)) || life.is_none() {
            *caller = None;
        } else if verdict == Verdict::NotDone {
            // The session may be gone with its image: attaching makes it anew.
            *caller = None;
        }
        let served = verdict == Verdict::Done;
        told.push(Told {
            mark: task.mark,
            verdict,
            life: life.unwrap_or_default(),
            took: began.elapsed(),
        });
        served
    }

    fn task(&self, client: usize) -> Task {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.language.task(client, number)
    }

    fn evaluate(
        &self,
        caller: &mut Caller,
        client: usize,
        id: &str,
        task: &Task,
    ) -> Result<Reply, NoReply> {
        let parameters = json!({
            "session": session_name(client), "code": task.code, "keep_result": false,
        });
        caller.ask(id, "evaluate", &parameters, self.limit)
    }

    /// The same id after the daemon went away: whatever became of it, it is done once at most.
    fn evaluate_again(
        &self,
        caller: &mut Option<Caller>,
        client: usize,
        id: &str,
        task: &Task,
        began: Instant,
    ) -> Result<Reply, NoReply> {
        while began.elapsed() < self.limit {
            *caller = self.attached(client, &mut Vec::new());
            let Some(connected) = caller else {
                thread::park_timeout(AGAIN);
                continue;
            };
            match self.evaluate(connected, client, id, task) {
                Err(NoReply::Gone) => {}
                // It may have been done when it was sent first.
                Ok(reply) if reply.outcome.is_err() => return Err(NoReply::Gone),
                answer => return answer,
            }
        }
        Err(NoReply::Late)
    }

    /// A connection in the client's session, which is made when it is not there.
    fn attached(&self, client: usize, told: &mut Vec<Told>) -> Option<Caller> {
        let began = Instant::now();
        let parameters = json!({"session": session_name(client), "create": true});
        let attach = || {
            let mut caller = Caller::connect(&self.socket, self.limit)?;
            let reply = caller.ask(&new_id("attach"), "attach", &parameters, self.limit)?;
            Ok(reply.outcome.is_ok().then_some(caller))
        };
        attach().unwrap_or_else(|no_reply| {
            let verdict = match no_reply {
                NoReply::Gone => return None,
                NoReply::Late => Verdict::Hang,
                NoReply::Strange(what) => Verdict::Wrong(what),
            };
            told.push(Told {
                mark: format!("attaching client {client}"),
                verdict,
                life: String::new(),
                took: began.elapsed(),
            });
            None
        })
    }

    fn never_served(&self, client: usize, since: Instant, asked: usize) -> Told {
        Told {
            mark: format!("client {client}, which asked {asked} times after the faults"),
            verdict: Verdict::Hang,
            life: String::new(),
            took: since.elapsed(),
        }
    }
}

/// Ends the clients, whatever ends it.
struct EndOf<'a>(&'a Over);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

fn session_name(client: usize) -> String {
    format!("load-{client}")
}

/// What an answer to a task means, and which life of the image gave it; none when the connection
/// is of no use any more.
fn understand(answer: Result<Reply, NoReply>, task: &Task) -> (Verdict, Option<String>) {
    let reply = match answer {
        Ok(reply) => reply,
        Err(NoReply::Late) => return (Verdict::Hang, None),
        Err(NoReply::Gone) => return (Verdict::Unknown, None),
        Err(NoReply::Strange(what)) => return (Verdict::Wrong(what), None),
    };
    let verdict = match &reply.outcome {
        Ok(result) if result["result"] == task.result => Verdict::Done,
        Ok(result) => Verdict::Wrong(format!("answered with {result}")),
        Err(failure) => verdict_of(failure),
    };
    (verdict, Some(reply.instance))
}
